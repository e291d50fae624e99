//! The operations a step is made of, for whichever device runs them: a trait for each family.

mod device;
mod heads;
mod labels;
mod latent;
mod leaf_norm;
mod linear;
mod noise;
mod norm;
mod optimizer;

pub use device::Device;
pub use heads::HeadOps;
pub use labels::LabelOps;
pub use latent::{LatentOps, NormalPrior, PosteriorGradIo, PosteriorIo, StoredPosteriorIo};
pub use leaf_norm::LeafNormOps;
pub use linear::LinearOps;
pub use noise::{NoiseKey, NoiseOps};
pub use norm::{BatchNormEval, BatchNormKept, BatchNormState, LayerNormKept, NormOps};
pub use optimizer::{AdamIo, AdamStep, GradSink, OptimizerOps};

/// A device that runs scVI's operations.
///
/// Formulas and shapes stand with each operation in [`crate::ops`], and as plain loops in
/// [`crate::Reference`], which every backend is tested against.
///
/// Buffers are made once; no operation of a step allocates after its first call at a size (but for
/// what the matrix product library needs a call, on the processor), reads a value back to the host
/// or branches on one, so that a whole step can be captured as a graph. Buffers may be longer than a
/// call needs: a minibatch uses the front.
pub trait Backend:
    Device
    + OptimizerOps
    + NoiseOps
    + LinearOps
    + NormOps
    + LeafNormOps
    + LatentOps
    + LabelOps
    + HeadOps
{
}

impl<B> Backend for B where
    B: Device
        + OptimizerOps
        + NoiseOps
        + LinearOps
        + NormOps
        + LeafNormOps
        + LatentOps
        + LabelOps
        + HeadOps
{
}
