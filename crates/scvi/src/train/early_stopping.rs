//! Stopping when the held-out loss no longer falls.

/// Stops when `elbo_validation` has not fallen for `patience` epochs.
///
/// | Name | Default | Purpose |
/// |---|---|---|
/// | `patience` | 45 | epochs without improvement |
/// | `min_delta` | 0 | what counts as improvement |
///
/// Defaults: scvi-tools 1.4.2, `train/_trainer.py`.
#[derive(Debug, Clone, Copy, PartialEq)]
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

/// What has been seen so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    rule: EarlyStopping,
    best: f64,
    waited: usize,
}

impl Watch {
    pub(super) fn new(rule: EarlyStopping) -> Self {
        Self { rule, best: f64::INFINITY, waited: 0 }
    }

    /// Takes one epoch's loss; says whether to stop.
    pub(super) fn is_over(&mut self, loss: f64) -> bool {
        if loss < self.best - self.rule.min_delta {
            self.best = loss;
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        self.waited >= self.rule.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_after_patience_epochs_without_improvement() {
        let mut watch = Watch::new(EarlyStopping { patience: 2, min_delta: 0.5 });
        let losses = [10.0, 9.0, 8.8, 8.4, 8.0, 8.1];
        let over: Vec<bool> = losses.iter().map(|&l| watch.is_over(l)).collect();
        assert_eq!(over, [false, false, false, false, false, true]);
    }
}
