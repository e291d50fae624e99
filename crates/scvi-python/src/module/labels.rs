//! Passes of a SCANVI: the classifier, what labels add to the loss, and gradients.

use numpy::{PyArray1, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;
use scvi::Cpu;
use scvi::data::Dataset;
use scvi::model::TaskError;
use scvi::module::{Minibatch, Noise, Scanvae, ScanvaeNoise, ScanvaeSpec};
use scvi::nn::StateDict;

use super::load;
use super::passes::work;
use crate::data::Data;
use crate::error::{py_error, value_error};
use crate::model::{Model, State};
use crate::tables::matrix;

#[pymethods]
impl Model {
    /// Logits of every label: `(cells, n_labels)`, at the posterior's mean where `seed` is None,
    /// else at a draw. With `stored`, of the posterior of minified data.
    #[pyo3(signature = (data, *, seed=None, stored=false))]
    fn module_label_logits<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        seed: Option<u64>,
        stored: bool,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let module = scanvae(&self.state())?;
        let logits = data.with(py, |dataset| {
            work(py, || {
                let vae = module.vae();
                let (mut ws, _) = load(vae, dataset, false)?;
                let noise = seed.map(|seed| Noise::Seeded { seed, draw: 0 });
                match stored {
                    true => vae.cached_inference(&mut ws, noise),
                    false => vae.inference(&mut ws, noise),
                }
                Ok(module.label_logits(&ws, seed.is_none()))
            })
        })??;
        matrix(py, logits, module.spec().n_labels())
    }

    /// What the labels add to the terms of each cell's loss at its `z`, `(cells, n_latent)`: to
    /// `reconstruction_loss` and to `kl_local`, `(cells)` each.
    #[allow(clippy::type_complexity)]
    fn module_label_terms<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        z: PyReadonlyArray2<f32>,
        seed: u64,
    ) -> PyResult<(Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<f32>>)> {
        let module = scanvae(&self.state())?;
        let shape = (data.n_cells(), module.spec().config().vae.n_latent);
        if z.as_array().dim() != shape {
            let found = z.as_array().dim();
            return Err(value_error(format!("z has shape {found:?}, not {shape:?}")));
        }
        let z = z.as_slice()?;
        let [reconstruction, kl] = data.with(py, |dataset| {
            work(py, || {
                let vae = module.vae();
                let (mut ws, _) = load(vae, dataset, false)?;
                vae.inference(&mut ws, None);
                vae.set_latent(&mut ws, z, &vec![0.0; shape.0]);
                Ok(module.label_terms(&mut ws, seed))
            })
        })??;
        Ok((PyArray1::from_vec(py, reconstruction), PyArray1::from_vec(py, kl)))
    }
}

fn scanvae(state: &State) -> PyResult<Scanvae<Cpu<f32>>> {
    state.scanvae()?.ok_or_else(|| value_error("the module has no labels"))
}

/// The loss of all cells and labelled ones in training mode, and its gradient of every parameter.
pub(super) fn label_gradients(
    py: Python,
    module: &mut Scanvae<Cpu<f32>>,
    [all, labelled]: [Option<&Data>; 2],
    [kl_weight, classification_ratio]: [f64; 2],
    seed: u64,
) -> PyResult<(f64, StateDict<f32>)> {
    let spec = module.spec();
    let with = |data: Option<&Data>| match data {
        Some(data) => data.with(py, |data| minibatch(data, spec))?.map_err(py_error),
        None => Ok(Minibatch::default()),
    };
    let minibatches = [with(all)?, with(labelled)?];
    let labels = &minibatches[1].labels;
    let is_label = |&code: &u32| (code as usize) < spec.n_labels();
    if labels.len() != minibatches[1].rows.n_cells() || !labels.iter().all(is_label) {
        let n = spec.n_labels();
        return Err(value_error(format!("labelled cells need labels, of which there are {n}")));
    }
    work(py, || {
        let sizes = minibatches.each_ref().map(|m| [m.rows.n_cells(), m.rows.counts.len()]);
        let [full, labelled] = &minibatches;
        let mut inputs = module.inputs(sizes[0], sizes[1]);
        inputs.load(module.backend(), full, labelled);
        let mut ws = module.workspace(sizes[0], sizes[1]);
        ws.swap_inputs(&mut inputs);
        let noise = ScanvaeNoise::Seeded { seed, draw: 0, labelled_draw: 0 };
        module.compute_gradients(&mut ws, noise, kl_weight, classification_ratio);
        let loss = module.loss(&ws, kl_weight, classification_ratio);
        Ok((loss.sum() / loss.n_cells as f64, module.gradients()))
    })
}

/// All cells of the data.
fn minibatch(data: &Dataset, spec: &ScanvaeSpec) -> Result<Minibatch, TaskError> {
    data.check_fits(spec.vae())?;
    let cells: Vec<u32> = (0..data.n_cells() as u32).collect();
    let mut batch = Minibatch::default();
    data.fill(&cells, &mut batch)?;
    Ok(batch)
}
