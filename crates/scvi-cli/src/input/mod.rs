//! From an .h5ad file to what the engine trains on or evaluates.

mod columns;
mod counts;
mod genes;
mod query;

use std::path::{Path, PathBuf};

use columns::Columns;
use counts::Counts;
use genes::same_genes;
use scvi::data::{CategoricalField, CategoryKind, Dataset, GeneOverlap, Registry};
use scvi::model::TaskError;
use scvi::module::{MinifiedDataType, PosteriorRows};
use scvi_io::anndata::{AnnDataFile, CountsKey};
use scvi_io::{ModelMeta, SavedModel, open_model};

pub use query::{Query, for_query};

use crate::args::{Common, InMemory, ModelInput, ReadArgs, ShuffleArgs, TrainArgs};
use crate::error::CliError;

/// Counts and covariates of the cells in use.
pub struct Prepared {
    pub path: PathBuf,
    pub counts: Counts,
    pub columns: Columns,
    pub registry: Registry,
    pub var_names: Vec<String>,
    /// Names of all cells of the file.
    pub obs_names: Vec<String>,
    /// Rows of the file that are in use, where cells were left out.
    kept: Option<Vec<usize>>,
    /// Number in the model of each gene of the file, where their orders differ.
    places: Option<Vec<u32>>,
    /// What a minified file holds of its cells.
    posterior: Option<(MinifiedDataType, PosteriorRows<f32>)>,
}

impl Prepared {
    /// Counts with their covariates.
    pub fn dataset(&self) -> Result<Dataset<'_>, CliError> {
        let Columns { batch, labels, categories, continuous, size_factor } = &self.columns;
        let mut data = Dataset::new(self.counts.source(), batch.clone())?;
        if !labels.is_empty() {
            data = data.with_labels(labels.clone())?;
        }
        if !size_factor.is_empty() {
            data = data.with_size_factor(size_factor.clone())?;
        }
        if let Some((_, posterior)) = &self.posterior {
            data = data.with_posterior(posterior.clone())?;
        }
        let data = data.with_categories(by_cell(categories), categories.len())?;
        Ok(data.with_continuous(by_cell(continuous), continuous.len())?)
    }

    /// Rows of the file that are in use, where cells were left out.
    pub fn kept(&self) -> Option<&[usize]> {
        self.kept.as_deref()
    }

    /// Numbers of the model's genes in the order of the file.
    pub fn genes_of_file(&self) -> Vec<u32> {
        let in_order = || (0..self.var_names.len() as u32).collect();
        self.places.clone().unwrap_or_else(in_order)
    }

    /// Names of the cells in use.
    pub fn kept_names(&self) -> Vec<String> {
        match &self.kept {
            None => self.obs_names.clone(),
            Some(kept) => kept.iter().map(|&row| self.obs_names[row].clone()).collect(),
        }
    }

    /// Row of the file of each cell in use.
    pub fn rows(&self) -> impl Iterator<Item = usize> {
        let n = self.kept.as_ref().map_or(self.obs_names.len(), Vec::len);
        (0..n).map(|cell| self.kept.as_ref().map_or(cell, |kept| kept[cell]))
    }

    /// Rows of the cells in use as rows of the file; NaN for cells that were left out.
    pub fn all_rows(&self, values: Vec<f32>) -> Vec<f32> {
        let Some(kept) = &self.kept else { return values };
        let columns = values.len() / kept.len().max(1);
        let mut all = vec![f32::NAN; self.obs_names.len() * columns];
        for (&row, values) in kept.iter().zip(values.chunks_exact(columns)) {
            all[row * columns..][..columns].copy_from_slice(values);
        }
        all
    }

    /// Takes counts that were made, not read.
    pub fn simulated(path: PathBuf, sim: &scvi::data::simulate::Simulated, names: Names) -> Self {
        let batches = sim.batch.iter().max().map_or(0, |&b| b + 1);
        let categories = (0..batches).map(|b| format!("batch_{b}")).collect();
        let kind = CategoryKind::Text;
        let batch = Some(CategoricalField { key: "batch".to_owned(), categories, kind });
        Self {
            path,
            counts: sim.counts.clone().into(),
            columns: Columns { batch: sim.batch.clone(), ..Columns::default() },
            registry: Registry { batch, ..Registry::default() },
            var_names: names.genes,
            obs_names: names.cells,
            kept: None,
            places: None,
            posterior: None,
        }
    }
}

