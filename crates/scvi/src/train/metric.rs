//! What early stopping and the learning rate go by.

use serde::{Deserialize, Serialize};

use super::history::{EpochRecord, LossTerms};
use crate::module::Choice;

/// A quantity of an epoch, by scvi-tools' key of `model.history`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Negative ELBO of the validation cells.
    #[default]
    ElboValidation,
    /// Their -ln p(x | z).
    ReconstructionLossValidation,
    /// Their KL(q(z|x) ‖ p(z)).
    KlLocalValidation,
    /// Their loss, in which the KL has its weight.
    ValidationLoss,
    /// Negative ELBO of the training cells, while the weights moved.
    ElboTrain,
    /// Their -ln p(x | z).
    ReconstructionLossTrain,
    /// Their KL(q(z|x) ‖ p(z)).
    KlLocalTrain,
    /// Their loss, in which the KL has its weight.
    TrainLoss,
}

impl Choice for Metric {
    const OPTION: &'static str = "early_stopping_monitor";
    const ALL: &'static [(&'static str, Self)] = &[
        ("elbo_validation", Self::ElboValidation),
        ("reconstruction_loss_validation", Self::ReconstructionLossValidation),
        ("kl_local_validation", Self::KlLocalValidation),
        ("validation_loss", Self::ValidationLoss),
        ("elbo_train", Self::ElboTrain),
        ("reconstruction_loss_train", Self::ReconstructionLossTrain),
        ("kl_local_train", Self::KlLocalTrain),
        ("train_loss", Self::TrainLoss),
    ];
}

impl Metric {
    /// Whether it is of the validation cells.
    pub fn needs_validation(self) -> bool {
        use Metric::{
            ElboValidation, KlLocalValidation, ReconstructionLossValidation, ValidationLoss,
        };
        matches!(
            self,
            ElboValidation | ReconstructionLossValidation | KlLocalValidation | ValidationLoss
        )
    }

    /// Its value; none where the epoch did not validate and it is of the validation cells.
    pub fn of(self, record: &EpochRecord) -> Option<f64> {
        let terms: &LossTerms = match self.needs_validation() {
            true => record.validation.as_ref()?,
            false => &record.train,
        };
        Some(match self {
            Self::ElboValidation | Self::ElboTrain => terms.elbo,
            Self::ReconstructionLossValidation | Self::ReconstructionLossTrain => {
                terms.reconstruction_loss
            }
            Self::KlLocalValidation | Self::KlLocalTrain => terms.kl_local,
            Self::ValidationLoss | Self::TrainLoss => terms.loss,
        })
    }
}
