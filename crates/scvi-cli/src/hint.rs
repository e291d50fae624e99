//! What a user can do about an error, in the words of the verb that failed.
//!
//! What is to be typed stands in backquotes: options to add to the command, or to give another
//! value, or a command of its own. `tests/hints.rs` provokes every hint and types what it shows.

use std::path::Path;

use scvi::data::RepeatedGene;
use scvi::model::{DifferentialError, TaskError};
use scvi::module::MinifiedError;
use scvi::train::TrainError;
use scvi_io::inputs::InputError;
use scvi_io::{IoError, select_cells_command};

use crate::call::Call;
use crate::category_advice::of_categories;
use crate::error::{CliError, ListFault};
use crate::input_advice::of_input;
use crate::options::quoted;

/// How many of several choices a hint shows.
const SHOWN: usize = 3;
/// Above this learning rate a tenth of it may be too high as well.
const HIGH_LEARNING_RATE: f64 = 0.01;
const OF_EXTREME: &str =
    "raw counts are needed; leave out this cell or gene if the count is an error";
const OF_MINIFIED: &str = "give the file that the minified one was made from";

impl CliError {
    /// What the user can do about it, for the errors where there is something.
    pub fn hint(&self, call: &Call) -> Option<String> {
        let hint = match self {
            Self::Io(error) => return of_file(error, call),
            Self::Input(error) => match &**error {
                InputError::Io(error) => return of_file(error, call),
                error => return of_input(error, call),
            },
            Self::OfInputs { error, path, typed } => {
                return error.hint(call).map(|hint| hint.replace(path.as_str(), typed));
            }
            Self::Train { error } => return of_training(error, call),
            Self::Task { error } => return of_task(error),
            Self::ByGene { .. } => {
                "`--cache .` reads them from a temporary copy cell by cell, `--in-memory always` \
                 from memory"
                    .to_owned()
            }
            Self::NoMitoGenes { .. } => {
                "say what names of mitochondrial genes begin with: `--mito-prefix`".to_owned()
            }
            Self::SampleName { .. } => {
                "give each input a name without slashes with `--batch-name`".to_owned()
            }
            Self::EmptyCells { .. } => "`--drop-empty-cells` leaves them out".to_owned(),
            Self::GeneCount { .. } | Self::GeneNames { .. } => format!(
                "select the genes that the model was trained on: `scvi inspect {} --json` lists them",
                call.model()
            ),
            Self::Category { path, error } => return of_categories(path, error, call),
            Self::Untrained { columns, is_mapped, .. } => of_untrained(columns, *is_mapped, call),
            Self::UnknownGenes { .. } | Self::NoGenesListed { .. } => format!(
                "a list of genes has one name per line; `scvi inspect {} --json` lists those of the \
                 model",
                call.model()
            ),
            Self::RepeatedGene { error: RepeatedGene::InData { .. }, .. } => {
                "make names unique with `adata.var_names_make_unique()` of anndata".to_owned()
            }
            Self::RepeatedGene { error: RepeatedGene::InModel { .. }, .. } => {
                "give the genes that the model was trained on, in the same order, or train it on \
                 unique names, with `adata.var_names_make_unique()` of anndata"
                    .to_owned()
            }
            Self::RepeatedGeneListed { .. } => {
                "leave it out of the list, or train on unique names, with \
                 `adata.var_names_make_unique()` of anndata"
                    .to_owned()
            }
            Self::Cells { fault, .. } => return Some(of_list(*fault)),
            Self::NoMatrix { spelled, .. } => {
                format!("read another matrix: {}", one_of(spelled.iter().map(|name| layer(name))))
            }
            Self::NotCounts { spelled, matrix, value, .. } => {
                let counts = one_of(spelled.iter().map(|name| layer(name)));
                // The engine takes no negative value, whatever they mean.
                match *value >= 0.0 && value.is_finite() {
                    true => {
                        format!("read the counts: {counts}; `--allow-non-counts` reads {matrix}")
                    }
                    false => format!("read the counts: {counts}"),
                }
            }
            Self::GenesOfCopy { .. } => return of_copy(call),
            Self::Overlap { column: Some(column), .. } => format!(
                "column '{column}' of var has such names: `--var-names-column {}`",
                quoted(column)
            ),
            Self::Overlap { n_shared: 0, .. } => format!(
                "names of another kind match none; `scvi inspect {} --json` lists those of the \
                 reference",
                call.model()
            ),
            Self::Overlap { n_shared, n_genes, .. } => format!(
                "missing genes count as zeros: `--min-overlap {}` takes so many",
                (1000 * n_shared / n_genes) as f64 / 1000.0
            ),
            Self::Minified { .. } => OF_MINIFIED.to_owned(),
            Self::NoPosterior { path, others: Some(condition), .. } => format!(
                "`{}` writes the file without them",
                select_cells_command(Path::new(path), "with_counts", condition)
            ),
            Self::NoPosterior { .. } => "leave these cells out of the file".to_owned(),
            Self::IsMinified { .. } => format!(
                "it is used as it is, such as by `scvi latent --model {} {} --output -`",
                call.model(),
                call.input()
            ),
            Self::NotNumeric { .. } if call.has("categorical-covariate-key") => {
                "a column of categories goes to `--categorical-covariate-key`".to_owned()
            }
            Self::NotNumeric { .. } => "the model was trained on numbers in this column".to_owned(),
            Self::Numbers { .. } => "correct the values, or leave these cells out".to_owned(),
            Self::NeedsLabels { .. } => "name the column of obs with `--labels-key`".to_owned(),
            Self::NeedsUnlabeled => {
                "name it with `--unlabeled-category`; nan stands for missing values".to_owned()
            }
            Self::MissingLabels { .. } => {
                "`--unlabeled-category nan` takes them as unlabelled".to_owned()
            }
            Self::NoClassifier { class, .. } => {
                let (input, model) = (call.input(), call.model());
                // A SCANVI begins with no other class.
                let from = if class == "SCVI" { format!(" --from {model}") } else { String::new() };
                format!(
                    "`scvi train {input}{from} --labels-key cell_type \
                     --unlabeled-category Unknown --model {model}_scanvi` trains a model that has, \
                     on the labels of column cell_type"
                )
            }
            Self::Query { .. } => {
                "a query is such as 'cell_type == \"B\" and n_counts > 500'".to_owned()
            }
            Self::Diverged { is_extreme, lr, epochs_before, is_kept, .. } => {
                let replaced = if *is_kept { " --overwrite" } else { "" };
                let first = match is_extreme {
                    true => OF_EXTREME.to_owned(),
                    false => format!(
                        "a lower learning rate may help: `--lr {}{replaced}`",
                        lr.min(HIGH_LEARNING_RATE) / 10.0
                    ),
                };
                match epochs_before {
                    0 => first,
                    n => format!("{first}; `--max-epochs {n}{replaced}` ends before it diverges"),
                }
            }
            Self::Unfinished { .. } if call.has_input() => {
                "`--resume` goes on with it, `--overwrite` gives it up".to_owned()
            }
            Self::Unfinished { .. } => "`--overwrite` gives it up".to_owned(),
            Self::Config(_)
            | Self::BatchNameBeside { .. }
            | Self::Choice(_)
            | Self::State(_)
            | Self::Dataset(_)
            | Self::Threads { .. }
            | Self::TooFewCells { .. }
            | Self::NoCellsLeft { .. }
            | Self::NoGenes { .. }
            | Self::Mapping(_)
            | Self::NotScvi { .. }
            | Self::Option { .. }
            | Self::UnknownBatch { .. }
            | Self::Groups { .. }
            | Self::Analysis(_)
            | Self::Chart(_)
            | Self::UnknownColor { .. }
            | Self::RepeatedColor { .. }
            | Self::ManyColors { .. }
            | Self::Results(_)
            | Self::Interrupted { .. }
            | Self::Signals { .. }
            | Self::Stdout { .. } => return None,
        };
        Some(hint)
    }
}

