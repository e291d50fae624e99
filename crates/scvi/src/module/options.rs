//! Options with a fixed set of values, each under scvi-tools' own word for it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An option with a fixed set of named values.
pub trait Choice: Copy + PartialEq + 'static {
    /// The option's name in scvi-tools.
    const OPTION: &'static str;
    /// Every value with its name, the default first.
    const ALL: &'static [(&'static str, Self)];

    /// The value of that name.
    ///
    /// # Errors
    /// [`UnknownChoice`] lists the names there are.
    fn from_name(name: &str) -> Result<Self, UnknownChoice> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|&(_, value)| value).ok_or_else(|| UnknownChoice {
            option: Self::OPTION,
            found: name.to_owned(),
            choices: Self::ALL.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", "),
        })
    }

    /// The name of this value.
    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, value)| *value == self).map_or("", |(name, _)| name)
    }
}

/// A misspelt value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{option}: unknown value {found:?}; choose one of {choices}")]
pub struct UnknownChoice {
    /// The option's name.
    pub option: &'static str,
    /// What came.
    pub found: String,
    /// What there is.
    pub choices: String,
}

/// How the dispersion px_r varies, θ = exp(px_r).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dispersion {
    /// One value a gene.
    #[default]
    Gene,
    /// One value a gene and batch.
    GeneBatch,
}

impl Choice for Dispersion {
    const OPTION: &'static str = "dispersion";
    const ALL: &'static [(&'static str, Self)] =
        &[("gene", Self::Gene), ("gene-batch", Self::GeneBatch)];
}

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
}

impl Choice for GeneLikelihood {
    const OPTION: &'static str = "gene_likelihood";
    const ALL: &'static [(&'static str, Self)] =
        &[("zinb", Self::Zinb), ("nb", Self::Nb), ("poisson", Self::Poisson)];
}

impl From<GeneLikelihood> for scvi_kernels::ops::count_head::GeneLikelihood {
    fn from(likelihood: GeneLikelihood) -> Self {
        match likelihood {
            GeneLikelihood::Zinb => Self::Zinb,
            GeneLikelihood::Nb => Self::Nb,
            GeneLikelihood::Poisson => Self::Poisson,
        }
    }
}

/// Which networks a normalisation is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormPlacement {
    /// Encoder and decoder.
    #[default]
    Both,
    /// The encoder alone.
    Encoder,
    /// The decoder alone.
    Decoder,
    /// Nowhere.
    None,
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

impl Choice for NormPlacement {
    const OPTION: &'static str = "use_batch_norm";
    const ALL: &'static [(&'static str, Self)] = &[
        ("both", Self::Both),
        ("encoder", Self::Encoder),
        ("decoder", Self::Decoder),
        ("none", Self::None),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_value_lists_the_choices() {
        let error = GeneLikelihood::from_name("znib").unwrap_err().to_string();
        assert_eq!(
            error,
            "gene_likelihood: unknown value \"znib\"; choose one of zinb, nb, poisson"
        );
        assert_eq!(Dispersion::from_name("gene-batch"), Ok(Dispersion::GeneBatch));
        assert_eq!(NormPlacement::None.name(), "none");
    }

    #[test]
    fn the_first_choice_is_the_default_and_serde_agrees_on_names() {
        fn check<C: Choice + Default + Serialize + std::fmt::Debug>() {
            assert_eq!(C::ALL[0].1, C::default());
            for (name, value) in C::ALL {
                assert_eq!(serde_json::to_value(value).unwrap(), **name);
            }
        }
        check::<Dispersion>();
        check::<GeneLikelihood>();
        check::<NormPlacement>();
    }
}
