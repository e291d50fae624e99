//! The processor as a [`crate::Backend`]: each family's operations, in the slices that the kernels
//! of [`crate::ops`] take.

mod device;
mod heads;
mod labels;
mod latent;
mod leaf_norm;
mod linear;
mod noise;
mod norm;
mod optimizer;

use std::marker::PhantomData;

/// Runs operations on the processor, in numbers of type `F`.
///
/// Work goes to the rayon pool that the caller is in; the instruction set is chosen at run time.
/// Results do not depend on the pool's size.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu<F = f32>(PhantomData<F>);

impl<F> Cpu<F> {
    /// The processor.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}
