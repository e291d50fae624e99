//! Stopping when a quantity no longer gets better.

use serde::{Deserialize, Serialize};

use super::metric::Metric;
use crate::module::Choice;

/// Stops when `monitor` has not got better for `patience` looks.
///
/// It is looked at in every epoch, or in every `check_val_every_n_epoch`-th.
///
/// | Name | Default | Purpose |
/// |---|---|---|
/// | `monitor` | `elbo_validation` | what is watched |
/// | `mode` | `min` | whether less or more of it is better |
/// | `patience` | 45 | looks without improvement |
/// | `min_delta` | 0 | what counts as improvement |
/// | `warmup_epochs` | 0 | first looks that do not count |
///
/// Source: scvi-tools 1.4.2, `train/_trainer.py` and `LoudEarlyStopping` in `train/_callbacks.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// What is watched.
    pub monitor: Metric,
    /// Whether less or more of it is better.
    pub mode: Mode,
    /// Looks without improvement after which training stops; 0 is as good as 1.
    pub patience: usize,
    /// By how much more than this it must get better to count as improvement.
    pub min_delta: f64,
    /// Looks at the beginning that are not taken, neither as best nor as waiting.
    pub warmup_epochs: usize,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self {
            monitor: Metric::default(),
            mode: Mode::default(),
            patience: 45,
            min_delta: 0.0,
            warmup_epochs: 0,
        }
    }
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Less is better.
    #[default]
    Min,
    /// More is better.
    Max,
}

impl Choice for Mode {
    const OPTION: &'static str = "early_stopping_mode";
    const ALL: &'static [(&'static str, Self)] = &[("min", Self::Min), ("max", Self::Max)];
}

impl EarlyStopping {
    fn is_better(&self, value: f64, best: f64) -> bool {
        match self.mode {
            Mode::Min => value < best - self.min_delta,
            Mode::Max => value > best + self.min_delta,
        }
    }
}

/// What early stopping has seen so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// The best value; none before the first that counts.
    pub best: Option<f64>,
    /// Looks since then.
    pub waited: usize,
    /// All looks.
    pub looks: usize,
    /// Whether patience has run out, once and for all: a later improvement does not count where
    /// `min_epochs` makes the run go on.
    #[serde(default)]
    pub is_over: bool,
}

impl Watched {
    /// Takes one epoch's value.
    pub(super) fn see(&mut self, rule: &EarlyStopping, value: f64) {
        self.looks += 1;
        if self.looks <= rule.warmup_epochs {
            return;
        }
        if self.best.is_none_or(|best| rule.is_better(value, best)) {
            (self.best, self.waited) = (Some(value), 0);
        } else {
            self.waited += 1;
        }
        // A patience of 0 waits for a look that is no improvement all the same.
        self.is_over |= self.waited >= rule.patience.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After which of the values training stops, from 1.
    fn stops_after(rule: EarlyStopping, values: &[f64]) -> Option<usize> {
        let mut watched = Watched::default();
        let over = values.iter().position(|&value| {
            watched.see(&rule, value);
            watched.is_over
        });
        over.map(|i| i + 1)
    }

    #[test]
    fn stops_after_patience_looks_without_improvement() {
        let rule = EarlyStopping { patience: 2, min_delta: 0.5, ..Default::default() };
        assert_eq!(stops_after(rule, &[10.0, 9.0, 8.8, 8.4, 8.0, 8.1]), Some(6));
        // What equals the best less min_delta is none.
        assert_eq!(stops_after(rule, &[10.0, 9.5, 9.5]), Some(3));
        for patience in [0, 1] {
            let rule = EarlyStopping { patience, ..rule };
            assert_eq!(stops_after(rule, &[10.0, 9.0, 9.0]), Some(3));
        }
    }

    #[test]
    fn an_improvement_afterwards_comes_too_late() {
        let rule = EarlyStopping { patience: 1, ..Default::default() };
        let mut watched = Watched::default();
        for (value, is_over) in [(3.0, false), (4.0, true), (1.0, true)] {
            watched.see(&rule, value);
            assert_eq!(watched.is_over, is_over);
        }
        assert_eq!((watched.best, watched.waited), (Some(1.0), 0));
    }

    #[test]
    fn max_is_min_of_the_negative() {
        let values = [3.0, 5.0, 5.2, 4.0, 6.0, 6.1, 6.2, 1.0, 0.0];
        let negative = values.map(|v| -v);
        for patience in 1..5 {
            let min = EarlyStopping { patience, min_delta: 0.3, ..Default::default() };
            let max = EarlyStopping { mode: Mode::Max, ..min };
            assert_eq!(stops_after(max, &values), stops_after(min, &negative), "{patience}");
        }
    }

    #[test]
    fn looks_of_the_warm_up_do_not_count() {
        // Without it the first value is the best of all.
        let values = [1.0, 9.0, 8.0, 7.0, 7.0, 7.0];
        let rule = EarlyStopping { patience: 2, ..Default::default() };
        assert_eq!(stops_after(rule, &values), Some(3));
        assert_eq!(stops_after(EarlyStopping { warmup_epochs: 2, ..rule }, &values), Some(6));
    }
}
