//! The command that makes use of a model that was just trained.

use std::path::{Path, PathBuf};

use scvi_io::anndata::check_copy;
use scvi_io::output::free_name;

use super::demonstration;
use crate::args::TrainArgs;
use crate::input::Prepared;
use crate::options::{quoted, reading_options};

/// A command that works if typed: it predicts the labels that were learned; else it writes the latent
/// representation, or where that is written already compares groups of cells, or evaluates the model.
pub fn next_step(
    args: &TrainArgs,
    model: &Path,
    prepared: &Prepared,
    run_options: &[String],
    classifies: bool,
) -> String {
    let is_demonstration = args.input.is_none();
    let (verb, more) = match groups(args, prepared) {
        _ if classifies => {
            ("predict", vec!["--output".to_owned(), shown(&free(PathBuf::from("labels.csv")))])
        }
        _ if args.output.is_none() && !is_demonstration => {
            ("latent", vec!["--output".to_owned(), shown(&latent_output(prepared))])
        }
        Some(column) => {
            let output = shown(&free(PathBuf::from("de.csv")));
            ("de", ["--groupby", &column, "--output", &output].map(str::to_owned).to_vec())
        }
        None => ("evaluate", Vec::new()),
    };
    let mut words = ["scvi", verb, "--model"].map(str::to_owned).to_vec();
    words.push(shown(model));
    match is_demonstration {
        true => words.push(demonstration::DATA.to_owned()),
        false => words.extend(args.inputs.iter().map(|input| shown(input))),
    }
    words.extend(reading_options(verb, run_options));
    words.extend(more);
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The column with the groups of cells that can be compared.
fn groups(args: &TrainArgs, prepared: &Prepared) -> Option<String> {
    if args.input.is_none() {
        return Some(demonstration::CELL_TYPE.to_owned());
    }
    let labels = prepared.registry.labels.as_ref()?;
    (labels.categories.len() > 1).then(|| labels.key.clone())
}

/// A copy of the input where there can be one, or else a table.
fn latent_output(prepared: &Prepared) -> PathBuf {
    let kind = if prepared.path.is_dir() { "zarr" } else { "h5ad" };
    let copy = free(Path::new("latent").with_extension(kind));
    match check_copy(&prepared.path, &copy, false) {
        Ok(()) => copy,
        Err(_) => free(PathBuf::from("latent.csv")),
    }
}

/// The path, or another name where it is taken.
fn free(path: PathBuf) -> PathBuf {
    if path.symlink_metadata().is_ok() { free_name(&path, true) } else { path }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
