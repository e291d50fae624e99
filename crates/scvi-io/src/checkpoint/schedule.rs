//! When checkpoints are written.

use std::time::Duration;

use scvi::train::{Event, PlanError};

/// When the checkpoint of a run is written: after some time, after some epochs, or both.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    every: Option<Duration>,
    every_n_epoch: Option<u64>,
}

impl Schedule {
    /// Every so many minutes, 0 for never, and every so many epochs.
    ///
    /// # Errors
    /// [`PlanError`] where a number is out of its range.
    pub fn new(every_minutes: f64, every_n_epoch: Option<u64>) -> Result<Self, PlanError> {
        let every = Duration::try_from_secs_f64(every_minutes * 60.0).map_err(|_| PlanError {
            option: "checkpoint_every_minutes",
            found: every_minutes.to_string(),
            range: "a number of minutes, or 0 for none",
        })?;
        if every_n_epoch == Some(0) {
            let (option, found) = ("checkpoint_every_n_epoch", "0".to_owned());
            return Err(PlanError { option, found, range: "1 or more" });
        }
        Ok(Self { every: Some(every).filter(|every| !every.is_zero()), every_n_epoch })
    }

    /// Whether it is time, so long after the last.
    pub(super) fn is_due(&self, elapsed: Duration, event: &Event) -> bool {
        let epochs = match event {
            Event::Epoch(record) => record.epoch as u64 + 1,
            _ => 0,
        };
        self.every.is_some_and(|every| elapsed >= every)
            || self.every_n_epoch.is_some_and(|n| epochs > 0 && epochs.is_multiple_of(n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_finite_and_not_negative() {
        for minutes in [-1.0, f64::NAN, f64::INFINITY] {
            let error = Schedule::new(minutes, None).unwrap_err();
            assert_eq!(error.option, "checkpoint_every_minutes", "{minutes}");
        }
        assert!(Schedule::new(0.0, Some(0)).unwrap_err().to_string().contains("1 or more"));
        let hour = Duration::from_secs(3600);
        let due = |minutes| Schedule::new(minutes, None).unwrap().is_due(hour, &Event::Minibatch);
        assert_eq!([0.0, 5.0, 60.0, 61.0].map(due), [false, true, true, false]);
    }
}
