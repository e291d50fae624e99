//! What tasks over cells have in common: how they fail, and what they check.

use std::io;

use scvi_kernels::Cpu;
use thiserror::Error;

use super::cells::Cells;
use super::differential::DifferentialError;
use crate::data::Misfit;
use crate::distributions::SampleError;
use crate::module::{Minibatch, MinifiedError, Noise, Vae, Workspace};
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

/// The posterior of a loaded minibatch: as it was stored, where the model's data is minified, or
/// inferred from its counts.
pub(super) fn infer(
    vae: &Vae<Cpu<f32>>,
    ws: &mut Workspace<Cpu<f32>>,
    batch: &Minibatch,
    noise: Option<Noise<f32>>,
) {
    match (vae.minified_data_type(), batch.posterior.borrow()) {
        (Some(_), Some(_)) => vae.cached_inference(ws, noise),
        _ => vae.inference(ws, noise),
    }
}

/// The batches to decode cells as, if the model has them; the cell's own where none is named.
pub(super) fn decode_as(
    vae: &Vae<Cpu<f32>>,
    transform_batch: &[u32],
) -> Result<Vec<Option<u32>>, TaskError> {
    let n_batch = vae.spec().config().n_batch.max(1);
    match transform_batch.iter().find(|&&batch| batch as usize >= n_batch) {
        Some(&found) => Err(TaskError::Batch { found, n_batch }),
        None if transform_batch.is_empty() => Ok(vec![None]),
        None => Ok(transform_batch.iter().copied().map(Some).collect()),
    }
}

/// Whether the genes to give are the model's.
pub(super) fn check_genes(vae: &Vae<Cpu<f32>>, genes: Option<&[u32]>) -> Result<(), TaskError> {
    let n_genes = vae.spec().config().n_input;
    match genes.unwrap_or_default().iter().find(|&&gene| gene as usize >= n_genes) {
        Some(&found) => Err(TaskError::Gene { found, n_genes }),
        None if genes.is_some_and(<[u32]>::is_empty) => Err(TaskError::NoGenes),
        None => Ok(()),
    }
}

/// Makes sure that a pass can go over the cells.
pub(super) fn check_cells(vae: &Vae<Cpu<f32>>, cells: Cells) -> Result<(), TaskError> {
    cells.data.check_fits(vae.spec())?;
    if vae.minified_data_type().is_some() && !cells.data.has_posterior() {
        return Err(Misfit::Missing { what: "stored posteriors" }.into());
    }
    cells.check()
}
