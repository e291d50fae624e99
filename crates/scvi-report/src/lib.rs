//! What a report shows of a trained model and its cells, and the page that shows it.
//!
//! Every result is a plain struct, and the same for any number of threads.
//!
//! | wanted | call |
//! |---|---|
//! | a matrix of coordinates (the latent representation, principal components) | [`Embedding::new`] |
//! | nearest neighbors of every cell | [`neighbors()`] |
//! | coordinates in the plane | [`umap()`] on those neighbors, [`UmapOptions::N_OTHERS`] a cell for scanpy's picture |
//! | parts of a page | [`sections`] |
//! | a page of parts, as HTML or as pictures | [`page::Page`] |
//!
//! Long functions take a [`scvi::model::Watch`] that hears of their progress and may stop them.

mod analysis_error;
pub mod charts;
mod embedding;
mod error;
mod neighbors;
mod number;
pub mod page;
pub mod sections;
mod umap;

pub use analysis_error::AnalysisError;
pub use embedding::Embedding;
pub use error::ReportError;
pub use neighbors::{Neighbors, neighbors};
pub use umap::{UmapOptions, umap};
