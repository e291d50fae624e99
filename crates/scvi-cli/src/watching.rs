//! Tasks over cells, watched: a bar on a terminal, and an end by Ctrl-C or SIGTERM.

use std::io::IsTerminal;
use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressStyle};
use scvi::model::{Progress, TaskError, Watch};

use crate::args::Common;
use crate::error::CliError;
use crate::signals::Signals;

/// Runs a task to its end, or until a signal comes; `what` stands before the bar.
pub fn watched<T>(
    what: &'static str,
    common: &Common,
    task: impl FnOnce(&mut Watch) -> Result<T, TaskError>,
) -> Result<T, CliError> {
    let signals = Signals::install().map_err(|source| CliError::Signals { source })?;
    let is_shown = std::io::stderr().is_terminal() && !common.quiet;
    let bar = if is_shown { bar(what) } else { ProgressBar::hidden() };
    let result = task(&mut |Progress { done, total }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        match signals.received() {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    });
    bar.finish_and_clear();
    result.map_err(|error| match (error, signals.received()) {
        (TaskError::Stopped, Some(exit_code)) => {
            CliError::Interrupted { exit_code, told: format!("{what}: nothing was written") }
        }
        (error, _) => error.into(),
    })
}

fn bar(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::no_length().with_message(what);
    match ProgressStyle::with_template("{msg} {bar:30} {percent}% {elapsed} (eta {eta})") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
