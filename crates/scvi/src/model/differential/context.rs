//! What the steps of a comparison have in common.

use scvi_kernels::Backend;

use super::draws::Populations;
use super::options::DifferentialOptions;
use crate::data::Dataset;
use crate::module::Vae;

/// What every step needs to know.
pub(super) struct Context<'a, B: Backend> {
    pub(super) vae: &'a Vae<B>,
    pub(super) data: &'a Dataset<'a>,
    pub(super) populations: &'a Populations<'a>,
    pub(super) options: &'a DifferentialOptions,
}

/// z of the samples of one source, where it is wanted: `(samples, n_latent)` each.
#[derive(Default)]
pub(super) struct Latent {
    pub(super) z: Vec<f32>,
    pub(super) untransformed: Vec<f32>,
}
