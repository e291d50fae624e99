//! From what was given as input to the one file that a command reads.

use std::path::{Path, PathBuf};

use scvi::data::MatrixKey;
use scvi_io::inputs::InputError;
use scvi_io::open_model;
use tempfile::TempDir;

use super::typed::Typed;
use crate::args::{Command, Common, InputArgs, ModelInput, ReadArgs};
use crate::error::CliError;
use crate::options::quoted;

/// The column that tells samples apart where the user named none.
pub(super) const LABEL: &str = "sample";

/// What inputs became, for as long as a command runs.
pub struct OpenedInputs {
    /// The folder of the file that was written, deleted with this.
    folder: Option<TempDir>,
    /// Words that gave the inputs.
    typed: Vec<PathBuf>,
}

impl OpenedInputs {
    /// The error in terms of the inputs, not of the file that they came to.
    pub fn as_typed(&self, error: CliError) -> CliError {
        let Some(folder) = &self.folder else { return error };
        let written = folder.path().read_dir().ok().and_then(|mut files| files.next()?.ok());
        let Some(written) = written else { return error };
        let typed: Vec<String> =
            self.typed.iter().map(|path| quoted(&path.display().to_string())).collect();
        let path = written.path().display().to_string();
        CliError::OfInputs { error: Box::new(error), path, typed: typed.join(" ") }
    }
}

/// Puts one file in the place of a command's inputs: the input itself where it is one AnnData, else
/// an AnnData of all of them, written for as long as the command runs.
///
/// # Errors
/// Where an input cannot be read, or inputs do not go together.
pub fn open_inputs(command: &mut Command, common: &Common) -> Result<OpenedInputs, CliError> {
    let typed = inputs_of(command);
    let folder = match command {
        Command::Train(args) if args.inputs.is_empty() => None,
        Command::Train(args) => {
            let beside = args.output.as_deref().or(args.model.as_deref());
            let typed = Typed::new(&args.inputs, &args.from, &args.reading, beside);
            let typed = Typed { model: args.labels.scvi_model.as_deref(), ..typed };
            let label = args.data.batch_key.clone();
            let opened = typed.open(common, |is_needed| match &args.labels.scvi_model {
                Some(scvi) => batch_key(scvi),
                None => Ok(label.or(is_needed.then(|| LABEL.into()))),
            })?;
            args.input = Some(opened.path);
            if let Some(label) = opened.label {
                args.data.batch_key = Some(label);
            }
            if opened.folder.is_some() {
                settle(&mut args.from, &mut args.reading);
            }
            opened.folder
        }
        Command::Map(args) => {
            let beside = args.output.as_deref().or(Some(&args.model));
            let typed = Typed::new(&args.inputs, &args.from, &args.reading, beside);
            let typed = Typed { model: Some(&args.reference), ..typed };
            let opened = typed.open(common, |_| batch_key(&args.reference))?;
            args.input = opened.path;
            if opened.folder.is_some() {
                settle(&mut args.from, &mut args.reading);
            }
            opened.folder
        }
        Command::Genes(args) => {
            let beside = Some(args.output.as_path());
            let typed = Typed::new(&args.inputs, &args.from, &args.reading, beside);
            let label = args.batch_key.clone();
            let opened =
                typed.open(common, |is_needed| Ok(label.or(is_needed.then(|| LABEL.into()))))?;
            args.input = opened.path;
            if opened.folder.is_some() {
                args.batch_key = opened.label.or(args.batch_key.take());
                settle(&mut args.from, &mut args.reading);
            }
            opened.folder
        }
        Command::Qc(args) => {
            let beside = Some(args.output.as_path());
            let typed = Typed::new(&args.inputs, &args.from, &args.reading, beside);
            let opened = typed.open(common, |is_needed| Ok(is_needed.then(|| LABEL.into())))?;
            (args.input, args.label) = (opened.path, opened.label);
            if opened.folder.is_some() {
                settle(&mut args.from, &mut args.reading);
            }
            opened.folder
        }
        Command::Latent(args) => of_task(&mut args.source, args.output.as_deref(), common)?,
        Command::Predict(args) => of_task(&mut args.source, args.output.as_deref(), common)?,
        Command::Evaluate(args) => of_task(&mut args.source, args.per_cell.as_deref(), common)?,
        Command::Normalize(args) => of_task(&mut args.source, args.output.as_deref(), common)?,
        Command::Parameters(args) => of_task(&mut args.source, args.output.as_deref(), common)?,
        Command::Sample(args) => of_task(&mut args.source, args.output.as_deref(), common)?,
        Command::Correlate(args) => of_task(&mut args.source, Some(&args.output), common)?,
        Command::De(args) => of_task(&mut args.source, Some(&args.output), common)?,
        Command::Report(args) => of_task(&mut args.source, Some(&args.output), common)?,
        Command::Umap(args) => of_task(&mut args.source, Some(&args.output), common)?,
        Command::Minify(args) => {
            let mut source = args.source();
            let folder = of_task(&mut source, Some(&args.output), common)?;
            (args.input, args.from, args.reading) = (source.input, source.from, source.reading);
            folder
        }
        Command::Simulate(_)
        | Command::Convert(_)
        | Command::Inspect(_)
        | Command::Completions(_)
        | Command::Man(_) => None,
    };
    Ok(OpenedInputs { folder, typed })
}

