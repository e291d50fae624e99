//! How well batches mix and labels stay apart, by the definitions of scib-metrics 0.5.

mod categories;
mod connectivity;
mod lisi;
mod purity;
mod silhouette;

pub use categories::{Categories, stratified};
pub use connectivity::graph_connectivity;
pub use lisi::{LISI_N_OTHERS, clisi_knn, ilisi_knn, lisi_knn};
pub use purity::knn_purity;
pub use silhouette::{SILHOUETTE_CELLS, silhouette_batch, silhouette_label};

#[cfg(test)]
mod tests;
