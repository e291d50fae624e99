//! `activation_fn`.

use serde::{Deserialize, Serialize};

use super::Choice;

/// Activation function of hidden layers: torch's modules with their default arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(x, 0).
    #[default]
    Relu,
    /// x above 0, 0.01 x below.
    LeakyRelu,
    /// x above 0, eˣ - 1 below.
    Elu,
    /// x Φ(x), with the normal distribution function.
    Gelu,
    /// x σ(x).
    Silu,
    /// tanh x.
    Tanh,
    /// ln(1 + eˣ).
    Softplus,
    /// x.
    Identity,
}

impl Choice for Activation {
    const OPTION: &'static str = "activation_fn";
    const ALL: &'static [(&'static str, Self)] = &[
        ("relu", Self::Relu),
        ("leaky_relu", Self::LeakyRelu),
        ("elu", Self::Elu),
        ("gelu", Self::Gelu),
        ("silu", Self::Silu),
        ("tanh", Self::Tanh),
        ("softplus", Self::Softplus),
        ("identity", Self::Identity),
    ];
}

impl From<Activation> for scvi_kernels::ops::activation::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Relu => Self::Relu,
            Activation::LeakyRelu => Self::LeakyRelu,
            Activation::Elu => Self::Elu,
            Activation::Gelu => Self::Gelu,
            Activation::Silu => Self::Silu,
            Activation::Tanh => Self::Tanh,
            Activation::Softplus => Self::Softplus,
            Activation::Identity => Self::Identity,
        }
    }
}