/// One list a covariate, as a row a cell.
fn by_cell<T: Copy>(lists: &[Vec<T>]) -> Vec<T> {
    let cells = lists.first().map_or(0, Vec::len);
    (0..cells).flat_map(|cell| lists.iter().map(move |list| list[cell])).collect()
}

/// Names of simulated cells and genes.
pub struct Names {
    pub cells: Vec<String>,
    pub genes: Vec<String>,
}

/// Reads what `scvi train` learns from.
pub fn for_training(path: &Path, args: &TrainArgs, common: &Common) -> Result<Prepared, CliError> {
    let file = AnnDataFile::open(path)?;
    if file.n_vars() == 0 {
        return Err(CliError::NoGenes { path: path.display().to_string() });
    }
    require_counts(&file, path, "training")?;
    // Columns before counts: a misspelt key should not wait for a large matrix.
    let (columns, registry) = Columns::for_training(&file, path, &args.data, common)?;
    let how = How {
        empty_cells: EmptyCells::from_option(args.data.drop_empty_cells),
        reading: &args.reading,
        shuffling: Some(&args.shuffle),
    };
    let prepared = read(&file, path, registry, columns, None, how, common)?;
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
    let mut model = open_model(&source.model)?;
    let prepared = cells_for(&mut model, source, common)?;
    Ok((model, prepared))
}

/// The cells alone, for commands that look something up in the model before they read a matrix.
pub fn cells_for(
    model: &mut SavedModel,
    source: &ModelInput,
    common: &Common,
) -> Result<Prepared, CliError> {
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

/// Reads cells for a trained model: its layer, its columns, its genes in its order.
fn for_model(source: &ModelInput, meta: &ModelMeta, common: &Common) -> Result<Prepared, CliError> {
    let path = &source.input;
    let file = AnnDataFile::open(path)?;
    let expected = meta.var_names.len();
    if file.n_vars() != expected {
        let path = path.display().to_string();
        return Err(CliError::GeneCount { path, found: file.n_vars(), expected });
    }
    let genes = same_genes(path, file.var_names(), &meta.var_names)?;
    let columns = Columns::for_model(&file, path, &meta.registry, meta.needs_labels())?;
    let registry = meta.registry.clone();
    let mut places = None;
    if !genes.is_identity() {
        note(common, "genes stand in another order than in the model; matched by name");
        places = Some(genes.places().iter().flatten().copied().collect());
    }
    let genes = Some((&genes, &meta.var_names[..]));
    let kind = file.minified_data_type()?;
    let empty = match kind {
        Some(MinifiedDataType::LatentPosteriorParameters) => EmptyCells::Take,
        _ => EmptyCells::from_option(source.drop_empty_cells),
    };
    let how = How { empty_cells: empty, reading: &source.reading, shuffling: None };
    let mut prepared = read(&file, path, registry, columns, genes, how, common)?;
    prepared.places = places;
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
    file: &AnnDataFile,
    path: &Path,
    registry: Registry,
    mut columns: Columns,
    genes: Option<(&GeneOverlap, &[String])>,
    how: How<'_>,
    common: &Common,
) -> Result<Prepared, CliError> {
    let key = registry.layer.clone().map_or(CountsKey::X, CountsKey::Layer);
    let mut stored = file.stored_counts(&key)?;
    if let Some((overlap, names)) = genes.filter(|(overlap, _)| !overlap.is_identity()) {
        stored = stored.place_genes(overlap.places(), names.len());
    }
    let (mut counts, survey) = Counts::open(file, stored, how.reading, how.shuffling)?;
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
    if !survey.is_integral {
        let place = key.place();
        note(
            common,
            &format!("{place} holds values that are not whole numbers; scVI models counts"),
        );
    }
    let empty = match how.empty_cells {
        EmptyCells::Take => Vec::new(),
        _ => survey.empty_cells,
    };
    let mut kept = None;
    if !empty.is_empty() {
        if how.empty_cells == EmptyCells::Refuse {
            let names: Vec<&str> =
                empty.iter().take(10).map(|&c| file.obs_names()[c].as_str()).collect();
            return Err(CliError::EmptyCells {
                path: path.display().to_string(),
                n_empty: empty.len(),
                n_cells: counts.n_cells(),
                first: names.join(", "),
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
        var_names: genes.map_or(file.var_names(), |(_, names)| names).to_vec(),
        obs_names: file.obs_names().to_vec(),
        kept,
        places: None,
        posterior: None,
    })
}

/// A line of advice on stderr.
pub fn note(common: &Common, text: &str) {
    if !common.quiet {
        eprintln!("warning: {text}");
    }
}
