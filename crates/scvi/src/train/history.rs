//! What training recorded, under scvi-tools' keys.

use serde::{Deserialize, Serialize};

use crate::module::LossSums;

/// Means over the cells of one epoch.
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
    /// Over the training cells, while the weights moved and with dropout.
    pub train: LossTerms,
    /// Over the validation cells, where this epoch validated.
    pub validation: Option<LossTerms>,
}

/// All epochs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// One record an epoch, in order.
    pub epochs: Vec<EpochRecord>,
}

impl History {
    /// Column names, as scvi-tools' `model.history` has them.
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

    /// One row an epoch, a number for each of [`History::COLUMNS`]; `None` where it did not
    /// validate.
    pub fn rows(&self) -> impl Iterator<Item = [Option<f64>; 12]> {
        self.epochs.iter().map(|e| {
            let [a, b, c, d, g] = columns(Some(&e.train));
            let [va, vb, vc, vd, vg] = columns(e.validation.as_ref());
            [Some(e.epoch as f64), Some(e.kl_weight), a, b, c, d, g, va, vb, vc, vd, vg]
        })
    }
}

fn columns(terms: Option<&LossTerms>) -> [Option<f64>; 5] {
    // scVI has no global latent variable: kl_global is always 0, and scvi-tools logs it.
    terms.map_or([None; 5], |t| [t.loss, t.elbo, t.reconstruction_loss, t.kl_local, 0.0].map(Some))
}
