//! What a checkpoint says beside its tensors.

use std::path::Path;

use scvi::data::Registry;
use scvi::instruction_set;
use scvi::model::query::Freeze;
use scvi::module::VaeConfig;
use scvi::nn::StateDict;
use scvi::train::{RunDescription, RunProgress};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::difference::first_difference;
use crate::checksum::sha256_hex;
use crate::{InputMeta, IoError};

/// The format version of checkpoints that this program reads and writes.
pub const CHECKPOINT_VERSION: u32 = 4;

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
    /// Of a query that is mapped onto a reference, what it began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<MappingSetup>,
    /// Epochs of the model before the run, where it goes on with one that was trained.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epochs_before: usize,
    /// SHA-256 of the tensors of the model that the run began with, in hexadecimal, where that is
    /// another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_with: Option<String>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// What the mapping of a query began with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingSetup {
    /// What training does not move.
    pub freeze: Freeze,
    /// SHA-256 of the reference's tensors, in hexadecimal.
    pub reference: String,
}

impl MappingSetup {
    /// Of a reference with these tensors.
    pub fn new(reference: &StateDict<f32>, freeze: Freeze) -> Self {
        Self { freeze, reference: sha256_of_tensors(reference) }
    }
}

/// SHA-256 of names and numbers, in hexadecimal: what a run began with is recognized by it.
pub fn sha256_of_tensors(state: &StateDict<f32>) -> String {
    let mut bytes = Vec::new();
    for (name, tensor) in state {
        bytes.extend((name.len() as u64).to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend((tensor.data.len() as u64).to_le_bytes());
        tensor.data.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
    }
    sha256_hex(&bytes)
}

/// Everything in a checkpoint but its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointMeta<C = VaeConfig> {
    /// Version of the format.
    pub checkpoint_version: u32,
    /// The instruction set of the machine that wrote it: another may round differently.
    pub instruction_set: String,
    /// What the run was set up with.
    pub setup: RunSetup,
    /// Model, plan and data.
    pub run: RunDescription<C>,
    /// How far it is.
    pub progress: RunProgress,
}

impl<C> CheckpointMeta<C> {
    /// What to expect of a run that goes on from it on this machine, where that is not the result of
    /// a run that never stopped.
    pub fn caveat(&self) -> Option<String> {
        let (then, now) = (&self.instruction_set, instruction_set());
        (then != now).then(|| {
            format!(
                "the checkpoint was written with the instruction set {then}, and this machine has \
                 {now}: sums are rounded differently, so that the rest of the run, and the model, \
                 may differ slightly from those of a run that never stopped"
            )
        })
    }
}

impl CheckpointMeta<Value> {
    /// The same with the configuration of a module, which is not known before the file was read.
    ///
    /// # Errors
    /// [`IoError::NotCheckpoint`] where it is that of another module.
    pub(super) fn typed<C: DeserializeOwned>(
        self,
        path: &Path,
    ) -> Result<CheckpointMeta<C>, IoError> {
        let Self { checkpoint_version, instruction_set, setup, run, progress } = self;
        let RunDescription { config, plan, data } = run;
        let config = serde_json::from_value(config).map_err(|e| IoError::NotCheckpoint {
            path: path.to_owned(),
            problem: format!("its configuration: {e}"),
        })?;
        let run = RunDescription { config, plan, data };
        Ok(CheckpointMeta { checkpoint_version, instruction_set, setup, run, progress })
    }
}

impl<C: Serialize> CheckpointMeta<C> {
    /// Whether the run that is set up now is the one that the checkpoint at `path` is of.
    ///
    /// # Errors
    /// [`IoError::OtherRun`] names the first difference.
    pub fn check_same(
        &self,
        path: &Path,
        setup: &RunSetup,
        run: &RunDescription<C>,
    ) -> Result<(), IoError> {
        let then = (&self.setup, &self.run);
        let difference = first_difference(&then.0.program, &setup.program, "the program")
            .or_else(|| first_difference(&then.0.input, &setup.input, "the input's"))
            .or_else(|| first_difference(&mapping(then.0), &mapping(setup), "the"))
            .or_else(|| {
                let (then, now) = (&then.0.began_with, &setup.began_with);
                first_difference(then, now, "the model that the run begins with")
            })
            .or_else(|| {
                let (then, now) = (then.0.epochs_before, setup.epochs_before);
                first_difference(&then, &now, "the model's number of epochs before the run")
            })
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

/// What a run maps, under a name of its own.
fn mapping(setup: &RunSetup) -> Value {
    json!({"mapping": setup.mapping})
}
