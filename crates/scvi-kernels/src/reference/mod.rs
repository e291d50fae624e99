//! Every operation as plain loops: what each is, and what other backends are tested against.
//!
//! Matrices are row-major, as torch has them: activations and whatever has a number a cell and gene
//! are `(cells, features)` and `(cells, genes)`, the heads' weights `(genes, hidden)`. Weights of
//! hidden layers are `(inputs, outputs)`, as for every backend. Nothing is padded, blocked or run on
//! several threads.
//!
//! A result is computed from its formula in double precision and rounded once, where it is stored.

#![allow(clippy::needless_range_loop, reason = "indices stand as in the formulas")]

mod activation;
mod batch_norm;
mod device;
mod embedding;
mod gamma;
mod heads;
mod labels;
mod latent;
mod layer_norm;
mod leaf_norm;
mod linear;
mod noise;
mod norm;
mod optimizer;
mod sink;

use std::marker::PhantomData;

pub use device::DenseCounts;
pub use heads::{ReferenceHead, ReferenceSamples};

use crate::real::Real;

/// Runs operations as plain loops, in numbers of type `F`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reference<F = f64>(PhantomData<F>);

impl<F> Reference<F> {
    /// The reference.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// The numbers in double precision.
fn wide<F: Real>(values: &[F]) -> Vec<f64> {
    values.iter().map(|v| v.to_f64()).collect()
}

/// Rounds each number to where it is stored.
fn store<F: Real>(values: &[f64], to: &mut [F]) {
    to.iter_mut().zip(values).for_each(|(to, &v)| *to = F::of(v));
}
