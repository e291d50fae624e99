//! A trained model as a folder: what is kept beside its tensors, and both directions.

use std::path::Path;

use scvi::Cpu;
use scvi::data::{CategoricalField, Registry, Split};
use scvi::module::{Vae, VaeConfig};
use scvi::nn::{StateDict, Tensor as StateTensor};
use scvi::train::{History, Stop};
use serde::{Deserialize, Serialize};

use crate::IoError;
use crate::input_meta::InputMeta;
use crate::model_dir::{
    HistoryTable, META_FILE, TENSORS_FILE, Tensor, Tensors, read_model_dir, write_model_dir,
};

/// The newest format version this program reads, and the one it writes.
pub const FORMAT_VERSION: u32 = 2;

/// `model.json`: everything about a model but its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelMeta {
    /// Version of the folder's format.
    pub format_version: u32,
    /// The program that wrote it, with its version.
    pub program: String,
    /// The class of scvi-tools that the model corresponds to.
    pub model_class: String,
    /// The module's configuration.
    pub config: VaeConfig,
    /// Layer and columns the model was set up with.
    pub registry: Registry,
    /// Names of the genes, in the order of the model's inputs.
    pub var_names: Vec<String>,
    /// Cells it was trained and validated on, as row numbers of its data.
    pub split: Split,
    /// How training went.
    pub training: TrainingMeta,
    /// The input it was trained on; none in the first format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<InputMeta>,
}

/// How a model was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingMeta {
    /// Cells of the data set.
    pub n_cells: usize,
    /// Epochs done.
    pub epochs: usize,
    /// Why training ended: `max_epochs`, `early_stopping` or `interrupted`.
    pub stop: String,
    /// Cells of a minibatch.
    pub batch_size: usize,
    /// Seed of weights, split, order and noise.
    pub seed: u64,
}

impl TrainingMeta {
    /// The word for why training ended.
    pub fn stop_word(stop: Stop) -> String {
        match stop {
            Stop::MaxEpochs => "max_epochs",
            Stop::EarlyStopping => "early_stopping",
            Stop::Interrupted => "interrupted",
        }
        .to_owned()
    }
}

/// Writes a model folder: `model.safetensors`, `model.json`, `history.csv`; whole or not at all.
///
/// The same model gives the same bytes.
///
/// # Errors
/// Where the folder exists (and `overwrite` is not set) or cannot be written.
pub fn save_model(
    dir: impl AsRef<Path>,
    vae: &mut Vae<Cpu<f32>>,
    meta: &ModelMeta,
    history: &History,
    overwrite: bool,
) -> Result<(), IoError> {
    let tensors: Tensors = vae
        .state_dict()
        .into_iter()
        .map(|(name, t)| (name, Tensor { shape: t.shape, values: t.data }))
        .collect();
    let table = HistoryTable {
        columns: History::COLUMNS.map(str::to_owned).to_vec(),
        rows: history.rows().map(|row| row.map(|v| v.unwrap_or(f64::NAN)).to_vec()).collect(),
    };
    write_model_dir(dir, &tensors, meta, &table, overwrite)
}

/// Reads a model folder.
///
/// # Errors
/// Where the folder is none, is of a newer format, or its parts contradict each other.
pub fn load_model(dir: impl AsRef<Path>) -> Result<(Vae<Cpu<f32>>, ModelMeta), IoError> {
    let dir = dir.as_ref();
    let (tensors, meta): (Tensors, ModelMeta) = read_model_dir(dir, FORMAT_VERSION)?;
    let fault = |problem: String| IoError::NotModelDir { path: dir.to_owned(), problem };
    let spec = meta.config.validate().map_err(|e| fault(format!("{META_FILE}: {e}")))?;
    if meta.var_names.len() != meta.config.n_input {
        let (names, genes) = (meta.var_names.len(), meta.config.n_input);
        return Err(fault(format!("{META_FILE}: {names} var_names for {genes} genes")));
    }
    check_registry(&meta).map_err(|problem| fault(format!("{META_FILE}: {problem}")))?;
    // Sizes in the JSON are hostile until the tensors' own sizes have confirmed them.
    let mismatch = |e: &dyn std::fmt::Display| fault(format!("{TENSORS_FILE}: {e}"));
    let claimed = spec.n_parameters();
    let found = tensors.values().map(|t| t.values.len() as u128).sum::<u128>();
    if claimed > found {
        return Err(mismatch(&format!("the configuration needs {claimed} numbers, not {found}")));
    }
    let state: StateDict<f32> = tensors
        .into_iter()
        .map(|(name, t)| (name, StateTensor { shape: t.shape, data: t.values }))
        .collect();
    let mut vae = Vae::new(Cpu::new(), spec, 0);
    vae.load_state_dict(state).map_err(|e| mismatch(&e))?;
    Ok((vae, meta))
}

/// Whether the columns that are read for this model have the categories it was made for.
fn check_registry(meta: &ModelMeta) -> Result<(), String> {
    let (registry, config) = (&meta.registry, &meta.config);
    let named = |f: &Option<CategoricalField>| f.as_ref().map(|f| f.categories.len());
    let numbers = [
        ("batch categories", named(&registry.batch), config.n_batch, "n_batch"),
        // The first format did not count labels.
        (
            "labels",
            named(&registry.labels).filter(|_| meta.format_version > 1),
            config.n_labels,
            "n_labels",
        ),
        (
            "categorical covariates",
            Some(registry.categorical_covariates.len()),
            config.n_cats_per_cov.len(),
            "n_cats_per_cov",
        ),
        (
            "continuous covariates",
            Some(registry.continuous_covariates.len()),
            config.n_continuous_cov,
            "n_continuous_cov",
        ),
    ];
    let covariates = registry.categorical_covariates.iter().zip(&config.n_cats_per_cov);
    let covariates = covariates.map(|(f, &n)| {
        ("categories of a covariate", Some(f.categories.len()), n, "n_cats_per_cov")
    });
    for (what, found, expected, option) in numbers.into_iter().chain(covariates) {
        if let Some(found) = found.filter(|&found| found != expected) {
            return Err(format!("{found} {what} for {option} {expected}"));
        }
    }
    if let Some(input) = &meta.input {
        input.check(&meta.var_names)?;
    }
    if config.use_size_factor_key != registry.size_factor.is_some() {
        return Err("use_size_factor_key and the registry's size_factor disagree".to_owned());
    }
    Ok(())
}
