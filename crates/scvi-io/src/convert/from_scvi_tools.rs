//! A save of scvi-tools as a model of ours.

use std::collections::BTreeMap;

use scvi::data::{Registry, Split};
use scvi::module::VaeConfig;
use scvi::nn::{StateDict, Tensor};

use super::extras::plain;
use super::model_class::ModelClass;
use super::{ScviToolsExtras, config, history, is_unused, registry, scanvi};
use crate::model_dir::HistoryTable;
use crate::saved_model::{
    Built, FORMAT_VERSION, ModelMeta, SCANVI_FORMAT_VERSION, SavedModel, TrainingMeta, build,
};
use crate::scvi_tools::{SaveError, ScviToolsSave, SetupRegistry, StateTensor};

/// Fields that scvi-tools adds for minified data.
const MINIFIED: [&str; 4] = ["latent_qzm", "latent_qzv", "minify_type", "observed_lib_size"];

/// Makes a model of a save, with all that it says; the module's documentation lists what becomes of
/// what.
///
/// Sizes in the save are hostile until its tensors have confirmed them: no memory is asked for
/// before.
///
/// ```
/// use scvi_io::convert::from_scvi_tools;
/// use scvi_io::scvi_tools::ScviToolsSave;
///
/// let save = ScviToolsSave::read("../../reference/saves/default", None)?;
/// let model = from_scvi_tools(save)?;
/// assert_eq!(model.meta.config.n_latent, 3);
/// assert_eq!(model.meta.training.epochs, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SaveError::Structure`] names what this program has no counterpart for, [`SaveError::Model`]
/// says which parts contradict each other.
pub fn from_scvi_tools(mut save: ScviToolsSave) -> Result<SavedModel, SaveError> {
    let class = ModelClass::of_save(&save)?;
    check_setup(&save.registry)?;
    let registry = registry::from_setup(&save.registry)?;
    let mut left_out = Vec::new();
    let (floats, counters) = tensors(save.state_dict)?;
    let scanvi = match class {
        ModelClass::Scanvi => {
            let version = save.registry.scvi_version.as_deref();
            let own = scanvi::take(&mut save.init_params, &mut save.attributes, version)?;
            Some(scanvi::with_data(own, &registry, &floats)?)
        }
        ModelClass::Scvi | ModelClass::LinearScvi => None,
    };
    let arguments = config::from_arguments(save.init_params, class.is_linear())?;
    let (mut config, state) = with_data(arguments, &save.var_names, &registry, floats);
    if scanvi.is_some() {
        // The category of unlabelled cells is no label.
        config.n_labels = config.n_labels.saturating_sub(1);
    }
    let (unused, read) = state.into_iter().partition(|(name, _)| is_unused(&config, name));
    let n_cells = save.registry.fields.get("X").and_then(|x| x.n_obs).unwrap_or_default();
    let table = history::to_table(save.history)?;
    let fields = save.registry.fields.into_keys().filter(|name| MINIFIED.contains(&&name[..]));
    left_out.extend(fields);
    let extras = ScviToolsExtras {
        scvi_version: save.registry.scvi_version.clone(),
        counters,
        registry: plain(save.registry.other, &mut left_out),
        attributes: plain(save.attributes, &mut left_out),
    };
    let meta = ModelMeta {
        format_version: if scanvi.is_some() { SCANVI_FORMAT_VERSION } else { FORMAT_VERSION },
        program: format!("scvi-tools {}", extras.scvi_version.as_deref().unwrap_or_default()),
        model_class: class.name().to_owned(),
        config,
        scanvi,
        registry,
        var_names: save.var_names,
        split: Split {
            train: rows("train_indices_", save.train_indices)?,
            validation: rows("validation_indices_", save.validation_indices)?,
            test: rows("test_indices_", save.test_indices)?,
        },
        training: training(n_cells, &table, save.is_trained),
        input: None,
        gene_selection: None,
        scvi_tools: Some(extras),
        mapped_from: None,
        minified_data_type: None,
    };
    let Built { vae, labels } = build(&meta, read, ["attr_dict", "model_state_dict"])
        .map_err(|problem| SaveError::Model { problem })?;
    Ok(SavedModel { vae, labels, meta, history: table, unused, left_out })
}

fn check_setup(setup: &SetupRegistry) -> Result<(), SaveError> {
    match setup.setup_method_name.as_deref() {
        None | Some("setup_anndata") => Ok(()),
        Some(other) => Err(SaveError::Structure {
            place: "registry_['setup_method_name']".into(),
            expected: "setup_anndata".into(),
            found: format!("'{}'", other.escape_debug()),
        }),
    }
}

type Counters = BTreeMap<String, i64>;

/// Floats, in 4 bytes, and counters.
fn tensors(state: BTreeMap<String, StateTensor>) -> Result<(StateDict<f32>, Counters), SaveError> {
    let (mut floats, mut counters) = (StateDict::new(), Counters::new());
    for (name, tensor) in state {
        let fault = |expected: &str, found: String| SaveError::Structure {
            place: format!("model_state_dict['{}']", name.escape_debug()),
            expected: expected.into(),
            found,
        };
        let Tensor { shape, data } = match tensor {
            StateTensor::F32(t) => t,
            StateTensor::F64(Tensor { shape, data }) => {
                Tensor { shape, data: data.into_iter().map(|x| x as f32).collect() }
            }
            StateTensor::I64(t) => match t.data[..] {
                [count] if name.ends_with(".num_batches_tracked") => {
                    counters.insert(name, count);
                    continue;
                }
                _ => return Err(fault("floats", "whole numbers".into())),
            },
        };
        if let Some(x) = data.iter().find(|x| !x.is_finite()) {
            return Err(fault("finite numbers", x.to_string()));
        }
        floats.insert(name, Tensor { shape, data });
    }
    Ok((floats, counters))
}

/// Completes a configuration by what the data decided; the prior of the library is among the
/// tensors there.
fn with_data(
    arguments: VaeConfig,
    var_names: &[String],
    registry: &Registry,
    mut state: StateDict<f32>,
) -> (VaeConfig, StateDict<f32>) {
    let mut prior = |name: &str| {
        let tensor = state.remove(name)?;
        Some(tensor.data.into_iter().map(f64::from).collect())
    };
    let config = VaeConfig {
        n_input: var_names.len(),
        library_log_means: prior("library_log_means"),
        library_log_vars: prior("library_log_vars"),
        ..registry.sized(arguments)
    };
    (config, state)
}

fn rows(name: &str, rows: Option<Vec<usize>>) -> Result<Vec<u32>, SaveError> {
    let narrow = |row: usize| {
        u32::try_from(row).map_err(|_| SaveError::TooLarge {
            what: format!("row {row} in {name}"),
            limit: u32::MAX.to_string(),
        })
    };
    rows.unwrap_or_default().into_iter().map(narrow).collect()
}

fn training(n_cells: usize, history: &HistoryTable, is_trained: bool) -> TrainingMeta {
    let epochs = match history.columns.first().map(String::as_str) {
        Some("epoch") => history.rows.iter().filter(|row| !row[0].is_nan()).count(),
        _ => 0,
    };
    let stop = if is_trained { TrainingMeta::UNKNOWN } else { TrainingMeta::UNTRAINED };
    TrainingMeta { n_cells, epochs, stop: stop.to_owned(), batch_size: 0, seed: 0 }
}
