//! The thread pool that everything runs in.

use std::mem;
use std::process;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The pool of a process.
struct Pool {
    threads: Arc<ThreadPool>,
    /// The process that made it: one that is forked from it has its memory, and none of its threads.
    process: u32,
}

static POOL: Mutex<Option<Pool>> = Mutex::new(None);

/// The pool, made when it is first needed: one thread a core.
pub fn pool() -> PyResult<Arc<ThreadPool>> {
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let n_threads = match &*pool {
        Some(Pool { threads, process }) if *process == process::id() => return Ok(threads.clone()),
        Some(Pool { threads, .. }) => threads.current_num_threads(),
        None => 0,
    };
    let threads = build(n_threads)?;
    put(&mut pool, threads.clone());
    Ok(threads)
}

fn build(threads: usize) -> PyResult<Arc<ThreadPool>> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map(Arc::new).map_err(|e| PyRuntimeError::new_err(e.to_string()))
}

fn put(pool: &mut Option<Pool>, threads: Arc<ThreadPool>) {
    let old = pool.replace(Pool { threads, process: process::id() });
    // A pool without threads cannot be told to end.
    mem::forget(old.filter(|old| old.process != process::id()));
}

/// Uses so many threads from the next call on; 0 for one a core. Results do not depend on it.
#[pyfunction]
pub fn set_num_threads(threads: usize) -> PyResult<()> {
    let threads = build(threads)?;
    put(&mut POOL.lock().unwrap_or_else(PoisonError::into_inner), threads);
    Ok(())
}

/// How many threads there are.
#[pyfunction]
pub fn num_threads() -> PyResult<usize> {
    Ok(pool()?.current_num_threads())
}
