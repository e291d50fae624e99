//! Shorter steps once a quantity no longer falls.

use serde::{Deserialize, Serialize};

use super::metric::Metric;

/// Multiplies the learning rate by `factor` when `metric` has not fallen for more than `patience`
/// epochs, as `torch.optim.lr_scheduler.ReduceLROnPlateau` with `threshold_mode="abs"` does.
///
/// | Name | scvi-tools | Default | Purpose |
/// |---|---|---|---|
/// | `factor` | `lr_factor` | 0.6 | what the learning rate is multiplied by |
/// | `patience` | `lr_patience` | 30 | epochs without improvement that are borne |
/// | `threshold` | `lr_threshold` | 0 | by how much more the metric must fall to be improved |
/// | `metric` | `lr_scheduler_metric` | `elbo_validation` | what is watched |
/// | `min` | `lr_min` | 0 | the shortest learning rate |
///
/// Defaults: scvi-tools 1.4.2, `train/_trainingplans.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReduceLrOnPlateau {
    /// What the learning rate is multiplied by, less than 1.
    pub factor: f64,
    /// Epochs without improvement that leave the learning rate as it is.
    pub patience: usize,
    /// By how much more than this the metric must fall to be improved.
    pub threshold: f64,
    /// What is watched.
    pub metric: Metric,
    /// The shortest learning rate.
    pub min: f64,
}

impl Default for ReduceLrOnPlateau {
    fn default() -> Self {
        Self { factor: 0.6, patience: 30, threshold: 0.0, metric: Metric::default(), min: 0.0 }
    }
}

/// What has become of the learning rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plateau {
    /// The learning rate; none as long as it is the plan's.
    pub lr: Option<f64>,
    /// The least value; none before the first.
    pub best: Option<f64>,
    /// Epochs since then, or since the learning rate was last reduced.
    pub bad_epochs: usize,
}

impl Plateau {
    /// A learning rate that would shrink by no more than this stays (torch's `eps`).
    const LEAST_CHANGE: f64 = 1e-8;

    /// Takes one epoch's value; `first` is the learning rate that the run began with.
    pub(super) fn see(&mut self, rule: &ReduceLrOnPlateau, first: f64, value: f64) {
        if self.best.is_none_or(|best| value < best - rule.threshold) {
            (self.best, self.bad_epochs) = (Some(value), 0);
        } else {
            self.bad_epochs += 1;
        }
        if self.bad_epochs > rule.patience {
            let old = self.lr.unwrap_or(first);
            let new = (old * rule.factor).max(rule.min);
            if old - new > Self::LEAST_CHANGE {
                self.lr = Some(new);
            }
            self.bad_epochs = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The learning rate after each value.
    fn lengths<const N: usize>(rule: ReduceLrOnPlateau, first: f64, values: [f64; N]) -> [f64; N] {
        let mut plateau = Plateau::default();
        values.map(|value| {
            plateau.see(&rule, first, value);
            plateau.lr.unwrap_or(first)
        })
    }

    #[test]
    fn reduces_when_more_than_patience_epochs_were_bad() {
        let rule = ReduceLrOnPlateau { factor: 0.5, patience: 1, ..Default::default() };
        // Equal to the best is bad; the count begins anew after a reduction and an improvement.
        let values = [5.0, 5.0, 6.0, 5.0, 5.0, 4.0, 4.5, 3.0, 3.0, 3.0];
        let want = [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0.125];
        assert_eq!(lengths(rule, 1.0, values), want);
        let impatient = ReduceLrOnPlateau { patience: 0, ..rule };
        assert_eq!(lengths(impatient, 1.0, [5.0, 5.0, 5.0, 4.0]), [1.0, 0.5, 0.25, 0.25]);
    }

    #[test]
    fn a_fall_within_the_threshold_is_none() {
        let rule = ReduceLrOnPlateau { threshold: 1.0, patience: 0, ..Default::default() };
        assert_eq!(lengths(rule, 1.0, [5.0, 4.0, 3.5]), [1.0, 0.6, 0.6]);
    }

    #[test]
    fn goes_to_the_minimum_and_no_further() {
        let rule = ReduceLrOnPlateau { min: 0.5, patience: 0, ..Default::default() };
        assert_eq!(lengths(rule, 1.0, [5.0; 4]), [1.0, 0.6, 0.5, 0.5]);
        // A minimum above the learning rate does not raise it, and a change too small is none.
        assert_eq!(lengths(rule, 0.25, [5.0; 3]), [0.25; 3]);
        let rule = ReduceLrOnPlateau { patience: 0, ..Default::default() };
        assert_eq!(lengths(rule, 2e-8, [5.0; 3]), [2e-8; 3]);
        assert_eq!(lengths(rule, 0.0, [5.0; 3]), [0.0; 3]);
    }
}
