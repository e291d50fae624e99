//! Options with a fixed set of values, each under scvi-tools' own word for it.

mod activation;
mod batch_representation;
mod dispersion;
mod gene_likelihood;
mod latent_distribution;
mod norm_placement;
mod var_activation;

use thiserror::Error;

pub use activation::Activation;
pub use batch_representation::BatchRepresentation;
pub use dispersion::Dispersion;
pub use gene_likelihood::GeneLikelihood;
pub use latent_distribution::LatentDistribution;
pub use norm_placement::NormPlacement;
pub use var_activation::VarActivation;

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
        Self::from_name_of(Self::OPTION, name)
    }

    /// The value of that name, for an option that shares its choices with another.
    ///
    /// # Errors
    /// [`UnknownChoice`] lists the names there are.
    fn from_name_of(option: &'static str, name: &str) -> Result<Self, UnknownChoice> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|&(_, value)| value).ok_or_else(|| UnknownChoice {
            option,
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

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[test]
    fn a_misspelt_value_lists_the_choices() {
        let error = GeneLikelihood::from_name("znib").unwrap_err().to_string();
        assert_eq!(
            error,
            "gene_likelihood: unknown value \"znib\"; choose one of zinb, nb, poisson, normal"
        );
        assert_eq!(Dispersion::from_name("gene-batch"), Ok(Dispersion::GeneBatch));
        assert_eq!(NormPlacement::None.name(), "none");
        let error = NormPlacement::from_name_of("use_layer_norm", "all").unwrap_err().to_string();
        assert!(error.starts_with("use_layer_norm: unknown value"), "{error}");
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
        check::<LatentDistribution>();
        check::<BatchRepresentation>();
        check::<VarActivation>();
        check::<Activation>();
    }
}
