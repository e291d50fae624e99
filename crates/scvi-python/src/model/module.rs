//! The module of a model, whatever its class.

use pyo3::prelude::*;
use scvi::Cpu;
use scvi::model::query::freeze_reference;
use scvi::module::Scanvae;
use scvi::nn::StateDict;

use super::shared::{Reference, State};
use crate::error::py_error;

impl State {
    /// The whole module of a SCANVI, with what a query's training does not move; none of another
    /// model.
    pub(crate) fn scanvae(&self) -> PyResult<Option<Scanvae<Cpu<f32>>>> {
        let Self { saved, reference } = self;
        let Some(scanvi) = &saved.meta.scanvi else { return Ok(None) };
        let trained_as = reference.as_ref().and_then(|of| of.scanvae.clone());
        let spec = match trained_as {
            Some(spec) => spec,
            None => scanvi.config(saved.vae.spec().config()).validate().map_err(py_error)?,
        };
        let mut module = saved.scanvae_of(spec).map_err(py_error)?;
        if let Some(Reference { spec, mapping, .. }) = reference {
            freeze_reference(&mut module, spec, &mapping.freeze).map_err(py_error)?;
        }
        Ok(Some(module))
    }

    /// Replaces every parameter and running moment of the module.
    pub(crate) fn load_weights(&mut self, weights: StateDict<f32>) -> PyResult<()> {
        match self.scanvae()? {
            Some(mut module) => {
                module.load_state_dict(weights).map_err(py_error)?;
                self.saved.set_module(module);
                Ok(())
            }
            None => self.saved.vae.load_state_dict(weights).map_err(py_error),
        }
    }
}
