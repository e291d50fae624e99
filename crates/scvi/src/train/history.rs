//! What training recorded, under scvi-tools' keys.

use serde::{Deserialize, Serialize};

use super::optimizer::Optimizer;
use crate::module::LossSums;

/// Means over the cells of an epoch, or of a minibatch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossTerms {
    /// reconstruction_loss + kl_weight · kl_local.
    pub loss: f64,
    /// Negative ELBO: reconstruction_loss + kl_local; lower is better.
    pub elbo: f64,
    /// -ln p(x | z).
    pub reconstruction_loss: f64,
    /// KL(q(z|x) ‖ p(z)).
    pub kl_local: f64,
}

/// Loss terms summed over the minibatches of an epoch that are done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochSums {
    /// -Σ ln p(x | z).
    pub reconstruction_loss: f64,
    /// Σ KL, of z and of an inferred library.
    pub kl_local: f64,
    /// The loss, each minibatch with the KL's weight of its step.
    pub loss: f64,
}

impl EpochSums {
    pub(super) fn add(&mut self, terms: LossSums, kl_weight: f64) {
        self.reconstruction_loss += terms.reconstruction_loss;
        self.kl_local += terms.kl_local();
        self.loss += terms.loss(kl_weight);
    }

    /// Of one minibatch.
    pub(super) fn of(terms: LossSums, kl_weight: f64) -> Self {
        let mut sums = Self::default();
        sums.add(terms, kl_weight);
        sums
    }

    /// Means over `n` cells.
    pub(super) fn mean(&self, n: usize) -> LossTerms {
        let n = n as f64;
        LossTerms {
            loss: self.loss / n,
            elbo: (self.reconstruction_loss + self.kl_local) / n,
            reconstruction_loss: self.reconstruction_loss / n,
            kl_local: self.kl_local / n,
        }
    }
}

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// Number of the epoch, from 0.
    pub epoch: usize,
    /// Weight of the KL at its end.
    pub kl_weight: f64,
    /// The optimiser's step length in it, where the plan monitors that.
    pub lr: Option<f64>,
    /// Over the training cells, while the weights moved and with dropout.
    pub train: LossTerms,
    /// Over the validation cells, where this epoch validated.
    pub validation: Option<LossTerms>,
}

/// One minibatch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinibatchRecord {
    /// Number of its epoch, from 0.
    pub epoch: usize,
    /// Steps of the optimiser until now, with this one where it is one.
    pub step: u64,
    /// Whether it was validated on, and not trained on.
    pub is_validation: bool,
    /// Its cells.
    pub n_cells: usize,
    /// Weight of the KL.
    pub kl_weight: f64,
    /// The optimiser's step length.
    pub lr: f64,
    /// Means over its cells; before the step, where it is trained on.
    pub terms: LossTerms,
}

/// All epochs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The optimiser, by which the column of step lengths is named.
    pub optimizer: Optimizer,
    /// One record an epoch, in order.
    pub epochs: Vec<EpochRecord>,
}

impl History {
    /// Names of the columns of every run, as scvi-tools' `model.history` has them.
    pub const COLUMNS: [&'static str; 12] = [
        "epoch",
        "kl_weight",
        "train_loss",
        "elbo_train",
        "reconstruction_loss_train",
        "kl_local_train",
        "kl_global_train",
        "validation_loss",
        "elbo_validation",
        "reconstruction_loss_validation",
        "kl_local_validation",
        "kl_global_validation",
    ];

    /// Names of this run's columns: where the step length was monitored, `lr-Adam` or `lr-AdamW`
    /// comes last.
    pub fn columns(&self) -> Vec<&'static str> {
        let lr = self.monitors_lr().then(|| self.optimizer.lr_key());
        Self::COLUMNS.into_iter().chain(lr).collect()
    }

    /// One row an epoch, a number for each of [`History::columns`]; `None` where it did not
    /// validate.
    pub fn rows(&self) -> impl Iterator<Item = Vec<Option<f64>>> {
        let monitors_lr = self.monitors_lr();
        self.epochs.iter().map(move |e| {
            let mut row = vec![Some(e.epoch as f64), Some(e.kl_weight)];
            row.extend(columns(Some(&e.train)));
            row.extend(columns(e.validation.as_ref()));
            row.extend(monitors_lr.then_some(e.lr));
            row
        })
    }

    fn monitors_lr(&self) -> bool {
        self.epochs.iter().any(|e| e.lr.is_some())
    }
}

fn columns(terms: Option<&LossTerms>) -> [Option<f64>; 5] {
    // scVI has no global latent variable: kl_global is always 0, and scvi-tools logs it.
    terms.map_or([None; 5], |t| [t.loss, t.elbo, t.reconstruction_loss, t.kl_local, 0.0].map(Some))
}
