//! `use_batch_norm`.

use serde::{Deserialize, Serialize};

use super::Choice;

/// Which networks a normalisation is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormPlacement {
    /// Encoder and decoder.
    #[default]
    Both,
    /// Only the encoder.
    Encoder,
    /// Only the decoder.
    Decoder,
    /// Nowhere.
    None,
}

impl Choice for NormPlacement {
    const OPTION: &'static str = "use_batch_norm";
    const ALL: &'static [(&'static str, Self)] = &[
        ("both", Self::Both),
        ("encoder", Self::Encoder),
        ("decoder", Self::Decoder),
        ("none", Self::None),
    ];
}

impl NormPlacement {
    /// Whether the encoder has it.
    pub fn in_encoder(self) -> bool {
        matches!(self, Self::Both | Self::Encoder)
    }

    /// Whether the decoder has it.
    pub fn in_decoder(self) -> bool {
        matches!(self, Self::Both | Self::Decoder)
    }
}
