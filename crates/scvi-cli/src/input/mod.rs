//! From an .h5ad file to what the engine trains on or evaluates.

mod cell_selection;
mod chosen_genes;
mod columns;
mod counts;
mod genes;
mod labels;
mod matrix;
mod prepared;
mod qc;
mod query;
mod read;
mod samples;
mod trained;
mod typed;

use std::path::Path;

use cell_selection::CellSelection;
use columns::Columns;
use genes::genes_of_model;
use matrix::Matrix;
use read::{EmptyCells, How, read};
use scvi::data::{GeneOverlap, MatrixKey, NameIndex, Registry};
use scvi::model::TaskError;
use scvi::module::MinifiedDataType;
use scvi::preprocess::Batches;
use scvi_io::anndata::AnnDataFile;
use scvi_io::{ModelMeta, SavedModel};

pub use chosen_genes::{GeneTable, gene_table};
pub use prepared::{Names, Prepared};
pub use qc::{QcTable, qc_table};
pub use query::{Query, for_query};
pub use samples::{named_inputs, open_inputs};
pub use trained::open_trained;

use crate::args::{Common, ModelInput, ReadArgs, TrainArgs};
use crate::error::CliError;
use crate::log::{detail, note};

/// Reads what `scvi train` learns from; where it begins with an `scvi` model, in its columns.
pub fn for_training(
    path: &Path,
    args: &TrainArgs,
    scvi: Option<&ModelMeta>,
    common: &Common,
) -> Result<Prepared, CliError> {
    let file = AnnDataFile::open(path)?;
    let matrix = match scvi {
        None => Matrix::for_training(&file, path, &args.reading)?,
        Some(scvi) => Matrix::for_model(&file, path, &args.reading, &scvi.registry.layer)?,
    };
    if matrix.genes.is_empty() {
        return Err(CliError::NoGenes { path: path.display().to_string() });
    }
    require_counts(&file, path, "training")?;
    warn_of_repeated_names("gene", &matrix.genes, common);
    warn_of_repeated_names("cell", file.obs_names(), common);
    // Columns before counts: a misspelt key should not wait for a large matrix.
    let layer = matrix.key.clone();
    let batch_name = args.from.batch_name.first().map(String::as_str);
    let unlabeled = args.labels.unlabeled_category.as_deref();
    let (columns, registry) = match (scvi, args.data.labels_key.as_deref().zip(unlabeled)) {
        (Some(scvi), Some(labels)) => {
            let registry = Registry { layer, ..scvi.registry.clone() };
            Columns::for_labels(&file, path, &registry, labels, batch_name, &args.data, common)?
        }
        _ => {
            let (data, layer) = (&args.data, layer);
            Columns::for_training(&file, path, data, layer, batch_name, unlabeled, common)?
        }
    };
    let selection = args.genes.selection();
    if !selection.is_empty() {
        matrix.check_first(&args.reading)?;
    }
    let cells = CellSelection::new(&matrix, &args.cells, &args.reading)?;
    let batches = match &registry.batch {
        None => Batches::default(),
        Some(field) => {
            let codes = cells.codes(&columns.batch);
            Batches::new(field, &codes).map_err(|error| CliError::category(path, error))?
        }
    };
    let rows = cells.rows.as_deref();
    let chosen = chosen_genes::for_training(&matrix, rows, &batches, &selection, common)?;
    let how = How {
        cells,
        empty_cells: EmptyCells::from_option(&args.cells),
        reading: &args.reading,
        shuffling: Some(&args.shuffle),
        keep_dropped_cells: args.keep_dropped_cells,
    };
    let of_scvi = scvi.map(|scvi| genes_of_model(&matrix, scvi, common)).transpose()?;
    let genes = match (&chosen, scvi.zip(of_scvi.as_ref())) {
        (Some(chosen), _) => Some((&chosen.overlap, &chosen.names[..])),
        (None, of_scvi) => of_scvi.map(|(scvi, genes)| (genes, &scvi.var_names[..])),
    };
    let mut prepared = read(&matrix, registry, columns, genes, how, common)?;
    prepared.gene_selection = match scvi {
        Some(scvi) => scvi.gene_selection.clone(),
        None => chosen.map(|chosen| chosen.meta),
    };
    let n_cells = prepared.counts.n_cells();
    if n_cells < 2 {
        let after = if prepared.kept.is_some() { " left" } else { "" };
        return Err(CliError::TooFewCells { path: path.display().to_string(), n_cells, after });
    }
    Ok(prepared)
}

/// Opens a model, and reads cells for it. Where these are minified the model takes their stored
/// posteriors, and refuses what needs counts.
pub fn open(source: &ModelInput, common: &Common) -> Result<(SavedModel, Prepared), CliError> {
    let mut model = open_trained(&source.model)?;
    let prepared = cells_for(&mut model, source, common)?;
    Ok((model, prepared))
}

