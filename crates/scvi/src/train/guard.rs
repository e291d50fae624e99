//! Whether a run is still among the finite numbers.
//!
//! Each minibatch's loss is looked at, which is read anyway; every parameter, which no loss need
//! show, at the end of each epoch. The rest of the search begins when something is found.

use super::divergence::{Divergence, LargestCount};
use super::error::TrainError;
use super::run::{Shown, TrainingRun};
use super::trainable::Trainable;
use crate::module::{Loss, Minibatch};
use crate::nn::{NotFinite, Slot};

impl<M: Trainable> TrainingRun<'_, M> {
    /// Whether every number that a checkpoint holds is finite.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] names the first that is not.
    pub fn check_state(&self) -> Result<(), TrainError> {
        self.check_finite(&Slot::SAVED)
    }

    pub(super) fn check_loss(&self, loss: &Loss) -> Result<(), TrainError> {
        if loss.is_finite() {
            return Ok(());
        }
        let tensor = self.module.first_not_finite(&[Slot::Value]);
        Err(self.divergence(tensor)?.into())
    }

    pub(super) fn check_finite(&self, slots: &[Slot]) -> Result<(), TrainError> {
        match self.module.first_not_finite(slots) {
            None => Ok(()),
            tensor => Err(self.divergence(tensor)?.into()),
        }
    }

    /// Describes the minibatches in the workspace, which are the last.
    fn divergence(&self, tensor: Option<NotFinite>) -> Result<Box<Divergence>, TrainError> {
        let loss = self.module.loss(&self.ws, &self.step());
        let cells: Vec<u32> = match self.shown {
            Shown::None => Vec::new(),
            Shown::Train(step) => self.train.step(step).flatten().copied().collect(),
            Shown::Validation(step) => self.validation.step(step).flatten().copied().collect(),
        };
        let losses = self.module.cell_losses(&self.ws);
        let broken = cells.iter().zip(losses).filter(|(_, loss)| !loss.is_finite());
        let mut blamed: Vec<u32> = broken.map(|(&cell, _)| cell).collect();
        if blamed.len() == cells.len() {
            blamed.clear();
        }
        let mut batch = Minibatch::default();
        self.data.fill(&cells, &mut batch)?;
        let n = loss.n_cells.max(1) as f64;
        Ok(Box::new(Divergence {
            epoch: self.at.epoch,
            step: self.at.step,
            reconstruction_loss: loss.reconstruction_loss() / n,
            kl_local: loss.kl_local() / n,
            loss_is_finite: loss.is_finite(),
            tensor,
            largest: LargestCount::of(&batch, &blamed),
            cells: blamed,
        }))
    }
}
