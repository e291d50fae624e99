//! Log densities of normal distributions with diagonal covariance, several for each row.
//!
//! x: `(rows, width)`; means m and variances v: `(rows, times, width)`;
//! `log_prob_rk = ln N(x_r; m_rk, v_rk) = -½ Σ_l (ln(2π v) + (x - m)²/v)`: `(rows, times)`.
//! With g the gradient of a log density: dm = g (x - m)/v, dv = ½ g ((x - m)²/v - 1)/v,
//! dx += -Σ_k g (x - m)/v.
//!
//! scvi-tools 1.4.2, `module/_scanvae.py` (`loss`: q(z1|x) and p(z1|z2, y)).

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;

use crate::backend::Device;

/// Inputs and output of [`crate::LabelOps::normal_log_prob`].
pub struct NormalLogProb<'a, B: Device + ?Sized> {
    /// x: `(rows, width)`.
    pub x: &'a B::Buf,
    /// m: `(rows, times, width)`.
    pub mean: &'a B::Buf,
    /// v, positive: `(rows, times, width)`.
    pub var: &'a B::Buf,
    /// ln N(x; m, v): `(rows, times)`.
    pub log_prob: &'a mut B::Buf,
}

/// Inputs and outputs of [`crate::LabelOps::normal_log_prob_grad`].
pub struct NormalLogProbGrad<'a, B: Device + ?Sized> {
    /// x: `(rows, width)`.
    pub x: &'a B::Buf,
    /// m: `(rows, times, width)`.
    pub mean: &'a B::Buf,
    /// v: `(rows, times, width)`.
    pub var: &'a B::Buf,
    /// Gradient of every log density.
    pub weight: B::Elem,
    /// Factor of `weight` for each of them, `(rows, times)`; 1 without.
    pub factors: Option<&'a B::Buf>,
    /// dx, added to what is there: `(rows, width)`.
    pub dx: &'a mut B::Buf,
    /// dm: `(rows, times, width)`.
    pub d_mean: &'a mut B::Buf,
    /// dv: `(rows, times, width)`.
    pub d_var: &'a mut B::Buf,
}
