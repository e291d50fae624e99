//! Genes and cells to train on, chosen from raw counts before there is a model.
//!
//! Counts are read in passes, some cells at a time: memory holds a few numbers per gene and batch, and
//! at most one per cell.

mod batches;
mod cell_ranger;
mod error;
mod flavor;
mod gene_moments;
mod highly_variable;
mod loess;
mod pearson_residuals;
mod qc_metrics;
mod ranks;
mod selection;
mod seurat_v3;

use crate::data::CsrMatrix;

pub use batches::Batches;
pub use error::GeneSelectionError;
pub use flavor::Flavor;
pub use highly_variable::{GeneColumn, HighlyVariable, highly_variable_genes};
pub use qc_metrics::{MITO_PREFIXES, QcMetrics, mitochondrial};
pub use selection::{GeneSelection, SelectedGenes};

/// A pass over all counts in the order of cells: each block with the number of its first cell.
pub type Pass<'a, E> = dyn FnMut(&mut dyn FnMut(usize, &CsrMatrix)) -> Result<(), E> + 'a;
