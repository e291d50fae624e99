//! Mapping a query: `Model.load_query_data`.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi::data::{LibraryPrior, Registry};
use scvi::model::query::{Freeze, grown_config, load_query_data, moves_latent, trained_tensors};
use scvi_io::checkpoint::MappingSetup;
use scvi_io::{MappedFrom, ModelMeta, SavedModel};

use super::shared::{Reference, State};
use super::{Model, untrained};
use crate::config::with_defaults;
use crate::error::{py_error, value_error};

#[pymethods]
impl Model {
    /// The model grown to the categories of a query's `registry`, ready to be trained on it; what
    /// training leaves as it was, `freeze` says. `prior` is the query's prior of an inferred
    /// library; `new_categories` names what is new, by column.
    #[pyo3(signature = (registry, *, freeze, prior=None, new_categories=BTreeMap::new(), seed=0))]
    fn load_query_data(
        &self,
        registry: &Bound<PyDict>,
        freeze: &Bound<PyDict>,
        prior: Option<(Vec<f64>, Vec<f64>)>,
        new_categories: BTreeMap<String, Vec<String>>,
        seed: u64,
    ) -> PyResult<Self> {
        let registry: Registry = with_defaults("the registry", &Registry::default(), registry)?;
        let freeze: Freeze = with_defaults("load_query_data", &Freeze::default(), freeze)?;
        let state = self.state();
        let meta = &state.saved.meta;
        let prior = prior.map(|(log_means, log_vars)| LibraryPrior { log_means, log_vars });
        // Labels of a SCANVI do not grow.
        let labels = registry.labels.clone().filter(|_| meta.scanvi.is_none());
        let growing = Registry { labels, ..registry.clone() };
        let config = grown_config(&meta.config, &growing, prior.as_ref()).map_err(py_error)?;
        let spec = config.validate().map_err(py_error)?;
        let meta = ModelMeta {
            config,
            registry,
            training: untrained(),
            split: scvi::data::Split::default(),
            scvi_tools: None,
            input: None,
            minified_data_type: None,
            mapped_from: Some(MappedFrom {
                program: meta.program.clone(),
                n_cells: meta.training.n_cells,
                epochs: meta.training.epochs,
                new_categories,
                freeze,
            }),
            ..meta.clone()
        };
        let (saved, scanvae) = match state.scanvae()? {
            Some(reference) => {
                let module = load_query_data(&reference, &spec, &freeze, seed);
                let module = module.map_err(py_error)?;
                let trained_as = module.spec().clone();
                (SavedModel::new(module, meta), Some(trained_as))
            }
            None => {
                let vae = load_query_data(&state.saved.vae, &spec, &freeze, seed);
                (SavedModel::new(vae.map_err(py_error)?, meta), None)
            }
        };
        let mapping = MappingSetup::new(&state.saved.state_dict(), freeze);
        let spec = state.saved.vae.spec().clone();
        Ok(Self::in_state(State { saved, reference: Some(Reference { spec, scanvae, mapping }) }))
    }

    /// Tensors that training on the query moves, with how much of each; of a model that grew from
    /// `reference`.
    fn trained_tensors(&self, reference: &Self) -> PyResult<Vec<String>> {
        let state = self.state();
        let freeze = &grown(&state)?.mapping.freeze;
        let (reference, grown) = (reference.state(), state.saved.vae.spec());
        match reference.scanvae()? {
            Some(module) => trained_tensors(&module, grown, freeze),
            None => trained_tensors(&reference.saved.vae, grown, freeze),
        }
        .map_err(py_error)
    }

    /// Whether training on the query can move the latent representation of any cell.
    fn moves_latent(&self) -> PyResult<bool> {
        let state = self.state();
        let Reference { spec, mapping, .. } = grown(&state)?;
        moves_latent(spec, state.saved.vae.spec(), &mapping.freeze).map_err(py_error)
    }
}

fn grown(state: &State) -> PyResult<&Reference> {
    let none = || value_error("the model did not grow from a reference");
    state.reference.as_ref().ok_or_else(none)
}
