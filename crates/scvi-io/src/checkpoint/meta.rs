//! What a checkpoint says beside its tensors.

use std::path::Path;

use scvi::data::Registry;
use scvi::train::{Progress, RunDescription};
use serde::{Deserialize, Serialize};

use super::difference::first_difference;
use crate::{InputMeta, IoError};

/// The format version of checkpoints that this program reads and writes.
pub const CHECKPOINT_VERSION: u32 = 2;

/// What a run was set up with, beyond what the engine knows of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSetup {
    /// The program that runs it, with its version: another may round differently.
    pub program: String,
    /// The options it was started with, as they were typed.
    pub options: Vec<String>,
    /// Layer and columns of the input.
    pub registry: Registry,
    /// Shape and gene names of the input.
    pub input: InputMeta,
}

/// Everything in a checkpoint but its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointMeta {
    /// Version of the format.
    pub checkpoint_version: u32,
    /// What the run was set up with.
    pub setup: RunSetup,
    /// Model, plan and data.
    pub run: RunDescription,
    /// How far it is.
    pub progress: Progress,
}

impl CheckpointMeta {
    /// Whether the run that is set up now is the one that the checkpoint at `path` is of.
    ///
    /// # Errors
    /// [`IoError::OtherRun`] names the first difference.
    pub fn check_same(
        &self,
        path: &Path,
        setup: &RunSetup,
        run: &RunDescription,
    ) -> Result<(), IoError> {
        let then = (&self.setup, &self.run);
        let difference = first_difference(&then.0.program, &setup.program, "the program")
            .or_else(|| first_difference(&then.0.input, &setup.input, "the input's"))
            .or_else(|| first_difference(&then.0.registry, &setup.registry, "the input's"))
            .or_else(|| first_difference(&then.1.config, &run.config, ""))
            .or_else(|| first_difference(&then.1.plan, &run.plan, ""))
            .or_else(|| first_difference(&then.1.data, &run.data, "the counts' or covariates'"));
        match difference {
            None => Ok(()),
            Some(d) => Err(IoError::OtherRun {
                path: path.to_owned(),
                what: d.what,
                then: d.then,
                now: d.now,
            }),
        }
    }
}
