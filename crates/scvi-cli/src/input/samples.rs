//! From what was given as input to the one file that a command reads.

use std::env;
use std::path::{Path, PathBuf};

use scvi::data::MatrixKey;
use scvi_io::anndata::AnnDataFile;
use scvi_io::inputs::{
    GeneNames, Input, InputError, Join, JoinOptions, Joined, NamedSample, Sample, SampleOptions,
    read_sample_sheet, sample_name, write_joined,
};
use scvi_io::{IoError, open_model};
use tempfile::TempDir;

use super::matrix::Matrix;
use crate::args::{Command, Common, GeneNamesChoice, InputArgs, JoinChoice, ModelInput, ReadArgs};
use crate::error::CliError;
use crate::log::tell;
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
            let typed = Typed {
                inputs: &args.inputs,
                from: &args.from,
                reading: &args.reading,
                model: None,
                beside: args.output.as_deref().or(args.model.as_deref()),
            };
            let label = args.data.batch_key.clone();
            let opened =
                typed.open(common, |is_needed| Ok(label.or(is_needed.then(|| LABEL.into()))))?;
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
            let typed = Typed {
                inputs: &args.inputs,
                from: &args.from,
                reading: &args.reading,
                model: Some(&args.reference),
                beside: args.output.as_deref().or(Some(&args.model)),
            };
            let opened = typed.open(common, |_| batch_key(&args.reference))?;
            args.input = opened.path;
            if opened.folder.is_some() {
                settle(&mut args.from, &mut args.reading);
            }
            opened.folder
        }
        Command::Genes(args) => {
            let typed = Typed {
                inputs: &args.inputs,
                from: &args.from,
                reading: &args.reading,
                model: None,
                beside: Some(&args.output),
            };
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
        Command::Latent(args) => of_task(&mut args.source, Some(&args.output), common)?,
        Command::Evaluate(args) => of_task(&mut args.source, args.per_cell.as_deref(), common)?,
        Command::Normalize(args) => of_task(&mut args.source, Some(&args.output), common)?,
        Command::Parameters(args) => of_task(&mut args.source, Some(&args.output), common)?,
        Command::Sample(args) => of_task(&mut args.source, Some(&args.output), common)?,
        Command::Correlate(args) => of_task(&mut args.source, Some(&args.output), common)?,
        Command::De(args) => of_task(&mut args.source, Some(&args.output), common)?,
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
        Command::Evaluate(args) => &args.source.inputs,
        Command::Normalize(args) => &args.source.inputs,
        Command::Parameters(args) => &args.source.inputs,
        Command::Sample(args) => &args.source.inputs,
        Command::Correlate(args) => &args.source.inputs,
        Command::De(args) => &args.source.inputs,
        Command::Genes(args) => &args.inputs,
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
    let typed = Typed {
        inputs: &source.inputs,
        from: &source.from,
        reading: &source.reading,
        model: Some(&source.model),
        beside: output,
    };
    let opened = typed.open(common, |_| batch_key(&source.model))?;
    source.input = opened.path;
    if opened.folder.is_some() {
        settle(&mut source.from, &mut source.reading);
    }
    Ok(opened.folder)
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

/// Inputs as they were typed.
struct Typed<'a> {
    inputs: &'a [PathBuf],
    from: &'a InputArgs,
    reading: &'a ReadArgs,
    /// The model that cells are read for, whose matrix they are read from.
    model: Option<&'a Path>,
    /// An output: what is written meanwhile lies beside it.
    beside: Option<&'a Path>,
}

/// An input with what is said about it.
struct Named {
    path: PathBuf,
    name: Option<String>,
    columns: Vec<(String, String)>,
}

/// The one file.
struct Opened {
    path: PathBuf,
    /// The column that tells samples apart.
    label: Option<String>,
    /// Where it was written.
    folder: Option<TempDir>,
}

