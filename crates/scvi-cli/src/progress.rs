//! Progress of training on stderr: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use scvi::train::EpochRecord;

use crate::args::Common;
use crate::log::Level;
use crate::report::number;

/// How a run is followed.
pub struct Progress<'a> {
    bar: Option<ProgressBar>,
    epochs: usize,
    common: &'a Common,
}

impl<'a> Progress<'a> {
    /// For a run of so many epochs.
    pub fn new(epochs: usize, common: &'a Common) -> Self {
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
        Self { bar, epochs, common }
    }

    /// An epoch has ended.
    pub fn epoch(&self, record: &EpochRecord) {
        let done = record.epoch + 1;
        let train = format!("elbo_train {}", number(record.train.elbo));
        let message = match &record.validation {
            Some(v) => format!("{train} elbo_validation {}", number(v.elbo)),
            None => train,
        };
        let line = format!("epoch {done}/{} {message}", self.epochs);
        let is_tenth = done == 1 || done.is_multiple_of(self.epochs.div_ceil(10));
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
            bar.set_message(message);
            self.common.log.record(Level::Info, &line);
        } else if is_tenth {
            self.common.log.say(Level::Info, &line);
        } else {
            self.common.log.say(Level::Detail, &line);
        }
    }

    /// The run has ended.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
