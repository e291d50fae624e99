//! From the encoder's outputs to z, and its divergence from the prior.

use super::Device;
use crate::ops::posterior::VarActivation;

/// A normal prior, each `(cells, latent)`.
pub struct NormalPrior<'a, B: Device + ?Sized> {
    /// p_m.
    pub mean: &'a B::Buf,
    /// p_v, positive.
    pub var: &'a B::Buf,
}

/// Inputs and outputs of [`LatentOps::posterior`], each `(cells, latent)` but `kl`.
pub struct PosteriorIo<'a, B: Device + ?Sized> {
    /// q_m, the mean.
    pub mean: &'a B::Buf,
    /// s, the variance encoder's output.
    pub raw: &'a B::Buf,
    /// f in q_v = f(s) + var_eps.
    pub var_activation: &'a VarActivation<B::Elem>,
    /// Added to the variance.
    pub var_eps: f64,
    /// What the KL divergence is taken from; `None` is N(0, 1).
    pub prior: Option<NormalPrior<'a, B>>,
    /// Standard normal noise; `None` puts z at the mean.
    pub noise: Option<&'a B::Buf>,
    /// q_v.
    pub var: &'a mut B::Buf,
    /// z = q_m + √q_v ε.
    pub z: &'a mut B::Buf,
    /// KL(N(q_m, q_v) ‖ prior) of each cell: `(cells)`.
    pub kl: &'a mut B::Buf,
}

/// Inputs and outputs of [`LatentOps::stored_posterior`], each `(cells, latent)` but `kl`.
pub struct StoredPosteriorIo<'a, B: Device + ?Sized> {
    /// q_m, the mean.
    pub mean: &'a B::Buf,
    /// q_v.
    pub var: &'a B::Buf,
    /// Standard normal noise; `None` puts z at the mean.
    pub noise: Option<&'a B::Buf>,
    /// z = q_m + √q_v ε.
    pub z: &'a mut B::Buf,
    /// KL(N(q_m, q_v) ‖ N(0, 1)) of each cell: `(cells)`.
    pub kl: &'a mut B::Buf,
}

/// Inputs and outputs of [`LatentOps::posterior_grad`], each `(cells, latent)`.
pub struct PosteriorGradIo<'a, B: Device + ?Sized> {
    /// q_m.
    pub mean: &'a B::Buf,
    /// s.
    pub raw: &'a B::Buf,
    /// q_v.
    pub var: &'a B::Buf,
    /// f in q_v = f(s) + var_eps.
    pub var_activation: &'a VarActivation<B::Elem>,
    /// The forward pass's prior.
    pub prior: Option<NormalPrior<'a, B>>,
    /// The noise z was drawn with.
    pub noise: &'a B::Buf,
    /// dL/dKL of each cell: kl_weight / cells.
    pub kl_weight: B::Elem,
    /// Factor of `kl_weight` for each cell, `(cells)`; 1 without.
    pub kl_factors: Option<&'a B::Buf>,
    /// dL/dq_m and dL/dq_v that do not come through z or the KL; 0 without.
    pub direct: [Option<&'a B::Buf>; 2],
    /// dL/dz in; dL/dq_m out.
    pub dz: &'a mut B::Buf,
    /// dL/ds out.
    pub d_raw: &'a mut B::Buf,
}

/// The latent space.
pub trait LatentOps: Device {
    /// q_v, z and KL from the encoder's two outputs. See [`crate::ops::posterior`].
    fn posterior(&self, io: PosteriorIo<Self>, dims: [usize; 2]);
    /// z and KL from a posterior that was stored. See [`crate::ops::posterior`].
    fn stored_posterior(&self, io: StoredPosteriorIo<Self>, dims: [usize; 2]);
    /// Gradients of z and of the weighted KL. See [`crate::ops::posterior`].
    fn posterior_grad(&self, io: PosteriorGradIo<Self>, dims: [usize; 2]);

    /// z = softmax(u) of each cell: `(cells, latent)`. See [`crate::ops::softmax`].
    fn softmax(&self, u: &Self::Buf, z: &mut Self::Buf, dims: [usize; 2]);
    /// Gradient of [`LatentOps::softmax`]; `dz` becomes du. See [`crate::ops::softmax`].
    fn softmax_grad(&self, z: &Self::Buf, dz: &mut Self::Buf, dims: [usize; 2]);
}