/// What to do about a file.
fn of_file(error: &IoError, call: &Call) -> Option<String> {
    match error {
        IoError::Exists { .. } if call.has("overwrite") => {
            Some("`--overwrite` replaces it".to_owned())
        }
        IoError::InUse { path, .. } => Some(format!(
            "wait until that run has ended, or write beside it: `{}`",
            call.beside(path)
        )),
        IoError::OtherKind { kind, .. } => Some(format!("name it: `{}`", call.output_as(kind))),
        IoError::BadCount { .. } => Some(
            "raw counts are needed, not scaled or log-transformed values, and the file has no \
             other matrix with counts"
                .to_owned(),
        ),
        IoError::AmbiguousMatrix { spelled, .. } => {
            Some(format!("say which: {}", one_of(spelled.iter().map(|name| layer(name)))))
        }
        IoError::CannotCopy { .. } if writes_arrays(call) => {
            let rewrite = error.hint()?;
            let array = call.output_as("npy");
            Some(format!("{rewrite}; or write the result without the file: `{array}`"))
        }
        IoError::SeveralModels { path, files } => {
            let models = files.iter().map(|file| call.other_model(&path.join(file)));
            Some(format!("name one of them: {}", one_of(models)))
        }
        error => error.hint(),
    }
}

/// What to do about a model that was saved before it was trained.
fn of_untrained(columns: &str, is_mapped: bool, call: &Call) -> String {
    match call.verb.as_str() {
        "map" => "train it on its own cells first, with `scvi train` or model.train() in Python",
        _ if is_mapped => "train it on the query, with `scvi map` or model.train() in Python",
        _ => {
            let (input, model) = (call.input(), call.model());
            return format!(
                "`scvi train {input}{columns} --model {model}_trained` trains one of the same \
                 columns; or model.train() in Python"
            );
        }
    }
    .to_owned()
}

