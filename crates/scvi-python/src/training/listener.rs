//! What a run tells Python.

use std::ffi::CString;

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi::train::{EpochRecord, MinibatchRecord};

use super::underway::{Asks, Base, Run};
use crate::config::to_python;

/// Whom a run tells of what, as an object with these attributes.
#[derive(FromPyObject)]
pub struct Listener {
    /// Called with a dictionary of each epoch's losses, and with the run if it `waits`.
    on_epoch: Py<PyAny>,
    /// Called with a dictionary of each minibatch's losses.
    on_minibatch: Option<Py<PyAny>>,
    /// Of the minibatches that are trained on, every how many-th is told, beside the first of each
    /// epoch; 1 for all, those that are validated on too.
    every_n_steps: u64,
    /// Whether the run waits at the end of each epoch for `on_epoch` to return.
    pub waits: bool,
}

/// What there is to tell.
pub enum News {
    Minibatch(MinibatchRecord),
    Epoch {
        record: EpochRecord,
        /// Optimizer steps until its end.
        step: u64,
        /// Way to the run, which waits until this is dropped.
        asks: Option<Asks>,
    },
    /// A checkpoint could not be written.
    NotWritten(String),
}

/// Which minibatches are told.
#[derive(Clone, Copy)]
pub struct Filter {
    every: u64,
    epoch: Option<usize>,
}

impl Filter {
    /// Whether this one is.
    pub fn takes(&mut self, record: &MinibatchRecord) -> bool {
        let is_first = self.epoch.replace(record.epoch) != Some(record.epoch);
        self.every == 1
            || (!record.is_validation && (is_first || record.step.is_multiple_of(self.every)))
    }
}

impl Listener {
    /// Which minibatches it wants to hear of; none where it does not listen to them.
    pub fn filter(&self) -> Option<Filter> {
        let every = self.every_n_steps.max(1);
        self.on_minibatch.as_ref().map(|_| Filter { every, epoch: None })
    }

    /// Tells it.
    pub fn hear(&self, py: Python, news: News, base: Option<&Base>) -> PyResult<()> {
        match news {
            News::Minibatch(record) => match &self.on_minibatch {
                None => Ok(()),
                Some(callable) => callable.call1(py, (minibatch(py, &record)?,)).map(drop),
            },
            News::Epoch { record, step, asks } => {
                let epoch = to_python(py, &record)?;
                epoch.set_item("step", step)?;
                let run = asks.zip(base).map(|(asks, base)| Py::new(py, Run::new(asks, base)));
                let run = run.transpose()?;
                let heard = self.on_epoch.call1(py, (epoch, run.as_ref()));
                if let Some(run) = &run {
                    run.get().leave(heard.is_err());
                }
                heard.map(drop)
            }
            News::NotWritten(why) => warn_of_checkpoint(py, &why),
        }
    }
}

/// Warns that a checkpoint could not be written.
pub fn warn_of_checkpoint(py: Python, why: &str) -> PyResult<()> {
    let told = CString::new(format!("no checkpoint: {why}"))?;
    PyErr::warn(py, &py.get_type::<PyUserWarning>(), &told, 2)
}

fn minibatch<'py>(py: Python<'py>, record: &MinibatchRecord) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("epoch", record.epoch)?;
    dict.set_item("step", record.step)?;
    dict.set_item("is_validation", record.is_validation)?;
    dict.set_item("kl_weight", record.kl_weight)?;
    dict.set_item("lr", record.lr)?;
    dict.set_item("loss", record.terms.loss)?;
    Ok(dict)
}
