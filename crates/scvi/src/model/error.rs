//! How tasks over cells fail.

use std::io;

use thiserror::Error;

use super::differential::DifferentialError;
use crate::data::Misfit;
use crate::distributions::SampleError;
use crate::module::MinifiedError;
use crate::nn::EmbeddingError;

/// A task could not be done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TaskError {
    /// Counts could not be read.
    #[error("counts could not be read")]
    Read(#[from] io::Error),
    /// The model cannot take the data.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The task needs counts, and there are none.
    #[error(transparent)]
    Minified(#[from] MinifiedError),
    /// A sample could not be drawn.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// There is nothing to compare.
    #[error(transparent)]
    Differential(#[from] DifferentialError),
    /// The batch to decode as is none of the model's.
    #[error("transform_batch is {found}; the model has {n_batch} batches, counted from 0")]
    Batch {
        /// What came.
        found: u32,
        /// The model's batches.
        n_batch: usize,
    },
    /// The likelihood lacks what the task is about.
    #[error("gene_likelihood {likelihood} has no dispersion; {task} needs that of zinb or nb")]
    NoDispersion {
        /// The likelihood's name.
        likelihood: &'static str,
        /// What was to be done.
        task: &'static str,
    },
    /// No sample was asked for.
    #[error("n_samples is 0; it must be 1 or more")]
    NoSamples,
    /// Importance weights of nothing.
    #[error("{option} of importance weights is 0; it must be 1 or more")]
    Importance {
        /// Which number.
        option: &'static str,
    },
    /// A sample is weighed by what it is decoded to, which is one thing.
    #[error(
        "importance weights with {found} batches to decode as: a sample is weighed as one batch \
         decodes it; give one transform_batch, or none"
    )]
    WeighedBatches {
        /// How many came.
        found: usize,
    },
    /// No cells fit into a minibatch of none.
    #[error("batch_size is 0; it must be 1 or more")]
    BatchSize,
    /// A chosen cell is none of the data's.
    #[error("cell {found} was asked for; the data has {n_cells} cells, counted from 0")]
    Cell {
        /// What came.
        found: u32,
        /// Cells of the data.
        n_cells: usize,
    },
    /// A gene that was asked for is none of the model's.
    #[error("gene {found} was asked for; the model has {n_genes} genes, counted from 0")]
    Gene {
        /// What came.
        found: u32,
        /// The model's genes.
        n_genes: usize,
    },
    /// A result without genes was asked for.
    #[error("an empty list of genes; 1 or more are needed, or no list for all of them")]
    NoGenes,
    /// The mean of a library's posterior was asked for, and the model has none.
    #[error(
        "the model takes each cell's total for its library size and infers no posterior of it: ask \
         for a sample, which is that total"
    )]
    ObservedLibrary,
    /// The model has no such embedding.
    #[error(transparent)]
    Embedding(#[from] EmbeddingError),
    /// What takes the result failed.
    #[error("the result could not be written")]
    Write(#[source] io::Error),
    /// Whoever watched the task stopped it.
    #[error("stopped")]
    Stopped,
}