/// What to do about a training run.
fn of_training(error: &TrainError, call: &Call) -> Option<String> {
    match error {
        TrainError::NothingToValidate { option, .. } => {
            let monitor = match *option {
                "early_stopping" => "early-stopping-monitor",
                _ => "lr-scheduler-metric",
            };
            let limits = ["limit-val-batches 1.0", "validation-size 0.1", "train-size 0.9"];
            let is_given =
                |limit: &&str| limit.split(' ').next().is_some_and(|name| call.given(name));
            let limit = limits.into_iter().find(is_given).unwrap_or("train-size 0.9");
            Some(format!(
                "leave cells to validate on: `--{limit}`; or go by training cells: \
                 `--{monitor} elbo_train`"
            ))
        }
        TrainError::NoFullMinibatch { train, .. } => {
            Some(format!("take smaller minibatches: `--batch-size {train}`"))
        }
        _ => None,
    }
}

/// What to do about a task on a trained model.
fn of_task(error: &TaskError) -> Option<String> {
    match error {
        TaskError::Minified(MinifiedError::NeedsCounts { .. }) => Some(OF_MINIFIED.to_owned()),
        TaskError::Differential(DifferentialError::NoCounts) => {
            Some("give them: `--pseudocounts 1e-5`, for example".to_owned())
        }
        _ => None,
    }
}

/// What to do about a list of cells.
fn of_list(fault: ListFault) -> String {
    match fault {
        ListFault::Ambiguous => "say what the lines are: `--cells-by name` or `--cells-by row`",
        ListFault::Repeated => {
            "list row numbers and say so with `--cells-by row`, or make names unique with \
             `adata.obs_names_make_unique()` of anndata"
        }
        ListFault::Unknown => "a list of cells has a cell name or a row number (from 0) per line",
        ListFault::NamedAsQuery => "write `./` before the file, or parentheses around the query",
    }
    .to_owned()
}

/// What to do where a copy has no place for the genes of raw.
fn of_copy(call: &Call) -> Option<String> {
    match call.verb.as_str() {
        "minify" => Some("`--keep-counts` keeps raw, which has the genes of the model".to_owned()),
        "parameters" => Some(format!("write the result alone: `{}`", call.output_as("npz"))),
        _ => Some(format!("write the result alone: `{}`", call.output_as("npy"))),
    }
}

/// Whether the output of a verb may be an array of numpy.
fn writes_arrays(call: &Call) -> bool {
    matches!(call.verb.as_str(), "train" | "map" | "latent" | "normalize")
}

/// What is typed to read a matrix.
fn layer(name: &str) -> String {
    let name = quoted(name);
    if name.starts_with('-') { format!("--layer={name}") } else { format!("--layer {name}") }
}

/// The first of several things to type.
pub fn one_of(choices: impl Iterator<Item = String>) -> String {
    let shown: Vec<String> = choices.take(SHOWN).map(|choice| format!("`{choice}`")).collect();
    shown.join(" or ")
}
