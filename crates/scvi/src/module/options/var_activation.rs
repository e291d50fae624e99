//! `var_activation`.

use serde::{Deserialize, Serialize};

use super::Choice;

/// What makes the posterior's variance positive: q_v = f(s) + var_eps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VarActivation {
    /// f(s) = eˢ.
    #[default]
    Exp,
    /// f(s) = ln(1 + eˢ).
    Softplus,
}

impl Choice for VarActivation {
    const OPTION: &'static str = "var_activation";
    const ALL: &'static [(&'static str, Self)] =
        &[("exp", Self::Exp), ("softplus", Self::Softplus)];
}

impl<F> From<VarActivation> for scvi_kernels::ops::posterior::VarActivation<F> {
    fn from(activation: VarActivation) -> Self {
        match activation {
            VarActivation::Exp => Self::Exp,
            VarActivation::Softplus => Self::Softplus,
        }
    }
}