impl Typed<'_> {
    /// `label` gives the column that tells samples apart; it is asked whether one is needed.
    fn open(
        &self,
        common: &Common,
        label: impl FnOnce(bool) -> Result<Option<String>, CliError>,
    ) -> Result<Opened, CliError> {
        let named = self.named()?;
        let options = self.options();
        if let [only] = &named[..]
            && only.columns.is_empty()
            && let Input::AnnData(path) = Input::open(&only.path, &options)?
        {
            return Ok(Opened { path, label: None, folder: None });
        }
        let is_needed = named.len() > 1 || !self.from.batch_name.is_empty();
        let label = label(is_needed)?.filter(|_| is_needed);
        let layer = match self.model {
            None => None,
            Some(path) => Some(open_model(path)?.meta.registry.layer),
        };
        let layer = layer.as_ref();
        let samples = named.into_iter().map(|named| self.sample(named, &options, layer, common));
        let samples = samples.collect::<Result<Vec<_>, _>>()?;
        let folder = self.folder()?;
        let name = match &samples[..] {
            [only] => only.name.clone(),
            several => format!("{} inputs", several.len()),
        };
        let path = folder.path().join(format!("{name}.h5ad"));
        let how = JoinOptions { join: self.join(), label: label.clone() };
        let names: Vec<String> = samples.iter().map(|s| s.name.clone()).collect();
        let joined = write_joined(samples, &how, &path, false)?;
        self.report(&joined, &names, label.as_deref(), common);
        Ok(Opened { path, label, folder: Some(folder) })
    }

    fn options(&self) -> SampleOptions {
        let gene_names = match self.from.gene_names {
            GeneNamesChoice::Symbol => GeneNames::Symbol,
            GeneNamesChoice::Id => GeneNames::Id,
        };
        let genome = self.from.genome.clone();
        SampleOptions { gene_names, genome, allow_raw_matrix: self.from.allow_raw_matrix }
    }

    fn join(&self) -> Join {
        match self.from.join {
            JoinChoice::Inner => Join::Inner,
            JoinChoice::Outer => Join::Outer,
        }
    }

    /// Every input: lists of samples are read, and names given out.
    fn named(&self) -> Result<Vec<Named>, CliError> {
        let mut named = Vec::new();
        for input in self.inputs {
            match input.to_string_lossy().strip_prefix('@') {
                None => named.push(Named { path: input.clone(), name: None, columns: Vec::new() }),
                Some(sheet) => {
                    let samples = read_sample_sheet(Path::new(sheet))?.into_iter();
                    named.extend(samples.map(|sample| Named {
                        path: sample.path,
                        name: sample.name,
                        columns: sample.columns,
                    }));
                }
            }
        }
        let (found, n_inputs) = (self.from.batch_name.len(), named.len());
        if found > 0 && found != n_inputs {
            return Err(InputError::NamesOfInputs { found, n_inputs }.into());
        }
        for (named, name) in named.iter_mut().zip(&self.from.batch_name) {
            named.name = Some(name.clone());
        }
        let keys = |named: &Named| named.columns.iter().map(|(key, _)| key.clone()).collect();
        let lists: Vec<Vec<String>> = named.iter().map(keys).collect();
        match lists.iter().find(|keys| **keys != lists[0]) {
            None => Ok(named),
            Some(other) => Err(CliError::SampleColumns {
                first: scvi::listed(&lists[0]),
                other: scvi::listed(other),
            }),
        }
    }

    fn sample(
        &self,
        named: Named,
        options: &SampleOptions,
        trained_on: Option<&MatrixKey>,
        common: &Common,
    ) -> Result<NamedSample, CliError> {
        let Named { path, name, columns } = named;
        let sample = match Input::open(&path, options)? {
            Input::Other(sample) => *sample,
            Input::AnnData(path) => {
                let file = AnnDataFile::open(&path)?;
                let matrix = match trained_on {
                    None => Matrix::for_training(&file, &path, self.reading)?,
                    Some(key) => Matrix::for_model(&file, &path, self.reading, key)?,
                };
                // Joined, the samples have one matrix: there is no other to name any more.
                matrix.check_first(self.reading)?;
                let key = matrix.key;
                Sample::of_anndata(file, key)?
            }
        };
        for (kind, n) in sample.left_out() {
            tell(common, &format!("{}: left out {n} features of type {kind}", path.display()));
        }
        Ok(NamedSample { name: name.unwrap_or_else(|| sample_name(&path)), sample, columns })
    }

    /// A folder beside the outputs, where there is as much room as they need.
    fn folder(&self) -> Result<TempDir, CliError> {
        let parent =
            self.beside.and_then(Path::parent).map(|parent| match parent.as_os_str().len() {
                0 => Path::new("."),
                _ => parent,
            });
        let parent = self.reading.cache.clone().or(parent.map(Path::to_owned));
        let parent = parent.filter(|p| p.is_dir()).unwrap_or_else(env::temp_dir);
        let made = tempfile::Builder::new().prefix(".scvi-inputs-").tempdir_in(&parent);
        made.map_err(|source| IoError::Os { action: "create", path: parent, source }.into())
    }

    fn report(&self, joined: &Joined, names: &[String], label: Option<&str>, common: &Common) {
        let n_cells: usize = joined.cells.iter().sum();
        if names.len() < 2 {
            return;
        }
        let batches =
            label.map_or(String::new(), |label| format!("; batches: obs column '{label}'"));
        tell(
            common,
            &format!(
                "joined {} inputs: {n_cells} cells, {} genes{batches}",
                names.len(),
                joined.n_vars
            ),
        );
        for ((name, cells), left_out) in names.iter().zip(&joined.cells).zip(&joined.genes_left_out)
        {
            let without = match left_out {
                0 => String::new(),
                n => format!(", {n} genes left out that not all inputs have"),
            };
            tell(common, &format!("  {name}: {cells} cells{without}"));
        }
    }
}
