//! A trained model as a folder: its tensors and metadata, and both directions.

use std::collections::BTreeMap;
use std::path::Path;

use scvi::data::{CategoricalField, Registry, Split};
use scvi::model::query::Freeze;
use scvi::module::{ConfigError, Dispersion, Scanvae, ScanvaeSpec, Vae, VaeConfig};
use scvi::nn::{StateDict, StateError, Tensor as StateTensor};
use scvi::train::{History, Stop};
use scvi::{Cpu, DefaultBackend};
use serde::{Deserialize, Serialize};

use crate::IoError;
use crate::anndata::PosteriorKeys;
use crate::convert::{ScviToolsExtras, is_unused};
use crate::gene_selection::GeneSelectionMeta;
use crate::input_meta::InputMeta;
use crate::model_dir::{
    HistoryTable, META_FILE, TENSORS_FILE, Tensor, Tensors, read_history, read_model_dir,
    write_model_beside, write_model_dir,
};
use crate::scanvi::{ScanviMeta, is_of_labels};

/// The format version of the folders this program writes, but for a SCANVI's.
pub const FORMAT_VERSION: u32 = 2;
/// The version of a SCANVI's folder, which earlier programs do not know.
pub const SCANVI_FORMAT_VERSION: u32 = 3;

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
    /// What a SCANVI has beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scanvi: Option<ScanviMeta>,
    /// Layer and columns the model was set up with.
    pub registry: Registry,
    /// Names of the genes, in the order of the model's inputs.
    pub var_names: Vec<String>,
    /// Cells it was trained and validated on, as row numbers of its data.
    pub split: Split,
    /// How training went.
    pub training: TrainingMeta,
    /// What a save of scvi-tools said beside, where the model comes from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scvi_tools: Option<ScviToolsExtras>,
    /// The input it was trained on; none in the first format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<InputMeta>,
    /// How the genes were chosen from those of the input, where not all were used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gene_selection: Option<GeneSelectionMeta>,
    /// What it was mapped from, where it is a reference that has learned a query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapped_from: Option<MappedFrom>,
    /// What its data keep, where they were minified when the model was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minified_data_type: Option<String>,
}

impl ModelMeta {
    /// The configuration of the whole module, as a checkpoint has it.
    pub fn module_config(&self) -> serde_json::Value {
        let config = match &self.scanvi {
            Some(scanvi) => serde_json::to_value(scanvi.config(&self.config)),
            None => serde_json::to_value(&self.config),
        };
        config.unwrap_or_default()
    }

    /// The names that posteriors of such a model have in minified files.
    pub fn posterior_keys(&self) -> PosteriorKeys {
        if self.scanvi.is_some() { PosteriorKeys::Scanvi } else { PosteriorKeys::Scvi }
    }

    /// Whether the label of a cell has an effect.
    pub fn needs_labels(&self) -> bool {
        self.config.dispersion == Dispersion::GeneLabel
    }
}

/// The reference that a query was mapped onto, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappedFrom {
    /// The program that wrote the reference.
    pub program: String,
    /// Cells that the reference was trained on.
    pub n_cells: usize,
    /// Epochs that it was trained for.
    pub epochs: usize,
    /// New categories of the query, by column.
    pub new_categories: BTreeMap<String, Vec<String>>,
    /// Switches of what the query's training left as it was.
    pub freeze: Freeze,
}

/// How a model was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingMeta {
    /// Cells of the data set.
    pub n_cells: usize,
    /// Epochs done.
    pub epochs: usize,
    /// Why training ended: `max_epochs`, `max_steps`, `early_stopping`, `callback` or `interrupted`; of a model that comes
    /// from a save of scvi-tools [`TrainingMeta::UNKNOWN`] or [`TrainingMeta::UNTRAINED`].
    pub stop: String,
    /// Cells of a minibatch; 0 where it is not known.
    pub batch_size: usize,
    /// Seed of weights, split, order and noise; 0 where it is not known.
    pub seed: u64,
}

impl TrainingMeta {
    /// Another program trained the model, and did not say why it ended.
    pub const UNKNOWN: &'static str = "unknown";
    /// The model was never trained.
    pub const UNTRAINED: &'static str = "untrained";

