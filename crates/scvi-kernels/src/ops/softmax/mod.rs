//! The logistic-normal latent space: from a normal draw to shares that sum to 1.
//!
//! u, z: `(cells, latent)`; z_l = e^u_l / Σ_k e^u_k over a cell's dimensions.
//! Gradient: du = z (dz - Σ_k z_k dz_k).
//!
//! scvi-tools 1.4.2, `nn/_base_components.py` (`Encoder`, distribution "ln").

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;
