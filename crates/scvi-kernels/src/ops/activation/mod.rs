//! Activation and dropout in one pass.
//!
//! y = f(x) · m with m the dropout factors, 0 or 1/(1-p) (1 without dropout).
//! Kept for the gradient: gate = f'(x) · m, so that dx = gate · dy. At a kink the derivative is the
//! one from the left, as in torch.
//!
//! Functions and constants are those of torch 2's modules with default arguments
//! (`torch/nn/modules/activation.py`).

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;

/// What a hidden layer applies to its output, number by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x, times 0.01 where it is not positive.
    LeakyRelu,
    /// x where it is positive, eˣ - 1 elsewhere.
    Elu,
    /// x Φ(x), Φ the normal distribution (Hendrycks and Gimpel 2016; the exact form).
    Gelu,
    /// x / (1 + e⁻ˣ).
    Silu,
    /// tanh x.
    Tanh,
    /// ln(1 + eˣ); x above 20.
    Softplus,
    /// x.
    Identity,
}
