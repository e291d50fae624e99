//! `dispersion`.

use serde::{Deserialize, Serialize};

use super::Choice;

/// How the dispersion px_r varies, θ = exp(px_r).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dispersion {
    /// One value a gene.
    #[default]
    Gene,
    /// One value a gene and batch.
    GeneBatch,
    /// One value a gene and label.
    GeneLabel,
    /// One value a gene and cell, from the decoder.
    GeneCell,
}

impl Choice for Dispersion {
    const OPTION: &'static str = "dispersion";
    const ALL: &'static [(&'static str, Self)] = &[
        ("gene", Self::Gene),
        ("gene-batch", Self::GeneBatch),
        ("gene-label", Self::GeneLabel),
        ("gene-cell", Self::GeneCell),
    ];
}
