//! The classes of scvi-tools that models correspond to.

use crate::saved_model::ModelMeta;
use crate::scvi_tools::{SaveError, ScviToolsSave};

/// A class of `scvi.model`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ModelClass {
    Scvi,
    LinearScvi,
    Scanvi,
}

impl ModelClass {
    const ALL: [Self; 3] = [Self::Scvi, Self::LinearScvi, Self::Scanvi];

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Scvi => "SCVI",
            Self::LinearScvi => "LinearSCVI",
            Self::Scanvi => "SCANVI",
        }
    }

    /// The class of a model of ours.
    pub(super) fn of_model(meta: &ModelMeta) -> Self {
        match (&meta.scanvi, meta.config.linear_decoder) {
            (Some(_), _) => Self::Scanvi,
            (None, true) => Self::LinearScvi,
            (None, false) => Self::Scvi,
        }
    }

    /// The class that a save says to be of.
    ///
    /// # Errors
    /// [`SaveError::Structure`] for a class that this program has not.
    pub(super) fn of_save(save: &ScviToolsSave) -> Result<Self, SaveError> {
        let Some(name) = save.model_class() else {
            // Not written before scvi-tools 0.15.
            let has = |part: &str| save.state_dict.keys().any(|name| name.starts_with(part));
            return Ok(match (has("decoder.factor_regressor"), has("encoder_z2_z1.")) {
                (true, _) => Self::LinearScvi,
                (_, true) => Self::Scanvi,
                _ => Self::Scvi,
            });
        };
        Self::ALL.into_iter().find(|class| class.name() == name).ok_or_else(|| {
            SaveError::Structure {
                place: "registry_['model_name']".into(),
                expected: "SCVI, LinearSCVI or SCANVI".into(),
                found: format!("'{}'", name.escape_debug()),
            }
        })
    }

    pub(super) fn is_linear(self) -> bool {
        self == Self::LinearScvi
    }
}

/// The name of the class that a model corresponds to.
pub(crate) fn class_name(meta: &ModelMeta) -> &'static str {
    ModelClass::of_model(meta).name()
}
