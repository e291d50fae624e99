//! Gradient clipping, by the norm of all gradients together or number by number.
//!
//! ```text
//! norm:  ‖g‖ = √(Σ over parameters of Σ g²)      g ← g · min(1, max_norm / (‖g‖ + 1e-6))
//! value:                                         g ← min(max(g, -limit), limit)
//! ```
//! The norm stays on the device: one operation adds a parameter's sum of squares to the others', and
//! a second scales by what they came to.
//!
//! Source: torch 2.15, `nn/utils/clip_grad.py`; Lightning 2.6, `Trainer(gradient_clip_val)`.

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::{clip_by_norm_cpu, clip_by_value_cpu, sum_of_squares_cpu};
