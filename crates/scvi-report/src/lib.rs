//! What a report shows of a trained model and its cells, and the page that shows it.
//!
//! Every result is a plain struct, and the same for any number of threads.
//!
//! | wanted | call |
//! |---|---|
//! | a matrix of coordinates (the latent representation, principal components) | [`Embedding::new`] |
//! | nearest neighbors of every cell | [`neighbors()`] |
//! | coordinates in the plane | [`umap()`] on those neighbors, [`UmapOptions::N_OTHERS`] a cell for scanpy's picture |
//! | principal components of log counts, the space before the model | [`pca()`] |
//! | a category for each cell (labels, batches), and a stratified sample | [`metrics::Categories`], [`metrics::stratified`] |
//! | iLISI, cLISI, on [`metrics::LISI_N_OTHERS`] neighbors a cell | [`metrics::ilisi_knn`], [`metrics::clisi_knn`] |
//! | connectivity and purity, on 14 neighbors a cell | [`metrics::graph_connectivity`], [`metrics::knn_purity`] |
//! | silhouettes | [`metrics::silhouette_label`], [`metrics::silhouette_batch`] |
//! | counts drawn from the model against those observed | [`posterior_predictive_checks`], [`Statistic::worst`] |
//! | all of it, from a model and its cells | [`report::report()`] |
//! | parts of a page | [`sections`] |
//! | a page of parts, as HTML or as pictures | [`page::Page`] |
//!
//! Long functions take a [`scvi::model::Watch`] that hears of their progress and may stop them.

mod analysis_error;
pub mod charts;
mod checks;
mod embedding;
mod error;
pub mod metrics;
mod neighbors;
mod number;
pub mod page;
mod pca;
pub mod report;
pub mod sections;
mod umap;

pub use analysis_error::AnalysisError;
pub use checks::{
    CheckOptions, GroupAgreement, PredictiveChecks, Statistic, posterior_predictive_checks,
};
pub use embedding::Embedding;
pub use error::ReportError;
pub use neighbors::{Neighbors, neighbors};
pub use pca::{PcaOptions, PrincipalComponents, pca};
pub use umap::{UmapOptions, umap};
