//! What one does with a trained model, one file a task, as methods of [`Model`].

mod abundance;
mod correlation;
mod differential;
mod filling;
mod latent;
mod library;
mod likelihood;
mod normalized;
mod parameters;
mod predict;
mod report;
mod sample;

pub use abundance::{AggregatedPosterior, compare_samples};

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use scvi::Cpu;
use scvi::model::{Cells, PointEstimate, Posterior, TaskError, Watch};
use scvi::module::Vae;

use crate::data::Data;
use crate::model::Model;
use crate::supervise::run_task;

/// The cells that a task is about, as every method takes them.
#[derive(FromPyObject)]
pub struct Selection<'py> {
    /// The data they are of.
    #[pyo3(attribute)]
    data: PyRef<'py, Data>,
    /// Their numbers; all cells where None.
    #[pyo3(attribute)]
    indices: Option<PyReadonlyArray1<'py, u32>>,
    /// How many are evaluated at a time; results do not depend on it.
    #[pyo3(attribute)]
    batch_size: usize,
    /// Called with `(done, total)` every now and then.
    #[pyo3(attribute)]
    progress: Option<Bound<'py, PyAny>>,
}

impl Selection<'_> {
    /// How many cells.
    fn len(&self) -> usize {
        let chosen = self.indices.as_ref().map(|indices| indices.as_array().len());
        chosen.unwrap_or_else(|| self.data.n_cells())
    }

    /// Does a task over them with what encodes and decodes cells.
    fn run<T: Send>(
        &self,
        py: Python,
        model: &Model,
        task: impl FnOnce(&Vae<Cpu<f32>>, Cells, &mut Watch) -> Result<T, TaskError> + Send,
    ) -> PyResult<T> {
        let state = model.state_for(&self.data)?;
        self.run_on_cells(py, |cells, watch| task(&state.saved.vae, cells, watch))
    }

    /// Does a task over them.
    fn run_on_cells<T: Send>(
        &self,
        py: Python,
        task: impl FnOnce(Cells, &mut Watch) -> Result<T, TaskError> + Send,
    ) -> PyResult<T> {
        let chosen: Option<Vec<u32>> =
            self.indices.as_ref().map(|indices| indices.as_array().iter().copied().collect());
        let batch_size = self.batch_size;
        self.data.with(py, |data| {
            let cells = match &chosen {
                None => Cells::all(data, batch_size),
                Some(chosen) => Cells::chosen(data, chosen, batch_size),
            };
            run_task(py, self.progress.as_ref(), |watch| task(cells, watch))
        })?
    }
}

/// The posterior's mean where `seed` is None, else a draw.
fn point_estimate(seed: Option<u64>) -> PointEstimate {
    seed.map_or(PointEstimate::Mean, |seed| PointEstimate::Sample { seed })
}

/// The posterior's mean where `n_samples` is None, else so many draws.
fn posterior(n_samples: Option<u32>, seed: u64) -> Posterior {
    n_samples.map_or(Posterior::Mean, |n_samples| Posterior::Samples { n_samples, seed })
}