/// The cells alone, for commands that look something up in the model before they read a matrix.
pub fn cells_for(
    model: &mut SavedModel,
    source: &ModelInput,
    common: &Common,
) -> Result<Prepared, CliError> {
    let ModelMeta { model_class, config, .. } = &model.meta;
    let (path, n_latent) = (source.model.display(), config.n_latent);
    detail(
        common,
        &format!("{path}: {model_class} of {} genes, n_latent {n_latent}", config.n_input),
    );
    let prepared = for_model(source, &model.meta, common)?;
    let kind = prepared.posterior.as_ref().map(|(kind, _)| *kind);
    model.vae.set_minified_data_type(kind).map_err(TaskError::from)?;
    Ok(prepared)
}

/// Refuses minified files that hold no counts.
fn require_counts(file: &AnnDataFile, path: &Path, task: &'static str) -> Result<(), CliError> {
    match file.minified_data_type()? {
        Some(MinifiedDataType::LatentPosteriorParameters) => {
            Err(CliError::Minified { path: path.display().to_string(), task })
        }
        Some(MinifiedDataType::LatentPosteriorParametersWithCounts) | None => Ok(()),
    }
}

/// Reads cells for a trained model: its matrix, its columns, its genes in its order.
fn for_model(source: &ModelInput, meta: &ModelMeta, common: &Common) -> Result<Prepared, CliError> {
    let path = &source.input;
    let file = AnnDataFile::open(path)?;
    let kind = file.minified_data_type()?;
    let matrix = matrix_for_model(&file, path, &source.reading, meta)?;
    let genes = genes_of_model(&matrix, meta, common)?;
    let columns = Columns::for_model(
        &file,
        path,
        &meta.registry,
        source.from.batch_name.first().map(String::as_str),
        meta.needs_labels(),
    )?;
    let registry = Registry { layer: matrix.key.clone(), ..meta.registry.clone() };
    let known = || genes.places().iter().flatten().copied().collect();
    let places = (!genes.is_identity()).then(known);
    let overlap = Some((&genes, &meta.var_names[..]));
    let empty = match kind {
        Some(MinifiedDataType::LatentPosteriorParameters) => EmptyCells::Take,
        _ => EmptyCells::from_option(&source.cells),
    };
    if source.cells.are_filtered() {
        require_counts(&file, path, "filtering cells")?;
    }
    let how = How {
        cells: CellSelection::new(&matrix, &source.cells, &source.reading)?,
        empty_cells: empty,
        reading: &source.reading,
        shuffling: None,
        keep_dropped_cells: false,
    };
    let mut prepared = read(&matrix, registry, columns, overlap, how, common)?;
    prepared.places = places;
    if matrix.key == MatrixKey::Raw {
        prepared.places_in_var = places_in_var(&file, meta);
    }
    if let Some(kind) = kind {
        let posterior = file.posterior(meta.posterior_keys())?;
        let posterior = match &prepared.kept {
            None => posterior,
            Some(rows) => posterior.select(rows),
        };
        prepared.posterior = Some((kind, posterior));
    }
    Ok(prepared)
}

/// The matrix of a file that is read for a model.
fn matrix_for_model<'a>(
    file: &'a AnnDataFile,
    path: &'a Path,
    args: &ReadArgs,
    meta: &ModelMeta,
) -> Result<Matrix<'a>, CliError> {
    match file.minified_data_type()? {
        // Whatever the model was trained on: all that is left are zeros in X and in layers.
        Some(MinifiedDataType::LatentPosteriorParameters) if args.layer.is_none() => {
            Matrix::of(file, path, MatrixKey::X)
        }
        _ => Matrix::for_model(file, path, args, &meta.registry.layer),
    }
}

/// Number in the model of each gene of var, if they are the model's genes.
fn places_in_var(file: &AnnDataFile, meta: &ModelMeta) -> Option<Vec<u32>> {
    let overlap = GeneOverlap::new(file.var_names(), &meta.var_names).ok()?;
    let is_same = overlap.missing().is_empty() && overlap.n_extra() == 0;
    is_same.then(|| overlap.places().iter().flatten().copied().collect())
}

/// Refuses results with a value a gene in a copy of a file whose var has other genes than the model.
pub fn check_genes_of_copy(path: &Path, args: &ReadArgs, meta: &ModelMeta) -> Result<(), CliError> {
    let file = AnnDataFile::open(path)?;
    let matrix = matrix_for_model(&file, path, args, meta)?;
    // Of a file with fewer genes the missing one is named when its matrix is read.
    let is_larger = file.n_vars() > meta.var_names.len() || matrix.key == MatrixKey::Raw;
    if !is_larger || places_in_var(&file, meta).is_some() {
        return Ok(());
    }
    Err(CliError::GenesOfCopy {
        path: path.display().to_string(),
        n_vars: file.n_vars(),
        n_genes: meta.var_names.len(),
    })
}

/// Says which names stand for several cells or genes.
fn warn_of_repeated_names(what: &str, names: &[String], common: &Common) {
    if let Some(text) = NameIndex::new(names).warning(what) {
        note(common, &text);
    }
}
