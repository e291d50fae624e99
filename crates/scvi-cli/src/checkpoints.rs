//! The checkpoint of a run beside its model folder: when it is written, and what an earlier one
//! means.

use std::path::{Path, PathBuf};

use scvi::train::TrainError;
use scvi_io::checkpoint::{CheckpointMeta, SavedRun, Schedule, checkpoint_path, remove_checkpoint};
use scvi_io::model_dir::check_model_output;
use scvi_io::output::{OutputLock, remove_unfinished};
use scvi_io::{IoError, load_model};
use serde_json::Value;

use crate::args::{CheckpointArgs, Common};
use crate::error::CliError;
use crate::log::note;

/// The checkpoints of a run that ends with a model folder.
pub struct Kept {
    /// Where its checkpoint lies, or will.
    pub path: PathBuf,
    /// What a run that is resumed left behind.
    pub saved: Option<SavedRun<Value>>,
    /// When the next one is written.
    pub schedule: Schedule,
    /// The options that make the run the run it is.
    pub options: Vec<String>,
    /// Whether the model folder may be replaced.
    pub overwrite: bool,
    /// What no other run may write meanwhile.
    _locks: Vec<OutputLock>,
}

impl Kept {
    /// Looks for a run to go on with, and makes sure that none is lost unasked, and that no other
    /// run writes the model or the other `outputs` while this one goes on.
    pub fn open(
        model: &Path,
        outputs: &[&Path],
        args: &mut CheckpointArgs,
        common: &Common,
    ) -> Result<Self, CliError> {
        let own = match args.lock.take() {
            Some(lock) => Some(lock),
            None => lock(model, common)?,
        };
        let files = outputs.iter().filter(|path| path.as_os_str() != "-");
        let others = files.map(|path| lock(path, common)).collect::<Result<Vec<_>, _>>()?;
        let locks = others.into_iter().chain([own]).flatten().collect();
        let (minutes, epochs) = (args.checkpoint_every_minutes, args.checkpoint_every_n_epoch);
        let schedule = Schedule::new(minutes, epochs).map_err(TrainError::from)?;
        let (saved, options) = (args.saved.take(), std::mem::take(&mut args.options));
        let overwrite = common.overwrite || saved.as_ref().is_some_and(|s| is_of_run(model, &s.0));
        let path = checkpoint_path(model);
        // First: there may be a model as well, and replacing that would give up the run unasked.
        if !args.resume && path.exists() && !common.overwrite {
            return Err(CliError::Unfinished { path: path.display().to_string() });
        }
        check_model_output(model, overwrite)?;
        if args.resume {
            prepare_to_resume(model, &path, saved.is_some(), common);
        }
        Ok(Self { path, saved, schedule, options, overwrite, _locks: locks })
    }

    /// Gives an older run up, unless it goes on: whoever overwrites wants that.
    pub fn give_up_older(&self) -> Result<(), CliError> {
        if self.saved.is_none() { self.remove() } else { Ok(()) }
    }

    /// Deletes the checkpoint, the last of all that a run does: until then it can be resumed.
    pub fn remove(&self) -> Result<(), CliError> {
        Ok(remove_checkpoint(&self.path)?)
    }
}

/// Keeps other runs from writing an output. A file system that has no locks cannot, and the user is
/// told.
pub fn lock(output: &Path, common: &Common) -> Result<Option<OutputLock>, CliError> {
    match OutputLock::acquire(output) {
        Err(error @ IoError::Os { .. }) => {
            note(common, &format!("{error}: another run that writes it would not be noticed"));
            Ok(None)
        }
        acquired => Ok(Some(acquired?)),
    }
}

/// Whether the folder is what the run of a checkpoint was about to end with: it was killed after
/// the folder was in its place and before the checkpoint was gone.
fn is_of_run(model: &Path, saved: &CheckpointMeta<Value>) -> bool {
    let CheckpointMeta { setup, run, .. } = saved;
    // A query may be trained without the dropout that its model is saved with.
    let config = |mut config: Value| {
        if setup.mapping.is_some() {
            without_dropout(&mut config);
        }
        config
    };
    load_model(model).is_ok_and(|(_, meta)| {
        config(meta.module_config()) == config(run.config.clone())
            && meta.registry == setup.registry
            && meta.input.as_ref() == Some(&setup.input)
            && (meta.training.seed, meta.training.batch_size)
                == (run.plan.seed, run.plan.batch_size)
    })
}

/// Takes the rates of dropout out of a configuration.
fn without_dropout(config: &mut Value) {
    let Value::Object(entries) = config else { return };
    entries.remove("dropout_rate");
    entries.values_mut().for_each(without_dropout);
}

/// Clears away what a killed run was writing, and says where there is nothing to resume.
fn prepare_to_resume(model: &Path, checkpoint: &Path, is_saved: bool, common: &Common) {
    for path in [model, checkpoint] {
        remove_unfinished(path);
    }
    if !is_saved {
        let path = checkpoint.display();
        note(common, &format!("{path} is not there: training from the beginning"));
    }
}
