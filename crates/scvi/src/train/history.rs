//! What training recorded, under scvi-tools' keys.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::optimizer::Optimizer;
use crate::module::Loss;

/// Means over the cells of an epoch, or of a minibatch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// What else the module measures, by its name: for each minibatch a number, which counts
    /// as often as the minibatch has cells.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
}

/// Loss terms summed over the minibatches of an epoch that are done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochSums {
    /// Cells of these minibatches.
    pub n_cells: usize,
    /// -Σ ln p(x | z).
    pub reconstruction_loss: f64,
    /// Σ KL, of z and of an inferred library.
    pub kl_local: f64,
    /// The loss, each minibatch with the KL's weight of its step.
    pub loss: f64,
    /// What else the module measures, by its name, times the minibatch's cells.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
}

impl EpochSums {
    pub(super) fn add(&mut self, loss: &Loss) {
        self.n_cells += loss.n_cells;
        self.reconstruction_loss += loss.reconstruction_loss();
        self.kl_local += loss.kl_local();
        self.loss += loss.sum();
        for &(name, value) in &loss.metrics {
            *self.metrics.entry(name.to_owned()).or_default() += value * loss.n_cells as f64;
        }
    }

    /// Of one minibatch.
    pub(super) fn of(loss: &Loss) -> Self {
        let mut sums = Self::default();
        sums.add(loss);
        sums
    }

    /// Means over the cells.
    pub(super) fn mean(&self) -> LossTerms {
        let n = self.n_cells as f64;
        LossTerms {
            loss: self.loss / n,
            elbo: (self.reconstruction_loss + self.kl_local) / n,
            reconstruction_loss: self.reconstruction_loss / n,
            kl_local: self.kl_local / n,
            metrics: self.metrics.iter().map(|(name, sum)| (name.clone(), sum / n)).collect(),
        }
    }
}

/// One epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// Number of the epoch, from 0.
    pub epoch: usize,
    /// Weight of the KL at its end.
    pub kl_weight: f64,
    /// The optimiser's learning rate in it, where the plan monitors that.
    pub lr: Option<f64>,
    /// Over the training cells, while the weights moved and with dropout.
    pub train: LossTerms,
    /// Over the validation cells, where this epoch validated.
    pub validation: Option<LossTerms>,
}

/// One minibatch.
#[derive(Debug, Clone, PartialEq)]
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
    /// The optimiser's learning rate.
    pub lr: f64,
    /// Means over its cells; before the step, where it is trained on.
    pub terms: LossTerms,
}

/// All epochs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The optimiser, by which the column of learning rates is named.
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

    /// Names of this run's columns: those of every run, `train_` and `validation_` of each name
    /// that the module measures beside them, and where the learning rate was monitored, `lr-Adam` or
    /// `lr-AdamW`.
    pub fn columns(&self) -> Vec<String> {
        let mut columns: Vec<String> = Self::COLUMNS.map(str::to_owned).into();
        for cells in ["train", "validation"] {
            columns.extend(self.metrics().iter().map(|name| format!("{cells}_{name}")));
        }
        columns.extend(self.monitors_lr().then(|| self.optimizer.lr_key().to_owned()));
        columns
    }

    /// One row an epoch, a number for each of [`History::columns`]; `None` where it did not
    /// validate.
    pub fn rows(&self) -> impl Iterator<Item = Vec<Option<f64>>> {
        let (monitors_lr, metrics) = (self.monitors_lr(), self.metrics());
        self.epochs.iter().map(move |e| {
            let mut row = vec![Some(e.epoch as f64), Some(e.kl_weight)];
            row.extend(columns(Some(&e.train)));
            row.extend(columns(e.validation.as_ref()));
            for terms in [Some(&e.train), e.validation.as_ref()] {
                row.extend(metrics.iter().map(|&name| terms?.metrics.get(name).copied()));
            }
            row.extend(monitors_lr.then_some(e.lr));
            row
        })
    }

    /// What the module measures beside the terms of every loss, in the order of names.
    fn metrics(&self) -> BTreeSet<&str> {
        let terms = self.epochs.iter().flat_map(|e| [Some(&e.train), e.validation.as_ref()]);
        terms.flatten().flat_map(|terms| terms.metrics.keys().map(String::as_str)).collect()
    }

    fn monitors_lr(&self) -> bool {
        self.epochs.iter().any(|e| e.lr.is_some())
    }
}

fn columns(terms: Option<&LossTerms>) -> [Option<f64>; 5] {
    // scVI has no global latent variable: kl_global is always 0, and scvi-tools logs it.
    terms.map_or([None; 5], |t| [t.loss, t.elbo, t.reconstruction_loss, t.kl_local, 0.0].map(Some))
}
