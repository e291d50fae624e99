//! `latent_distribution`.

use serde::{Deserialize, Serialize};

use super::Choice;

/// Distribution of the latent variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatentDistribution {
    /// Normal: z = q_m + √q_v ε.
    #[default]
    Normal,
    /// Logistic normal: the softmax of a normal draw.
    Ln,
}

impl Choice for LatentDistribution {
    const OPTION: &'static str = "latent_distribution";
    const ALL: &'static [(&'static str, Self)] = &[("normal", Self::Normal), ("ln", Self::Ln)];
}
