//! Long work beside the interpreter: progress, Ctrl-C, and the lock released.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use scvi::model::Progress;

use crate::threads::pool;

/// How often the interpreter is asked whether Ctrl-C was pressed, and shown how far the work is.
const EVERY: Duration = Duration::from_millis(100);

/// What work on the pool's threads says to the thread that called it.
pub struct Reporter<'a, M> {
    messages: Sender<M>,
    stop: &'a AtomicBool,
}

impl<M> Reporter<'_, M> {
    /// Sends a message; it is read in order, in the caller's thread.
    pub fn send(&self, message: M) {
        // Nobody listens any more where the listener failed; then `is_stopped`.
        let _ = self.messages.send(message);
    }

    /// Whether the caller wants the work to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Reporter<'_, Progress> {
    /// A watcher for the engine's tasks, which does not send more than can be shown.
    pub fn watch(&self) -> impl FnMut(Progress) -> ControlFlow<()> + '_ {
        let mut last = Instant::now();
        move |progress| {
            if last.elapsed() >= EVERY || progress.done == progress.total {
                last = Instant::now();
                self.send(progress);
            }
            if self.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
}

/// What became of supervised work.
pub struct Supervised<T> {
    /// What it returned.
    pub value: T,
    /// Ctrl-C, or an exception of the listener, that made it stop.
    pub interrupted: Option<PyErr>,
}

impl<T> Supervised<T> {
    /// The value, where nothing interrupted the work.
    pub fn uninterrupted(self) -> PyResult<T> {
        self.interrupted.map_or(Ok(self.value), Err)
    }
}

/// Does `work` in the thread pool with the interpreter's lock released. Meanwhile the calling
/// thread hands every message to `listen`, holding the lock, and looks for signals: Python handles
/// them in its main thread alone.
pub fn supervise<M: Send, T: Send>(
    py: Python,
    mut listen: impl FnMut(Python, M) -> PyResult<()> + Send,
    work: impl FnOnce(&Reporter<M>) -> T + Send,
) -> PyResult<Supervised<T>> {
    let pool = pool()?;
    let stop = AtomicBool::new(false);
    let (messages, inbox) = channel();
    let stop = &stop;
    let reporter = Reporter { messages, stop };
    py.detach(move || {
        std::thread::scope(|scope| {
            let worker = scope.spawn(move || pool.install(|| work(&reporter)));
            let mut interrupted = None;
            let mut last = Instant::now();
            loop {
                let message = inbox.recv_timeout(EVERY);
                if matches!(message, Err(RecvTimeoutError::Disconnected)) {
                    break;
                }
                let is_due = message.is_ok() || last.elapsed() >= EVERY;
                if interrupted.is_none() && is_due {
                    last = Instant::now();
                    let seen = Python::attach(|py| {
                        py.check_signals()?;
                        message.map_or(Ok(()), |message| listen(py, message))
                    });
                    if let Err(error) = seen {
                        stop.store(true, Ordering::Relaxed);
                        interrupted = Some(error);
                    }
                }
            }
            let value = worker.join().map_err(|panic| {
                let said = panic.downcast_ref::<String>().map(String::as_str);
                let said = said.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
                PyRuntimeError::new_err(format!("the engine failed, which is a bug: {said}"))
            })?;
            Ok(Supervised { value, interrupted })
        })
    })
}

/// Does work that tells nothing meanwhile; Ctrl-C is raised once it is done.
pub fn run<T: Send>(py: Python, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    supervise(py, |_, ()| Ok(()), |_: &Reporter<()>| work())?.uninterrupted()
}

/// Does an engine's task, and tells `progress(done, total)` how far it is.
pub fn run_task<T: Send, E: Send + Into<crate::error::EngineError>>(
    py: Python,
    progress: Option<&Bound<PyAny>>,
    task: impl FnOnce(&mut scvi::model::Watch) -> Result<T, E> + Send,
) -> PyResult<T> {
    let progress = progress.map(|callable| callable.clone().unbind());
    let listen = |py: Python, Progress { done, total }: Progress| match &progress {
        None => Ok(()),
        Some(callable) => callable.call1(py, (done, total)).map(drop),
    };
    let done = supervise(py, listen, |reporter: &Reporter<Progress>| task(&mut reporter.watch()))?;
    // An interrupted task says that it was stopped; why, is what counts.
    done.uninterrupted()?.map_err(|error| error.into().into())
}
