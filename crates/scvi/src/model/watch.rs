//! How a long task is watched, and stopped.

use std::ops::ControlFlow;

use super::error::TaskError;

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Units of work that are done: cells, unless the task says otherwise.
    pub done: usize,
    /// All of them.
    pub total: usize,
}

/// Hears how far a task is, after every minibatch or so, and may stop it with
/// [`ControlFlow::Break`]; the task then ends with [`TaskError::Stopped`].
pub type Watch<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// Nobody watches: for tasks that are to run to their end.
pub fn unwatched(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Tells the watcher how far the work is.
///
/// # Errors
/// [`TaskError::Stopped`] where the watcher says so.
pub fn tell(watch: &mut Watch, done: usize, total: usize) -> Result<(), TaskError> {
    match watch(Progress { done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(TaskError::Stopped),
    }
}