/// The inputs that were typed.
fn inputs_of(command: &Command) -> Vec<PathBuf> {
    match command {
        Command::Train(args) => &args.inputs,
        Command::Map(args) => &args.inputs,
        Command::Latent(args) => &args.source.inputs,
        Command::Predict(args) => &args.source.inputs,
        Command::Evaluate(args) => &args.source.inputs,
        Command::Normalize(args) => &args.source.inputs,
        Command::Parameters(args) => &args.source.inputs,
        Command::Sample(args) => &args.source.inputs,
        Command::Correlate(args) => &args.source.inputs,
        Command::De(args) => &args.source.inputs,
        Command::Report(args) => &args.source.inputs,
        Command::Umap(args) => &args.source.inputs,
        Command::Genes(args) => &args.inputs,
        Command::Qc(args) => &args.inputs,
        Command::Minify(args) => &args.inputs,
        Command::Simulate(_)
        | Command::Convert(_)
        | Command::Inspect(_)
        | Command::Completions(_)
        | Command::Man(_) => return Vec::new(),
    }
    .clone()
}

fn of_task(
    source: &mut ModelInput,
    output: Option<&Path>,
    common: &Common,
) -> Result<Option<TempDir>, CliError> {
    let opened = of_model(source, output).open(common, |_| batch_key(&source.model))?;
    source.input = opened.path;
    if source.only.is_some() {
        source.from.batch_name = opened.batch_name.into_iter().collect();
    }
    if opened.folder.is_some() {
        settle(&mut source.from, &mut source.reading);
    }
    Ok(opened.folder)
}

/// The name of each input of a task.
pub fn named_inputs(source: &ModelInput) -> Result<Vec<String>, CliError> {
    let mut names: Vec<(String, PathBuf)> = Vec::new();
    for input in of_model(source, None).named()? {
        let (name, path) = (input.name(), input.path);
        if let Some((_, first)) = names.iter().find(|(known, _)| *known == name) {
            let first = first.clone();
            return Err(InputError::SameName { name, first, second: path }.into());
        }
        names.push((name, path));
    }
    Ok(names.into_iter().map(|(name, _)| name).collect())
}

fn of_model<'a>(source: &'a ModelInput, beside: Option<&'a Path>) -> Typed<'a> {
    let typed = Typed::new(&source.inputs, &source.from, &source.reading, beside);
    Typed { model: Some(&source.model), only: source.only, ..typed }
}

/// What was asked of inputs is done: their counts are in X, their names in obs.
fn settle(from: &mut InputArgs, reading: &mut ReadArgs) {
    from.batch_name.clear();
    reading.layer = Some(MatrixKey::X.to_string());
}

/// The column in which a model looks for batches.
fn batch_key(model: &Path) -> Result<Option<String>, CliError> {
    Ok(open_model(model)?.meta.registry.batch.map(|field| field.key))
}
