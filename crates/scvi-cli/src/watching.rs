//! Tasks over cells, watched: a bar on a terminal, and an end by Ctrl-C or SIGTERM.

use std::cell::Cell;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use scvi::model::{Progress, TaskError, Watch};

use crate::args::Common;
use crate::error::CliError;
use crate::log::detail;
use crate::signals::Signals;

/// Tells what a task is at.
pub type Stage<'a> = dyn Fn(&'static str) + 'a;

/// The tasks of a command, and the time that they take.
pub struct Tasks<'a> {
    pub common: &'a Common,
    seconds: Cell<f64>,
}

impl<'a> Tasks<'a> {
    /// None has run yet.
    pub fn new(common: &'a Common) -> Self {
        Self { common, seconds: Cell::new(0.0) }
    }

    /// Runs a task to its end, or until a signal comes; `what` stands before the bar.
    pub fn run<T, E: Into<CliError>>(
        &self,
        what: &'static str,
        task: impl FnOnce(&mut Watch) -> Result<T, E>,
    ) -> Result<T, CliError> {
        self.run_stages(what, |_, watch| task(watch))
    }

    /// The same for a task of several parts, which says what stands before the bar.
    pub fn run_stages<T, E: Into<CliError>>(
        &self,
        what: &'static str,
        task: impl FnOnce(&Stage, &mut Watch) -> Result<T, E>,
    ) -> Result<T, CliError> {
        let signals = Signals::install().map_err(|source| CliError::Signals { source })?;
        let is_shown = std::io::stderr().is_terminal() && !self.common.quiet;
        let bar = if is_shown { bar(what) } else { ProgressBar::hidden() };
        let start = Instant::now();
        let stage = |name: &'static str| {
            bar.set_message(name);
            let seconds = start.elapsed().as_secs_f64();
            detail(self.common, &format!("{what}: {name} begins after {seconds:.1} s"));
        };
        let result = task(&stage, &mut |Progress { done, total }| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            match signals.received() {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            }
        });
        let seconds = start.elapsed().as_secs_f64();
        self.seconds.set(self.seconds.get() + seconds);
        bar.finish_and_clear();
        detail(self.common, &format!("{what}: {seconds:.1} s"));
        result.map_err(|error| match (error.into(), signals.received()) {
            (CliError::Task { error: TaskError::Stopped }, Some(exit_code)) => {
                CliError::Interrupted { exit_code, told: format!("{what}: nothing was written") }
            }
            (error, _) => error,
        })
    }

    /// Seconds that all of them took, without what came before, between and after them: reading the
    /// input, writing files. Rows that are written as they come are handed over within a task.
    pub fn seconds(&self) -> f64 {
        self.seconds.get()
    }
}

fn bar(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::no_length().with_message(what);
    match ProgressStyle::with_template("{msg} {bar:30} {percent}% {elapsed} (eta {eta})") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
