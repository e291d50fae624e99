//! The posterior q(z|x) = N(q_m, q_v), its reparameterised draw and its divergence from N(0, 1).
//!
//! With s the variance encoder's output: q_v = eˢ + var_eps, z = q_m + √q_v ε,
//! KL = ½ Σ_l (q_v + q_m² - 1 - ln q_v).
//! Gradients with KL weighted by w: dq_m = dz + w q_m,
//! ds = (q_v - var_eps) (½ dz ε/√q_v + ½ w (1 - 1/q_v)).
//!
//! Kingma and Welling 2014; scvi-tools 1.4.2, `nn/_base_components.py` (`Encoder`),
//! `module/_vae.py` (`loss`).

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;
