//! The posterior q(z|x) = N(q_m, q_v), its reparameterised draw and its divergence from a prior.
//!
//! With s the variance encoder's output and f the [`VarActivation`]: q_v = f(s) + var_eps,
//! z = q_m + √q_v ε, and against a prior N(p_m, p_v), N(0, 1) for z:
//! KL = ½ Σ_l (q_v/p_v + (q_m - p_m)²/p_v - 1 - ln(q_v/p_v)).
//! A stored posterior has q_m and q_v, and no encoder behind it.
//! Gradients with KL weighted by w: dq_m = dz + w (q_m - p_m)/p_v,
//! ds = f'(s) (½ dz ε/√q_v + ½ w (1/p_v - 1/q_v)). Where the loss also has terms in q_m and q_v
//! themselves (`direct`), their gradients join those in the brackets.
//!
//! Kingma and Welling 2014; scvi-tools 1.4.2, `nn/_base_components.py` (`Encoder`),
//! `module/_vae.py` (`loss`; the library size's prior is that of the cell's batch).

mod cpu;
#[cfg(test)]
mod tests;
mod var_activation;

pub(crate) use cpu::*;
pub use var_activation::{Pointwise, VarActivation};
