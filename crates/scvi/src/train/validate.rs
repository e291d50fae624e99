//! Whether every option of a plan is in its range.

use super::batch_limit::BatchLimit;
use super::plan::TrainPlan;
use super::plan_error::PlanError;
use crate::data::Shuffling;

impl TrainPlan {
    /// Checks every option.
    ///
    /// # Errors
    /// [`PlanError`] names the option, what came and what is allowed.
    pub fn validate(&self) -> Result<(), PlanError> {
        self.check_counts()?;
        self.check_limits()?;
        self.check_optimiser()?;
        let min = self.min_kl_weight;
        number("min_kl_weight", min, min >= 0.0, "0 or more")?;
        let max = self.max_kl_weight;
        number("max_kl_weight", max, max >= min, "at least min_kl_weight")?;
        let ratio = self.classification_ratio;
        number("classification_ratio", ratio, ratio >= 0.0, "0 or more")?;
        match &self.early_stopping {
            Some(rule) => number("early_stopping_min_delta", rule.min_delta, true, "finite"),
            None => Ok(()),
        }
    }

    fn check_counts(&self) -> Result<(), PlanError> {
        let fault = |option, found: usize, range| {
            Err(PlanError { option, found: found.to_string(), range })
        };
        if self.batch_size < 3 {
            // With less, batch normalisation has hardly a variance to go by.
            return fault("batch_size", self.batch_size, "3 or more");
        }
        if self.n_samples_per_label == Some(0) {
            return fault("n_samples_per_label", 0, "1 or more");
        }
        if let Shuffling::Blocks { block_size, buffer_size } = self.shuffling {
            if block_size == 0 {
                return fault("block_size", 0, "1 or more");
            }
            if buffer_size < block_size {
                return fault("buffer_size", buffer_size, "at least block_size");
            }
        }
        let waits = self.reduce_lr_on_plateau.is_some_and(|rule| rule.metric.needs_validation());
        match self.check_val_every_n_epoch {
            Some(0) => fault("check_val_every_n_epoch", 0, "1 or more"),
            Some(every @ 2..) if waits => {
                let range = "1 where reduce_lr_on_plateau goes by validation cells";
                fault("check_val_every_n_epoch", every, range)
            }
            _ => Ok(()),
        }
    }

    /// How long it trains, and on how much.
    fn check_limits(&self) -> Result<(), PlanError> {
        let train = self.limit_train_batches;
        let zero = [
            ("max_epochs", self.max_epochs == Some(0)),
            ("max_steps", self.max_steps == Some(0)),
            ("limit_train_batches", train.is_some_and(BatchLimit::is_zero)),
        ];
        if let Some((option, _)) = zero.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(PlanError { option, found: "0".to_owned(), range: "1 or more" });
        }
        train.map_or(Ok(()), |limit| limit.check("limit_train_batches"))?;
        self.limit_val_batches.map_or(Ok(()), |limit| limit.check("limit_val_batches"))
    }

    fn check_optimiser(&self) -> Result<(), PlanError> {
        let adam = &self.adam;
        number("lr", adam.lr, adam.lr >= 0.0, "0 or more")?;
        number("eps", adam.eps, adam.eps > 0.0, "more than 0")?;
        number("weight_decay", adam.weight_decay, adam.weight_decay >= 0.0, "0 or more")?;
        let clip = self.gradient_clip_val.unwrap_or(0.0);
        number("gradient_clip_val", clip, clip >= 0.0, "0 or more")?;
        let Some(rule) = &self.reduce_lr_on_plateau else { return Ok(()) };
        let is_fraction = (0.0..1.0).contains(&rule.factor);
        number("lr_factor", rule.factor, is_fraction, "at least 0 and less than 1")?;
        number("lr_threshold", rule.threshold, true, "finite")?;
        number("lr_min", rule.min, rule.min >= 0.0, "0 or more")
    }
}

/// A number that must be legal, and finite in any case.
fn number(
    option: &'static str,
    found: f64,
    legal: bool,
    range: &'static str,
) -> Result<(), PlanError> {
    match legal && found.is_finite() {
        true => Ok(()),
        false => Err(PlanError { option, found: found.to_string(), range }),
    }
}

#[cfg(test)]
mod tests {
    use scvi_kernels::ops::adam::AdamRule;

    use super::*;
    use crate::train::{EarlyStopping, Metric, ReduceLrOnPlateau};

    #[test]
    fn every_illegal_value_is_named() {
        let message = |plan: TrainPlan| plan.validate().unwrap_err().to_string();
        let plan = TrainPlan::default;
        assert!(message(TrainPlan { batch_size: 0, ..plan() }).contains("batch_size is 0"));
        assert!(message(TrainPlan { max_epochs: Some(0), ..plan() }).contains("max_epochs"));
        assert!(message(TrainPlan { max_steps: Some(0), ..plan() }).contains("max_steps is 0"));
        let limited = |limit| TrainPlan { limit_train_batches: Some(limit), ..plan() };
        for zero in [BatchLimit::Batches(0), BatchLimit::Fraction(0.0)] {
            assert!(message(limited(zero)).contains("limit_train_batches is 0; it must be 1"));
            TrainPlan { limit_val_batches: Some(zero), ..plan() }.validate().unwrap();
        }
        for beyond in [1.5, -0.5, f64::NAN] {
            let limit = BatchLimit::Fraction(beyond);
            assert!(message(limited(limit)).contains("a number of minibatches, or a fraction"));
            let plan = TrainPlan { limit_val_batches: Some(limit), ..plan() };
            assert!(message(plan).contains("limit_val_batches is"));
        }
        let adam = AdamRule { lr: f64::NAN, ..AdamRule::default() };
        assert!(message(TrainPlan { adam, ..plan() }).contains("lr is NaN"));
        assert!(message(TrainPlan { max_kl_weight: -1.0, ..plan() }).contains("max_kl_weight"));
        let rising = message(TrainPlan { min_kl_weight: 2.0, ..plan() });
        assert_eq!(rising, "max_kl_weight is 1; it must be at least min_kl_weight");
        let reduce = |rule| TrainPlan { reduce_lr_on_plateau: Some(rule), ..plan() };
        let rule = ReduceLrOnPlateau::default;
        assert!(message(reduce(ReduceLrOnPlateau { factor: 1.0, ..rule() })).contains("lr_factor"));
        assert!(message(reduce(ReduceLrOnPlateau { min: -1.0, ..rule() })).contains("lr_min"));
        let threshold = f64::INFINITY;
        assert!(message(reduce(ReduceLrOnPlateau { threshold, ..rule() })).contains("threshold"));
        let seldom = |metric| TrainPlan {
            check_val_every_n_epoch: Some(2),
            ..reduce(ReduceLrOnPlateau { metric, ..rule() })
        };
        assert!(message(seldom(Metric::ValidationLoss)).contains("check_val_every_n_epoch is 2"));
        seldom(Metric::TrainLoss).validate().unwrap();
        let gradient_clip_val = Some(-1.0);
        let clips = message(TrainPlan { gradient_clip_val, ..plan() });
        assert!(clips.contains("gradient_clip_val is -1"));
        let still = AdamRule { lr: 0.0, ..AdamRule::default() };
        TrainPlan { adam: still, ..plan() }.validate().unwrap();
        let min_delta = f64::NAN;
        let early_stopping = Some(EarlyStopping { min_delta, ..Default::default() });
        assert!(message(TrainPlan { early_stopping, ..plan() }).contains("min_delta is NaN"));
    }
}