    /// Whether the model was ever trained.
    pub fn is_trained(&self) -> bool {
        self.stop != Self::UNTRAINED
    }

    /// The word for why training ended.
    pub fn stop_word(stop: Stop) -> String {
        match stop {
            Stop::MaxEpochs => "max_epochs",
            Stop::MaxSteps => "max_steps",
            Stop::EarlyStopping => "early_stopping",
            Stop::Callback => "callback",
            Stop::Interrupted => "interrupted",
        }
        .to_owned()
    }
}

/// A model with everything that is kept beside it.
#[derive(Clone)]
pub struct SavedModel {
    /// The model.
    pub vae: Vae<Cpu<f32>>,
    /// Tensors that a SCANVI has beside its VAE; none of other models.
    pub labels: StateDict<f32>,
    /// What it is, and was made from.
    pub meta: ModelMeta,
    /// What training recorded.
    pub history: HistoryTable,
    /// Tensors that scvi-tools' module has and no pass of this model reads; none where the model
    /// never was there.
    pub unused: StateDict<f32>,
    /// Names of what a save of scvi-tools held and a model does not.
    pub left_out: Vec<String>,
}

impl SavedModel {
    /// Writes a model folder, as [`save_model`].
    ///
    /// # Errors
    /// As [`save_model`].
    pub fn save(&self, dir: impl AsRef<Path>, overwrite: bool) -> Result<(), IoError> {
        let tensors = self.tensors();
        write_model_dir(dir, &tensors, &self.meta, &self.history, overwrite)
    }

    /// Writes the model's files into a folder that may hold others, as [`write_model_beside`].
    ///
    /// # Errors
    /// As [`write_model_beside`].
    pub fn save_beside(
        &self,
        dir: impl AsRef<Path>,
        prefix: &str,
        overwrite: bool,
    ) -> Result<(), IoError> {
        let tensors = self.tensors();
        write_model_beside(dir, prefix, &tensors, &self.meta, &self.history, overwrite)
    }

    fn tensors(&self) -> Tensors {
        packed(self.state_dict().into_iter().chain(self.unused.clone()))
    }

    /// Every parameter and running moment of its module.
    pub fn state_dict(&self) -> StateDict<f32> {
        let mut state = self.vae.state_dict();
        state.extend(self.labels.clone());
        state
    }

    /// The whole module of a SCANVI; none of another model.
    pub fn scanvae(&self) -> Option<Scanvae<DefaultBackend>> {
        let scanvi = self.meta.scanvi.as_ref()?;
        let spec = scanvi.config(self.vae.spec().config()).validate().ok()?;
        self.scanvae_of(spec).ok()
    }

    /// The whole module of a SCANVI by its specification, which has that of the Vae.
    ///
    /// # Errors
    /// [`StateError`] where the tensors are not those of such a module.
    pub fn scanvae_of(&self, spec: ScanvaeSpec) -> Result<Scanvae<DefaultBackend>, StateError> {
        let mut module = Scanvae::of_vae(self.vae.clone(), spec, 0);
        module.load_state_dict(self.state_dict())?;
        Ok(module)
    }

    /// Reads a model folder.
    ///
    /// # Errors
    /// As [`load_model`].
    pub fn load(dir: impl AsRef<Path>) -> Result<Self, IoError> {
        Self::load_prefixed(dir, "")
    }

