//! How many optimizer steps each epoch has.

/// Optimizer steps of a run: every epoch has as many, until `max_steps` ends the last one early.
///
/// Source: Lightning 2.6, `max_steps` of `lightning.pytorch.Trainer`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    /// Of an epoch that is not ended early; at least 1.
    pub per_epoch: usize,
    /// Of the whole run, at most.
    pub max_steps: Option<u64>,
}

impl Steps {
    /// Before an epoch, counted from 0.
    pub fn before(self, epoch: usize) -> u64 {
        let all = (epoch as u64).saturating_mul(self.per_epoch as u64);
        self.max_steps.map_or(all, |most| most.min(all))
    }

    /// Of one epoch.
    pub fn of(self, epoch: usize) -> usize {
        (self.before(epoch + 1) - self.before(epoch)) as usize
    }

    /// Whether `max_steps` ends an epoch before its last minibatch. Such an epoch does not validate.
    pub fn is_cut(self, epoch: usize) -> bool {
        self.of(epoch) < self.per_epoch
    }

    /// Epochs until the run ends, at most `max_epochs`.
    pub fn epochs(self, max_epochs: usize) -> usize {
        let Some(most) = self.max_steps else { return max_epochs };
        let needed = most.div_ceil(self.per_epoch as u64);
        usize::try_from(needed).map_or(max_epochs, |needed| needed.min(max_epochs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_epoch_has_what_is_left() {
        let steps = Steps { per_epoch: 7, max_steps: Some(10) };
        assert_eq!([0, 1, 2, 3].map(|epoch| steps.before(epoch)), [0, 7, 10, 10]);
        assert_eq!([0, 1, 2].map(|epoch| steps.of(epoch)), [7, 3, 0]);
        assert_eq!([0, 1].map(|epoch| steps.is_cut(epoch)), [false, true]);
        assert_eq!([1, 2, 400].map(|max_epochs| steps.epochs(max_epochs)), [1, 2, 2]);
        let whole = Steps { per_epoch: 5, ..steps };
        assert_eq!((whole.epochs(400), whole.is_cut(1)), (2, false));
    }

    #[test]
    fn without_a_limit_every_epoch_is_whole() {
        let steps = Steps { per_epoch: 7, max_steps: None };
        assert_eq!((steps.of(399), steps.is_cut(399), steps.epochs(400)), (7, false, 400));
        let most = Steps { max_steps: Some(u64::MAX), ..steps };
        assert_eq!((most.of(399), most.epochs(400)), (7, 400));
    }
}
