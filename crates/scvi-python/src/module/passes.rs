//! `inference`, `generative`, and the gradients of a training step.

use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray2, PyReadonlyArray3};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi::model::TaskError;
use scvi::module::{Dispersion, Noise};

use super::labels::label_gradients;
use super::load;
use crate::data::Data;
use crate::error::{py_error, value_error};
use crate::model::{Model, to_dict};
use crate::supervise::run;

/// Does work on the pool's threads with the interpreter's lock released.
pub(super) fn work<T: Send>(
    py: Python,
    work: impl FnOnce() -> Result<T, TaskError> + Send,
) -> PyResult<T> {
    run(py, work)?.map_err(py_error)
}

/// A list as an array of a shape.
fn set(dict: &Bound<PyDict>, name: &str, values: Vec<f32>, shape: &[usize]) -> PyResult<()> {
    let array = PyArray1::from_vec(dict.py(), values).reshape(shape.to_vec())?;
    dict.set_item(name, array)
}

#[pymethods]
impl Model {
    /// The posterior of every cell: `qz_m` and `qz_v` `(cells, n_latent)`, `z`
    /// `(n_samples, cells, n_latent)`, `library` `(n_samples, cells)`, and `ql_m` and `ql_v`
    /// `(cells)` where the library is inferred. With `stored`, that of minified data.
    #[pyo3(signature = (data, *, n_samples, seed, stored=false))]
    fn module_inference<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        n_samples: u32,
        seed: u64,
        stored: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let state = self.state();
        let (vae, n_latent) = (&state.saved.vae, state.saved.meta.config.n_latent);
        let (z, library, mean, var, ql) = data.with(py, |dataset| {
            work(py, || {
                let (mut ws, batch) = load(vae, dataset, false)?;
                let b = vae.backend();
                let (mut z, mut library) = (Vec::new(), Vec::new());
                for draw in 0..n_samples {
                    let noise = Noise::Seeded { seed, draw };
                    match batch.posterior.borrow().filter(|_| stored) {
                        Some(_) => vae.cached_inference(&mut ws, Some(noise)),
                        None if draw == 0 => vae.inference(&mut ws, Some(noise)),
                        None => vae.redraw(&mut ws, noise),
                    }
                    z.extend(ws.z(b));
                    library.extend(ws.library(b));
                }
                Ok((z, library, ws.qz_m(b), ws.qz_v(b), ws.ql(b)))
            })
        })??;
        let (n, draws) = (data.n_cells(), n_samples as usize);
        let outputs = PyDict::new(py);
        set(&outputs, "qz_m", mean, &[n, n_latent])?;
        set(&outputs, "qz_v", var, &[n, n_latent])?;
        set(&outputs, "z", z, &[draws, n, n_latent])?;
        set(&outputs, "library", library, &[draws, n])?;
        if let Some([mean, var]) = ql {
            set(&outputs, "ql_m", mean, &[n])?;
            set(&outputs, "ql_v", var, &[n])?;
        }
        Ok(outputs)
    }

    /// Decodes z `(draws, cells, n_latent)` with the log library `(draws, cells)`: `px_rate`,
    /// `px_scale` and `px_dropout` `(draws, cells, genes)`, and `px_r` `(genes)`,
    /// `(cells, genes)` or `(draws, cells, genes)`. The counts of the data are not looked at.
    #[pyo3(signature = (data, z, library, transform_batch=None))]
    fn module_generative<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        z: PyReadonlyArray3<f32>,
        library: PyReadonlyArray2<f32>,
        transform_batch: Option<u32>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let state = self.state();
        let (vae, config) = (&state.saved.vae, &state.saved.meta.config);
        let (n, n_latent, genes) = (data.n_cells(), config.n_latent, config.n_input);
        let draws = z.as_array().dim().0;
        if z.as_array().dim() != (draws, n, n_latent) || library.as_array().dim() != (draws, n) {
            return Err(value_error(format!(
                "z of shape {:?} and library of shape {:?} for {n} cells of {n_latent} latent \
                 dimensions",
                z.as_array().shape(),
                library.as_array().shape(),
            )));
        }
        let (z, library) = (z.as_slice()?, library.as_slice()?);
        let of_cell = config.dispersion == Dispersion::GeneCell;
        let (rate, scale, theta, dropout) = data.with(py, |dataset| {
            work(py, || {
                let (mut ws, _) = load(vae, dataset, false)?;
                if let Some(found) =
                    transform_batch.filter(|&b| b as usize >= config.n_batch.max(1))
                {
                    return Err(TaskError::Batch { found, n_batch: config.n_batch.max(1) });
                }
                let (mut rate, mut scale) = (Vec::new(), Vec::new());
                let (mut theta, mut dropout) = (Vec::new(), Vec::new());
                for draw in 0..draws {
                    let z = &z[draw * n * n_latent..][..n * n_latent];
                    vae.set_latent(&mut ws, z, &library[draw * n..][..n]);
                    vae.decode(&mut ws, transform_batch, scvi::module::Decoded::All);
                    rate.extend(vae.px_rate(&ws));
                    scale.extend(vae.px_scale(&ws));
                    dropout.extend(vae.px_dropout(&ws).unwrap_or_default());
                    if draw == 0 || of_cell {
                        theta.extend(vae.px_r(&ws).unwrap_or_default());
                    }
                }
                Ok((rate, scale, theta, dropout))
            })
        })??;
        let outputs = PyDict::new(py);
        let shape = [draws, n, genes];
        set(&outputs, "px_rate", rate, &shape)?;
        set(&outputs, "px_scale", scale, &shape)?;
        if !dropout.is_empty() {
            set(&outputs, "px_dropout", dropout, &shape)?;
        }
        if !theta.is_empty() {
            let by_gene = config.dispersion == Dispersion::Gene;
            let shape: &[usize] = if by_gene { &[genes] } else { &[n, genes] };
            let shape = if of_cell { &[draws, n, genes] } else { shape };
            set(&outputs, "px_r", theta, shape)?;
        }
        Ok(outputs)
    }

    /// The loss in training mode, and its gradient of every parameter. Running moments are updated.
    /// A SCANVI may have `labelled` cells, whose cross entropy counts `classification_ratio` times.
    #[pyo3(signature = (data, kl_weight, seed, labelled=None, classification_ratio=0.0))]
    fn module_gradients<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        kl_weight: f64,
        seed: u64,
        labelled: Option<&Data>,
        classification_ratio: f64,
    ) -> PyResult<(f64, Bound<'py, PyDict>)> {
        let (loss, gradients) = self.change(py, |state| match state.scanvae()? {
            Some(mut module) => {
                let weights = [kl_weight, classification_ratio];
                let found =
                    label_gradients(py, &mut module, [Some(data), labelled], weights, seed)?;
                state.saved.set_module(module);
                Ok(found)
            }
            None => data.with(py, |dataset| {
                let vae = &mut state.saved.vae;
                work(py, || {
                    let (mut ws, _) = load(vae, dataset, true)?;
                    vae.compute_gradients(&mut ws, Noise::Seeded { seed, draw: 0 }, kl_weight);
                    let loss = ws.loss(vae.backend(), kl_weight);
                    Ok((loss.sum() / loss.n_cells as f64, vae.gradients()))
                })
            })?,
        })?;
        Ok((loss, to_dict(py, gradients)?))
    }
}
