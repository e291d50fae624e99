//! The thread pool that everything runs in.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

static POOL: Mutex<Option<Arc<ThreadPool>>> = Mutex::new(None);

/// The pool, made when it is first needed: one thread a core.
pub fn pool() -> PyResult<Arc<ThreadPool>> {
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    match &*pool {
        Some(pool) => Ok(pool.clone()),
        None => Ok(pool.insert(build(0)?).clone()),
    }
}

fn build(threads: usize) -> PyResult<Arc<ThreadPool>> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map(Arc::new).map_err(|e| PyRuntimeError::new_err(e.to_string()))
}

/// Uses so many threads from the next call on; 0 for one a core. Results do not depend on it.
#[pyfunction]
pub fn set_num_threads(threads: usize) -> PyResult<()> {
    let new = build(threads)?;
    *POOL.lock().unwrap_or_else(PoisonError::into_inner) = Some(new);
    Ok(())
}

/// How many threads there are.
#[pyfunction]
pub fn num_threads() -> PyResult<usize> {
    Ok(pool()?.current_num_threads())
}
