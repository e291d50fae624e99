//! `batch_representation`.

use serde::{Deserialize, Serialize};

use super::Choice;

/// How the batch enters the networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchRepresentation {
    /// One column a batch, beside those of the categorical covariates.
    #[default]
    OneHot,
    /// A learned vector per batch, beside the continuous covariates.
    Embedding,
}

impl Choice for BatchRepresentation {
    const OPTION: &'static str = "batch_representation";
    const ALL: &'static [(&'static str, Self)] =
        &[("one-hot", Self::OneHot), ("embedding", Self::Embedding)];
}
