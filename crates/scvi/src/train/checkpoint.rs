//! The whole state of a training run between two minibatches.

use serde::{Deserialize, Serialize};

use super::early_stopping::Watched;
use super::error::ResumeError;
use super::history::{EpochSums, History};
use super::plan::TrainPlan;
use super::plateau::Plateau;
use super::steps::Steps;
use crate::data::Fingerprint;
use crate::module::VaeConfig;
use crate::nn::StateDict;

/// Everything a run goes on from; what it leaves out is a function of these.
///
/// Everything random is a function of seed, epoch and cell, so that no generator has a state.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint<C = VaeConfig> {
    /// Which run it is.
    pub run: RunDescription<C>,
    /// How far it is.
    pub progress: RunProgress,
    /// Parameters and running moments of batch normalisation.
    pub weights: StateDict<f32>,
    /// Adam's two moments of every parameter.
    pub moments: [StateDict<f32>; 2],
}

/// What makes two runs the same run: on the same instruction set they are bit-identical.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunDescription<C = VaeConfig> {
    /// The module's configuration.
    pub config: C,
    /// How it is trained, with its seed.
    pub plan: TrainPlan,
    /// What it is trained on.
    pub data: Fingerprint,
}

impl<C: PartialEq> RunDescription<C> {
    /// Whether a checkpoint of `self` continues the run `now`.
    ///
    /// # Errors
    /// [`ResumeError::OtherRun`] says what differs.
    pub fn check_same(&self, now: &Self) -> Result<(), ResumeError> {
        let differs = |what| Err(ResumeError::OtherRun { what });
        match self {
            _ if self.config != now.config => differs("configuration"),
            _ if self.plan != now.plan => differs("plan"),
            _ if self.data != now.data => differs("data"),
            _ => Ok(()),
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunProgress {
    /// The epoch under way, from 0.
    pub epoch: usize,
    /// Minibatches of it that are done: those to train on come first, then those to validate on.
    pub minibatch: usize,
    /// Steps of the optimiser since the beginning.
    pub step: u64,
    /// Sums over the minibatches of this epoch that were trained on.
    pub train: EpochSums,
    /// Sums over the minibatches of this epoch that were validated on.
    pub validation: EpochSums,
    /// What early stopping has seen.
    pub early_stopping: Watched,
    /// What has become of the learning rate.
    pub plateau: Plateau,
    /// The epochs before this one.
    pub history: History,
}

impl RunProgress {
    /// Whether this is a place in a run of so many epochs, each with at most `n_validation`
    /// minibatches to validate on.
    pub(super) fn check(
        &self,
        epochs: usize,
        steps: Steps,
        n_validation: usize,
    ) -> Result<(), ResumeError> {
        let fault = |problem: String| Err(ResumeError::Progress { problem });
        let Self { epoch, minibatch, step, history, .. } = self;
        if *epoch > epochs || history.epochs.len() != *epoch {
            let recorded = history.epochs.len();
            return fault(format!("{recorded} epochs on record, epoch {epoch} of {epochs}"));
        }
        if history.epochs.iter().enumerate().any(|(i, record)| record.epoch != i) {
            return fault("the epochs on record are out of order".to_owned());
        }
        let n_train = steps.of(*epoch);
        let most = if *epoch < epochs { n_train + n_validation - 1 } else { 0 };
        if *minibatch > most {
            return fault(format!("{minibatch} minibatches done of an epoch of {}", most + 1));
        }
        let expected = steps.before(*epoch) + (*minibatch).min(n_train) as u64;
        if *step != expected {
            return fault(format!("step {step}, where {expected} are done"));
        }
        Ok(())
    }
}
