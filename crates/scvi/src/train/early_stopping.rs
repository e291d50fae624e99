//! Stopping when the held-out loss no longer falls.

use serde::{Deserialize, Serialize};

/// Stops when `elbo_validation` has not fallen for `patience` epochs.
///
/// | Name | Default | Purpose |
/// |---|---|---|
/// | `patience` | 45 | epochs without improvement |
/// | `min_delta` | 0 | what counts as improvement |
///
/// Defaults: scvi-tools 1.4.2, `train/_trainer.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs without improvement after which training stops.
    pub patience: usize,
    /// How much less the loss must be to count as improvement.
    pub min_delta: f64,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { patience: 45, min_delta: 0.0 }
    }
}

/// What early stopping has seen so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// The least loss; none before the first.
    pub best: Option<f64>,
    /// Epochs that validated since then.
    pub waited: usize,
}

impl Watched {
    /// Takes one epoch's loss.
    pub(super) fn see(&mut self, rule: EarlyStopping, loss: f64) {
        if self.best.is_none_or(|best| loss < best - rule.min_delta) {
            *self = Self { best: Some(loss), waited: 0 };
        } else {
            self.waited += 1;
        }
    }

    /// Whether to stop.
    pub(super) fn is_over(&self, rule: EarlyStopping) -> bool {
        // A patience of 0 waits for the first loss all the same.
        self.best.is_some() && self.waited >= rule.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_after_patience_epochs_without_improvement() {
        let rule = EarlyStopping { patience: 2, min_delta: 0.5 };
        let mut watched = Watched::default();
        let losses = [10.0, 9.0, 8.8, 8.4, 8.0, 8.1];
        let over = losses.map(|loss| {
            watched.see(rule, loss);
            watched.is_over(rule)
        });
        assert_eq!(over, [false, false, false, false, false, true]);
    }
}
