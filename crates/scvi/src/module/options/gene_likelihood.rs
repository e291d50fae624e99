//! `gene_likelihood`.

use serde::{Deserialize, Serialize};

use super::Choice;

/// Distribution of a count given the decoder's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GeneLikelihood {
    /// Zero-inflated negative binomial.
    #[default]
    Zinb,
    /// Negative binomial.
    Nb,
    /// Poisson.
    Poisson,
    /// Normal, with mean px_rate and standard deviation exp(px_r).
    Normal,
}

impl Choice for GeneLikelihood {
    const OPTION: &'static str = "gene_likelihood";
    const ALL: &'static [(&'static str, Self)] = &[
        ("zinb", Self::Zinb),
        ("nb", Self::Nb),
        ("poisson", Self::Poisson),
        ("normal", Self::Normal),
    ];
}

impl From<GeneLikelihood> for scvi_kernels::ops::count_head::GeneLikelihood {
    fn from(likelihood: GeneLikelihood) -> Self {
        match likelihood {
            GeneLikelihood::Zinb => Self::Zinb,
            GeneLikelihood::Nb => Self::Nb,
            GeneLikelihood::Poisson => Self::Poisson,
            GeneLikelihood::Normal => Self::Normal,
        }
    }
}
