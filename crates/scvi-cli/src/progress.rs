//! Progress of training on stderr: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use scvi::train::EpochRecord;

use crate::args::Common;

/// How a run is followed.
pub struct Progress {
    bar: Option<ProgressBar>,
    epochs: usize,
    lines: bool,
}

impl Progress {
    /// For a run of so many epochs.
    pub fn new(epochs: usize, common: &Common) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (terminal && !common.quiet).then(|| {
            let style = ProgressStyle::with_template(
                "epoch {pos}/{len} {bar:30} {elapsed} (eta {eta}) {msg}",
            );
            let bar = ProgressBar::new(epochs as u64);
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, epochs, lines: !terminal && !common.quiet }
    }

    /// An epoch has ended.
    pub fn epoch(&self, record: &EpochRecord) {
        let done = record.epoch + 1;
        let message = match record.validation {
            Some(v) => format!("elbo_train {:.2} elbo_validation {:.2}", record.train.elbo, v.elbo),
            None => format!("elbo_train {:.2}", record.train.elbo),
        };
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
            bar.set_message(message);
        } else if self.lines && (done == 1 || done.is_multiple_of(self.epochs.div_ceil(10))) {
            eprintln!("epoch {done}/{} {message}", self.epochs);
        }
    }

    /// The run has ended.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
