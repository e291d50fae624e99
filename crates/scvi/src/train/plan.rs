//! How to train: scvi-tools' `train` arguments and `TrainingPlan`.

use scvi_kernels::ops::adam::AdamRule;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::EarlyStopping;

/// Options of a training run.
///
/// | Name | Default | Purpose |
/// |---|---|---|
/// | `max_epochs` | [`default_max_epochs`] | passes over the training cells |
/// | `batch_size` | 128 | cells of a minibatch |
/// | `train_size` | 0.9 | share of cells to train on |
/// | `validation_size` | the rest | share of cells to validate on |
/// | `adam` | lr 1e-3, eps 0.01, weight decay 1e-6 | the optimiser |
/// | `n_epochs_kl_warmup` | 400 | epochs over which the KL's weight rises; beats steps |
/// | `n_steps_kl_warmup` | none | the same in steps |
/// | `min_kl_weight`, `max_kl_weight` | 0, 1 | where the weight starts and ends |
/// | `early_stopping` | none | when to stop before `max_epochs` |
/// | `check_val_every_n_epoch` | 1 with early stopping, else never | how often to validate |
/// | `seed` | 0 | of weights, split, order and noise |
///
/// Source: scvi-tools 1.4.2, `train/_trainingplans.py`, `model/base/_training_mixin.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainPlan {
    /// Passes over the training cells.
    pub max_epochs: Option<usize>,
    /// Cells of a minibatch.
    pub batch_size: usize,
    /// Share of cells to train on.
    pub train_size: f64,
    /// Share of cells to validate on.
    pub validation_size: Option<f64>,
    /// The optimiser.
    #[serde(with = "AdamFields")]
    pub adam: AdamRule,
    /// Epochs over which the KL's weight rises.
    pub n_epochs_kl_warmup: Option<usize>,
    /// Steps over which the KL's weight rises, without `n_epochs_kl_warmup`.
    pub n_steps_kl_warmup: Option<usize>,
    /// The KL's weight at the start.
    pub min_kl_weight: f64,
    /// The KL's weight after warm-up.
    pub max_kl_weight: f64,
    /// When to stop before `max_epochs`.
    pub early_stopping: Option<EarlyStopping>,
    /// How often to validate.
    pub check_val_every_n_epoch: Option<usize>,
    /// Of weights, split, order and noise.
    pub seed: u64,
}

/// The fields of [`AdamRule`], which is made where nothing is read or written.
#[derive(Serialize, Deserialize)]
#[serde(remote = "AdamRule", deny_unknown_fields)]
struct AdamFields {
    lr: f64,
    beta1: f64,
    beta2: f64,
    eps: f64,
    weight_decay: f64,
}

impl Default for TrainPlan {
    fn default() -> Self {
        Self {
            max_epochs: None,
            batch_size: 128,
            train_size: 0.9,
            validation_size: None,
            adam: AdamRule::default(),
            n_epochs_kl_warmup: Some(400),
            n_steps_kl_warmup: None,
            min_kl_weight: 0.0,
            max_kl_weight: 1.0,
            early_stopping: None,
            check_val_every_n_epoch: None,
            seed: 0,
        }
    }
}

/// An option outside its range.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{option} is {found}; it must be {range}")]
pub struct PlanError {
    /// The option.
    pub option: &'static str,
    /// What came.
    pub found: String,
    /// What is allowed.
    pub range: &'static str,
}

/// Epochs for a data set of `n_cells`: round(20,000 / n_cells · 400), between 1 and 400.
///
/// Source: scvi-tools 1.4.2, `model/_utils.py`, `get_max_epochs_heuristic`.
pub fn default_max_epochs(n_cells: usize) -> usize {
    // Python rounds a half to the even neighbour.
    let epochs = (20_000.0 / n_cells as f64 * 400.0).round_ties_even();
    epochs.clamp(1.0, 400.0) as usize
}

