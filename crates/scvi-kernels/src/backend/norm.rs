//! Normalisation and activation of hidden layers.

use super::{Device, GradSink};
use crate::ops::activation::Activation;

/// Parameters, running moments and kept values of a training-mode batch normalisation.
pub struct BatchNormState<'a, B: Device + ?Sized> {
    /// γ: `(features)`.
    pub gamma: &'a B::Buf,
    /// β: `(features)`.
    pub beta: &'a B::Buf,
    /// Running mean, updated: `(features)`.
    pub running_mean: &'a mut B::Buf,
    /// Running unbiased variance, updated: `(features)`.
    pub running_var: &'a mut B::Buf,
    /// Weight of the minibatch in the running moments.
    pub momentum: f64,
    /// Added to the variance.
    pub eps: f64,
    /// Kept for the gradient: x̂, `(cells, features)`.
    pub normalised: &'a mut B::Buf,
    /// Kept for the gradient: 1/√(var + eps), `(features)`.
    pub inv_std: &'a mut B::Buf,
}

/// What evaluation-mode batch normalisation reads.
pub struct BatchNormEval<'a, B: Device + ?Sized> {
    /// γ: `(features)`.
    pub gamma: &'a B::Buf,
    /// β: `(features)`.
    pub beta: &'a B::Buf,
    /// Running mean: `(features)`.
    pub running_mean: &'a B::Buf,
    /// Running variance: `(features)`.
    pub running_var: &'a B::Buf,
    /// Added to the variance.
    pub eps: f64,
}

/// What a training-mode batch normalisation kept for its gradient.
pub struct BatchNormKept<'a, B: Device + ?Sized> {
    /// x̂: `(cells, features)`.
    pub normalised: &'a B::Buf,
    /// 1/√(var + eps): `(features)`.
    pub inv_std: &'a B::Buf,
}

/// What [`NormOps::layer_norm`] kept for its gradient.
pub struct LayerNormKept<'a, B: Device + ?Sized> {
    /// x̂: `(cells, features)`.
    pub normalised: &'a B::Buf,
    /// 1/√(var + eps): `(cells)`.
    pub inv_std: &'a B::Buf,
}

/// What follows the linear part of a hidden layer.
pub trait NormOps: Device {
    /// Batch normalisation by the minibatch's moments. See [`crate::ops::batch_norm`].
    fn batch_norm_train(&self, state: BatchNormState<Self>, dims: [usize; 2], x: &mut Self::Buf);
    /// Batch normalisation by the running moments, in place. See [`crate::ops::batch_norm`].
    fn batch_norm_eval(&self, affine: BatchNormEval<Self>, dims: [usize; 2], x: &mut Self::Buf);
    /// Gradients of [`NormOps::batch_norm_train`]; `dy` becomes dx. See [`crate::ops::batch_norm`].
    fn batch_norm_grad(
        &self,
        kept: BatchNormKept<Self>,
        dims: [usize; 2],
        dy: &mut Self::Buf,
        gamma: GradSink<Self>,
        beta: GradSink<Self>,
    );
    /// Layer normalisation of each cell, in place; keeps x̂, `(cells, features)`, and 1/σ,
    /// `(cells)`. See [`crate::ops::layer_norm`].
    fn layer_norm(
        &self,
        x: &mut Self::Buf,
        dims: [usize; 2],
        normalised: &mut Self::Buf,
        inv_std: &mut Self::Buf,
    );
    /// Gradient of [`NormOps::layer_norm`]; `dy` becomes dx. See [`crate::ops::layer_norm`].
    fn layer_norm_grad(&self, kept: LayerNormKept<Self>, dims: [usize; 2], dy: &mut Self::Buf);

    /// x = f(x), times the dropout factors where given; keeps the derivative of both in `gate`.
    /// See [`crate::ops::activation`].
    fn activate(
        &self,
        x: &mut Self::Buf,
        activation: Activation,
        dropout: Option<&Self::Buf>,
        gate: &mut Self::Buf,
        len: usize,
    );
    /// dy *= gate. See [`crate::ops::activation`].
    fn gate_grad(&self, dy: &mut Self::Buf, gate: &Self::Buf, len: usize);
}
