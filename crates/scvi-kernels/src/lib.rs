//! The numerics of scVI, and nothing of its model.
//!
//! [`Backend`] names every operation a training step or an inference pass is made of, a trait for
//! each family. [`Reference`] is each operation as plain loops; [`Cpu`] is what programs use. There
//! no operation of a step allocates, reads a value back, or branches on one; work is split over genes
//! or cells in a partition that depends on shapes alone and reductions run in a fixed order, so that
//! results are bit-identical for any number of threads.
//!
//! Layouts, everywhere in this crate (row-major):
//! - activations are `(cells, features)`;
//! - weights of hidden layers are `(inputs, outputs)`: a sparse or one-hot input is then a sum of
//!   contiguous rows;
//! - weights of the decoder's heads are `(genes, hidden)`, in an order of the device's own
//!   ([`HeadOps::pack_head_weight`]); on the processor whatever has a value per cell and gene is
//!   gene-major, `(genes, cells padded to LANES)`: a block of genes is contiguous, its dispersion is
//!   a scalar, and vector lanes run over cells.

mod aligned;
mod backend;
mod counts;
mod cpu;
mod linalg;
pub mod ops;
mod real;
mod reference;
mod rng;
mod simd;
#[cfg(test)]
mod testing;

pub use aligned::Aligned;
pub use backend::{
    AdamIo, AdamStep, Backend, BatchNormEval, BatchNormKept, BatchNormState, Device, GradSink,
    HeadOps, LabelOps, LatentOps, LayerNormKept, LeafNormOps, LinearOps, NoiseKey, NoiseOps,
    NormOps, NormalPrior, OptimizerOps, PosteriorGradIo, PosteriorIo, StoredPosteriorIo,
};
pub use counts::{CountsBatch, CsrRows};
pub use cpu::Cpu;
pub use real::{NbDeviance, Real, Saturated, poisson_deviance};
pub use reference::{DenseCounts, Reference, ReferenceHead, ReferenceSamples};
pub use rng::{Philox, Stream};
pub use simd::instruction_set;

/// Cells per gene row are padded to a multiple of this, so that no vector loop has a remainder.
pub const LANES: usize = 16;

/// Bytes; a vector across the end of one takes twice as long to load.
const CACHE_LINE: usize = 64;

/// `n` rounded up to a multiple of [`LANES`].
pub const fn padded(n: usize) -> usize {
    n.div_ceil(LANES) * LANES
}