impl TrainPlan {
    /// Checks every option.
    ///
    /// # Errors
    /// [`PlanError`] names the option, what came and what is allowed.
    pub fn validate(&self) -> Result<(), PlanError> {
        let fault = |option, found: &dyn ToString, range| {
            Err(PlanError { option, found: found.to_string(), range })
        };
        if self.batch_size < 3 {
            // With less, batch normalisation has hardly a variance to go by.
            return fault("batch_size", &self.batch_size, "3 or more");
        }
        if self.max_epochs == Some(0) {
            return fault("max_epochs", &0, "1 or more");
        }
        if self.check_val_every_n_epoch == Some(0) {
            return fault("check_val_every_n_epoch", &0, "1 or more");
        }
        let numbers = [
            ("lr", self.adam.lr, self.adam.lr > 0.0, "more than 0"),
            ("eps", self.adam.eps, self.adam.eps > 0.0, "more than 0"),
            ("weight_decay", self.adam.weight_decay, self.adam.weight_decay >= 0.0, "0 or more"),
            ("min_kl_weight", self.min_kl_weight, self.min_kl_weight >= 0.0, "0 or more"),
            (
                "max_kl_weight",
                self.max_kl_weight,
                self.max_kl_weight >= self.min_kl_weight,
                "at least min_kl_weight",
            ),
        ];
        for (option, found, legal, range) in numbers {
            if !(legal && found.is_finite()) {
                return fault(option, &found, range);
            }
        }
        Ok(())
    }

    /// The KL's weight in an epoch (from 0) and at a step (from 0).
    ///
    /// It rises in a line from `min_kl_weight` to `max_kl_weight` over the warm-up, and stays.
    pub fn kl_weight(&self, epoch: usize, step: u64) -> f64 {
        let slope = self.max_kl_weight - self.min_kl_weight;
        let rise = |at: f64, over: usize| {
            if over > 0 && at < over as f64 {
                at / over as f64 * slope + self.min_kl_weight
            } else {
                self.max_kl_weight
            }
        };
        match (self.n_epochs_kl_warmup, self.n_steps_kl_warmup) {
            (Some(epochs), _) => rise(epoch as f64, epochs),
            (None, Some(steps)) => rise(step as f64, steps),
            (None, None) => self.max_kl_weight,
        }
    }

    /// Epochs to run on a data set of `n_cells`.
    pub fn epochs(&self, n_cells: usize) -> usize {
        self.max_epochs.unwrap_or_else(|| default_max_epochs(n_cells))
    }

    /// Whether an epoch ends with a look at the validation cells.
    pub(super) fn validates(&self, epoch: usize) -> bool {
        let every = self.check_val_every_n_epoch.or(self.early_stopping.map(|_| 1));
        every.is_some_and(|n| (epoch + 1).is_multiple_of(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_follow_the_heuristic() {
        let of = |n| default_max_epochs(n);
        assert_eq!((of(2), of(2700), of(20_000), of(20_001)), (400, 400, 400, 400));
        assert_eq!((of(100_000), of(1_000_000), of(100_000_000)), (80, 8, 1));
    }

    #[test]
    fn the_kl_weight_rises_in_a_line_and_stays() {
        let plan = TrainPlan::default();
        assert_eq!((plan.kl_weight(0, 9), plan.kl_weight(100, 9)), (0.0, 0.25));
        assert_eq!((plan.kl_weight(400, 9), plan.kl_weight(1000, 9)), (1.0, 1.0));
        let plan = TrainPlan {
            n_epochs_kl_warmup: None,
            n_steps_kl_warmup: Some(10),
            min_kl_weight: 0.5,
            ..plan
        };
        assert_eq!((plan.kl_weight(7, 5), plan.kl_weight(0, 10)), (0.75, 1.0));
    }

    #[test]
    fn every_illegal_value_is_named() {
        let message = |plan: TrainPlan| plan.validate().unwrap_err().to_string();
        let plan = TrainPlan::default;
        assert!(message(TrainPlan { batch_size: 0, ..plan() }).contains("batch_size is 0"));
        assert!(message(TrainPlan { max_epochs: Some(0), ..plan() }).contains("max_epochs"));
        let adam = AdamRule { lr: f64::NAN, ..AdamRule::default() };
        assert!(message(TrainPlan { adam, ..plan() }).contains("lr is NaN"));
        assert!(message(TrainPlan { max_kl_weight: -1.0, ..plan() }).contains("max_kl_weight"));
    }
}
