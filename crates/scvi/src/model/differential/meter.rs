//! How far a comparison of groups is.

use std::ops::ControlFlow;

use crate::model::error::TaskError;
use crate::model::watch::{Progress, Watch};

/// Counts tests, a gene of a contrast each, and tells whoever watches.
pub(super) struct Meter<'a, 'b> {
    n_tests: usize,
    /// Passes over all of them.
    n_passes: usize,
    /// Tests done, of all passes.
    done: usize,
    watch: &'a mut Watch<'b>,
}

impl<'a, 'b> Meter<'a, 'b> {
    pub(super) fn new(n_tests: usize, n_passes: usize, watch: &'a mut Watch<'b>) -> Self {
        Self { n_tests, n_passes, done: 0, watch }
    }

    /// Tells how far the work is.
    pub(super) fn told(&mut self) -> ControlFlow<()> {
        (self.watch)(Progress { done: self.done / self.n_passes, total: self.n_tests })
    }

    /// Adds tests that are done in one pass, or none where there is only to ask whether to go on.
    pub(super) fn add(&mut self, tests: usize) -> Result<(), TaskError> {
        self.done += tests;
        match self.told() {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(TaskError::Stopped),
        }
    }
}
