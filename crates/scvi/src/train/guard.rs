//! Whether a run is still among the finite numbers.
//!
//! Each minibatch's loss is looked at, which is read anyway; every parameter, which no loss need
//! show, at the end of each epoch. The rest of the search begins when something is found.

use super::divergence::{Divergence, LargestCount};
use super::error::TrainError;
use super::run::{Shown, TrainingRun};
use crate::module::LossSums;
use crate::nn::{NotFinite, Slot};

/// All that a step changes and a checkpoint holds.
pub(super) const ALL: [Slot; 3] = [Slot::Value, Slot::FirstMoment, Slot::SecondMoment];

impl TrainingRun<'_> {
    /// Whether every number that a checkpoint holds is finite.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] names the first that is not.
    pub fn check_state(&mut self) -> Result<(), TrainError> {
        self.check_finite(&ALL)
    }

    pub(super) fn check_loss(&mut self, terms: LossSums) -> Result<(), TrainError> {
        if (terms.reconstruction_loss + terms.kl_local()).is_finite() {
            return Ok(());
        }
        let tensor = self.vae.first_not_finite(&[Slot::Value]);
        Err(self.divergence(tensor)?.into())
    }

    pub(super) fn check_finite(&mut self, slots: &[Slot]) -> Result<(), TrainError> {
        match self.vae.first_not_finite(slots) {
            None => Ok(()),
            tensor => Err(self.divergence(tensor)?.into()),
        }
    }

    /// Describes the minibatch in the workspace, which is the last.
    fn divergence(&mut self, tensor: Option<NotFinite>) -> Result<Box<Divergence>, TrainError> {
        let terms = self.ws.loss_sums(self.vae.backend());
        let cells = match self.shown {
            Shown::None => Vec::new(),
            Shown::Train(k) => self.order[self.train_ranges[k].clone()].to_vec(),
            Shown::Validation(k) => self.validation[self.validation_ranges[k].clone()].to_vec(),
        };
        let losses = self.ws.cell_outputs(self.vae.backend());
        self.data.fill(&cells, &mut self.batch)?;
        let n = cells.len().max(1) as f64;
        let kl = losses.kl_divergence_z.iter().zip(&losses.kl_divergence_l).map(|(z, l)| z + l);
        let finite = losses.reconstruction_loss.iter().zip(kl).map(|(r, kl)| (r + kl).is_finite());
        let mut blamed: Vec<u32> =
            cells.iter().zip(finite).filter(|(_, finite)| !finite).map(|(&cell, _)| cell).collect();
        if blamed.len() == cells.len() {
            blamed.clear();
        }
        Ok(Box::new(Divergence {
            epoch: self.at.epoch,
            step: self.at.step,
            reconstruction_loss: terms.reconstruction_loss / n,
            kl_local: terms.kl_local() / n,
            tensor,
            largest: LargestCount::of(&self.batch, &blamed),
            cells: blamed,
        }))
    }
}
