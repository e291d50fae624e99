//! From an .h5ad file to what the engine trains on or evaluates.

mod chosen_genes;
mod columns;
mod counts;
mod genes;
mod matrix;
mod prepared;
mod query;
mod samples;
mod trained;

use std::path::Path;

use columns::Columns;
use counts::Counts;
use genes::same_genes;
use matrix::{Matrix, fraction_note};
use scvi::data::{GeneOverlap, MatrixKey, NameIndex, Registry, Survey};
use scvi::model::TaskError;
use scvi::module::MinifiedDataType;
use scvi::preprocess::Batches;
use scvi_io::anndata::AnnDataFile;
use scvi_io::{ModelMeta, SavedModel};

pub use chosen_genes::{GeneTable, gene_table};
pub use prepared::{Names, Prepared};
pub use query::{Query, for_query};
pub use samples::open_inputs;
pub use trained::open_trained;

use crate::args::{Common, InMemory, ModelInput, ReadArgs, ShuffleArgs, TrainArgs};
use crate::error::CliError;
use crate::log::{detail, note, tell};

/// More genes than that are rarely meant to be trained on.
const MANY_GENES: usize = 10_000;

/// Reads what `scvi train` learns from.
pub fn for_training(path: &Path, args: &TrainArgs, common: &Common) -> Result<Prepared, CliError> {
    let file = AnnDataFile::open(path)?;
    let matrix = Matrix::for_training(&file, path, &args.reading)?;
    if matrix.genes.is_empty() {
        return Err(CliError::NoGenes { path: path.display().to_string() });
    }
    require_counts(&file, path, "training")?;
    warn_of_repeated_names("gene", &matrix.genes, common);
    warn_of_repeated_names("cell", file.obs_names(), common);
    // Columns before counts: a misspelt key should not wait for a large matrix.
    let layer = matrix.key.clone();
    let (columns, registry) = Columns::for_training(
        &file,
        path,
        &args.data,
        layer,
        args.from.batch_name.first().map(String::as_str),
        common,
    )?;
    let how = How {
        empty_cells: EmptyCells::from_option(args.data.drop_empty_cells),
        reading: &args.reading,
        shuffling: Some(&args.shuffle),
    };
    let selection = args.genes.selection();
    if !selection.is_empty() {
        matrix.check_first(&args.reading)?;
    }
    let batches = match &registry.batch {
        None => Batches::default(),
        Some(field) => {
            Batches::new(field, &columns.batch).map_err(|error| CliError::category(path, error))?
        }
    };
    let chosen = chosen_genes::for_training(&matrix, path, &batches, &selection, common)?;
    let genes = chosen.as_ref().map(|chosen| (&chosen.overlap, &chosen.names[..]));
    let mut prepared = read(&matrix, registry, columns, genes, how, common)?;
    prepared.gene_selection = chosen.map(|chosen| chosen.meta);
    let n_cells = prepared.counts.n_cells();
    if n_cells < 2 {
        let after = if prepared.kept.is_some() { " with counts" } else { "" };
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
    let (found, expected) = (matrix.genes.len(), meta.var_names.len());
    // A model may have been trained on some of the genes.
    if found < expected {
        let path = path.display().to_string();
        return Err(CliError::GeneCount { path, matrix: matrix.key.to_string(), found, expected });
    }
    let genes = same_genes(path, &matrix.genes, &meta.var_names)?;
    let columns = Columns::for_model(
        &file,
        path,
        &meta.registry,
        source.from.batch_name.first().map(String::as_str),
        meta.needs_labels(),
    )?;
    let registry = Registry { layer: matrix.key.clone(), ..meta.registry.clone() };
    if genes.n_extra() > 0 {
        let n = genes.n_extra();
        note(common, &format!("left out {n} genes of {} that the model does not know", matrix.key));
    }
    let mut places = None;
    if !genes.is_identity() {
        let known: Vec<u32> = genes.places().iter().flatten().copied().collect();
        if !known.is_sorted() {
            note(common, "genes stand in another order than in the model; matched by name");
        }
        places = Some(known);
    }
    let overlap = Some((&genes, &meta.var_names[..]));
    let empty = match kind {
        Some(MinifiedDataType::LatentPosteriorParameters) => EmptyCells::Take,
        _ => EmptyCells::from_option(source.drop_empty_cells),
    };
    let how = How { empty_cells: empty, reading: &source.reading, shuffling: None };
    let mut prepared = read(&matrix, registry, columns, overlap, how, common)?;
    prepared.places = places;
    if matrix.key == MatrixKey::Raw {
        prepared.places_in_var = places_in_var(&file, meta);
    }
    if let Some(kind) = kind {
        let posterior = file.posterior()?;
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

/// What becomes of cells without a single count.
#[derive(Clone, Copy, PartialEq)]
enum EmptyCells {
    /// They are an error.
    Refuse,
    /// They are left out.
    LeaveOut,
    /// They are taken as they are: no cell of a minified file has counts.
    Take,
}

impl EmptyCells {
    fn from_option(drop_empty_cells: bool) -> Self {
        if drop_empty_cells { Self::LeaveOut } else { Self::Refuse }
    }
}

/// How counts are read.
struct How<'a> {
    empty_cells: EmptyCells,
    reading: &'a ReadArgs,
    /// In which order training will want them.
    shuffling: Option<&'a ShuffleArgs>,
}

/// Reads counts, those of a model in its genes' columns.
fn read(
    matrix: &Matrix<'_>,
    registry: Registry,
    mut columns: Columns,
    model: Option<(&GeneOverlap, &[String])>,
    how: How<'_>,
    common: &Common,
) -> Result<Prepared, CliError> {
    let &Matrix { file, path, ref key, ref genes } = matrix;
    let mut stored = file.stored_counts(key)?;
    let is_any_value_taken = how.reading.allow_non_counts || how.empty_cells == EmptyCells::Take;
    if !is_any_value_taken {
        matrix.check_first(how.reading)?;
    }
    if let Some((overlap, names)) = model.filter(|(overlap, _)| !overlap.is_identity()) {
        stored = stored.place_genes(overlap.places(), names.len());
    }
    let opened = Counts::open(file, stored, how.reading, how.shuffling);
    let (mut counts, survey) = opened.map_err(|error| matrix.explain(error))?;
    if how.shuffling.is_some() && model.is_none() {
        tell_of_genes(&survey, counts.n_genes(), common);
    }
    let var_names = model.map_or(&genes[..], |(_, names)| names);
    let place = if counts.is_streamed() { "in the file" } else { "in memory" };
    let (n_cells, n_genes) = (counts.n_cells(), counts.n_genes());
    let nnz = survey.nnz;
    let path_shown = path.display();
    detail(
        common,
        &format!(
            "{path_shown}: {key} of {n_cells} cells x {n_genes} genes, {nnz} nonzeros, {place}"
        ),
    );
    if counts.is_streamed() && how.reading.in_memory == InMemory::Auto {
        let gib = survey.nnz as f64 * counts::COUNT_BYTES as f64 / (1u64 << 30) as f64;
        note(
            common,
            &format!(
                "counts would take {gib:.1} GiB in memory: they stay in the file, and training \
                 shuffles blocks of cells (--in-memory always|never; --cache for compressed files)"
            ),
        );
    }
    if let Some((cell, gene, value)) = survey.first_fraction {
        let (cell, gene) = (&file.obs_names()[cell], &var_names[gene as usize]);
        if !is_any_value_taken
            && let Some(error) = matrix.not_counts(value.into(), cell.clone(), gene.clone())
        {
            return Err(error);
        }
        note(common, &fraction_note(key, value, cell, gene, "scVI models counts"));
    }
    let empty = match how.empty_cells {
        EmptyCells::Take => Vec::new(),
        _ => survey.empty_cells,
    };
    let mut kept = None;
    if !empty.is_empty() {
        if how.empty_cells == EmptyCells::Refuse {
            let names = scvi::listed(empty.iter().map(|&cell| &file.obs_names()[cell]));
            let within = match model {
                Some((overlap, names)) if overlap.n_extra() > 0 => {
                    format!("in the {} genes that are used", names.len())
                }
                _ => "at all".to_owned(),
            };
            return Err(CliError::EmptyCells {
                path: path.display().to_string(),
                within,
                n_empty: empty.len(),
                n_cells: counts.n_cells(),
                names,
                others: of_python(key)
                    .filter(|_| model.is_none_or(|(overlap, _)| overlap.n_extra() == 0))
                    .map(|counts| format!("{counts}.sum(1) > 0")),
            });
        }
        let rows: Vec<usize> =
            (0..counts.n_cells()).filter(|c| empty.binary_search(c).is_err()).collect();
        counts = counts.select(&rows);
        columns.select(&rows);
        note(common, &format!("left out {} cells without counts", empty.len()));
        kept = Some(rows);
    }
    Ok(Prepared {
        path: path.to_owned(),
        counts,
        columns,
        registry,
        var_names: var_names.to_vec(),
        obs_names: file.obs_names().to_vec(),
        kept,
        places: None,
        places_in_var: None,
        posterior: None,
        gene_selection: None,
    })
}

/// A matrix of `adata` in Python; none where its name would need quoting.
fn of_python(key: &MatrixKey) -> Option<String> {
    let is_plain = |name: &str| name.chars().all(|c| c.is_alphanumeric() || "_-. ".contains(c));
    match key {
        MatrixKey::X => Some("adata.X".to_owned()),
        MatrixKey::Raw => Some("adata.raw.X".to_owned()),
        MatrixKey::Layer(name) => is_plain(name).then(|| format!("adata.layers['{name}']")),
    }
}

/// Says which names stand for several cells or genes.
fn warn_of_repeated_names(what: &str, names: &[String], common: &Common) {
    if let Some(text) = NameIndex::new(names).warning(what) {
        note(common, &text);
    }
}

/// Says where genes could be chosen, and by which option.
fn tell_of_genes(survey: &Survey, n_genes: usize, common: &Common) {
    let never = n_genes - survey.n_genes_seen();
    let option = "--n-top-genes trains on the most variable";
    if never > 0 {
        tell(common, &format!("{never} of {n_genes} genes have no count in any cell ({option})"));
    } else if n_genes > MANY_GENES {
        tell(common, &format!("training on all of {n_genes} genes ({option})"));
    }
}
