//! Genes to train on, chosen from raw counts before there is a model.
//!
//! Counts are read in passes, some cells at a time: memory holds a few numbers a gene and batch.

mod gene_moments;
mod highly_variable;
mod loess;
mod seurat_v3;

pub use highly_variable::HighlyVariable;
pub use seurat_v3::{GeneSelectionError, seurat_v3};