    /// Reads a model whose files' names begin with `prefix`.
    ///
    /// # Errors
    /// As [`load_model`].
    pub fn load_prefixed(dir: impl AsRef<Path>, prefix: &str) -> Result<Self, IoError> {
        let dir = dir.as_ref();
        let (tensors, meta): (Tensors, ModelMeta) =
            read_model_dir(dir, prefix, SCANVI_FORMAT_VERSION)?;
        let fault = |problem: String| IoError::NotModelDir { path: dir.to_owned(), problem };
        let state = tensors
            .into_iter()
            .map(|(name, t)| (name, StateTensor { shape: t.shape, data: t.values }));
        let (unused, read) = state.partition(|(name, _)| is_unused(&meta.config, name));
        let Built { vae, labels } = build(&meta, read, [META_FILE, TENSORS_FILE]).map_err(fault)?;
        let history = read_history(dir, prefix)?;
        Ok(Self { vae, labels, meta, history, unused, left_out: Vec::new() })
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
    vae: &Vae<Cpu<f32>>,
    meta: &ModelMeta,
    history: &History,
    overwrite: bool,
) -> Result<(), IoError> {
    write_model_dir(dir, &packed(vae.state_dict()), meta, &history.into(), overwrite)
}

fn packed(state: impl IntoIterator<Item = (String, StateTensor<f32>)>) -> Tensors {
    let tensor = |t: StateTensor<f32>| Tensor { shape: t.shape, values: t.data };
    state.into_iter().map(|(name, t)| (name, tensor(t))).collect()
}

/// Reads a model folder.
///
/// # Errors
/// Where the folder is none, is of a newer format, or its parts contradict each other.
pub fn load_model(dir: impl AsRef<Path>) -> Result<(Vae<Cpu<f32>>, ModelMeta), IoError> {
    SavedModel::load(dir).map(|model| (model.vae, model.meta))
}

/// A VAE, and the tensors that a SCANVI has beside.
pub(crate) struct Built {
    pub(crate) vae: Vae<DefaultBackend>,
    pub(crate) labels: StateDict<f32>,
}

/// The model that metadata describe, with these weights; or what contradicts what, by the places
/// where metadata and weights stand.
pub(crate) fn build(
    meta: &ModelMeta,
    state: StateDict<f32>,
    [described, weights]: [&str; 2],
) -> Result<Built, String> {
    let illegal = |e: ConfigError| format!("{described}: {e}");
    let spec = meta.config.validate().map_err(illegal)?;
    let scanvi = meta.scanvi.as_ref().map(|scanvi| scanvi.config(&meta.config).validate());
    let scanvi = scanvi.transpose().map_err(illegal)?;
    check_meta(meta).map_err(|problem| format!("{described}: {problem}"))?;
    // Sizes in the metadata are hostile until the tensors' own sizes have confirmed them.
    let claimed = scanvi.as_ref().map_or(spec.n_parameters(), ScanvaeSpec::n_parameters);
    let found = state.values().map(|t| t.data.len() as u128).sum::<u128>();
    if claimed > found {
        return Err(format!("{weights}: the configuration needs {claimed} numbers, not {found}"));
    }
    let misfit = |e: StateError| format!("{weights}: {e}");
    let Some(scanvi) = scanvi else {
        let mut vae = Vae::new(DefaultBackend::new(), spec, 0);
        vae.load_state_dict(state).map_err(misfit)?;
        return Ok(Built { vae, labels: StateDict::new() });
    };
    let mut module = Scanvae::new(DefaultBackend::new(), scanvi, 0);
    let labels = state.iter().filter(|(name, _)| is_of_labels(name));
    let labels = labels.map(|(name, tensor)| (name.clone(), tensor.clone())).collect();
    module.load_state_dict(state).map_err(misfit)?;
    Ok(Built { vae: module.into_vae(), labels })
}

/// Whether the columns that are read for this model have the categories it was made for, and its
/// genes their names.
pub(crate) fn check_meta(meta: &ModelMeta) -> Result<(), String> {
    let (registry, config) = (&meta.registry, &meta.config);
    if meta.var_names.len() != config.n_input {
        return Err(format!("{} var_names for {} genes", meta.var_names.len(), config.n_input));
    }
    let named = |f: &Option<CategoricalField>| f.as_ref().map(|f| f.categories.len());
    let numbers = [
        ("batch categories", named(&registry.batch), config.n_batch, "n_batch"),
        // The first format did not count labels; of a SCANVI the unlabelled category is none.
        (
            "labels",
            named(&registry.labels).filter(|_| meta.format_version > 1),
            config.n_labels + usize::from(meta.scanvi.is_some()),
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
    for field in registry.categorical() {
        field.check().map_err(|error| error.to_string())?;
    }
    if let Some(input) = &meta.input {
        input.check(&meta.var_names)?;
    }
    if config.use_size_factor_key != registry.size_factor.is_some() {
        return Err("use_size_factor_key and the registry's size_factor disagree".to_owned());
    }
    Ok(())
}
