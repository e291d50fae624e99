//! What `scvi train` says at its end.

use std::time::Instant;

use scvi::train::{History, LossTerms, TrainPlan};
use scvi_io::ModelMeta;

use crate::input::Prepared;
use crate::report::Report;

/// Seconds of training and of each epoch.
pub(super) struct Clock {
    start: Instant,
    last: Instant,
    epochs: Vec<f64>,
}

impl Clock {
    pub(super) fn start() -> Self {
        let now = Instant::now();
        Self { start: now, last: now, epochs: Vec::new() }
    }

    pub(super) fn epoch(&mut self) {
        self.epochs.push(self.last.elapsed().as_secs_f64());
        self.last = Instant::now();
    }

    fn total(&self) -> f64 {
        (self.last - self.start).as_secs_f64()
    }

    /// The median epoch, without the first where there are others: it pays for warming up.
    fn median_epoch(&self) -> f64 {
        let mut epochs = self.epochs[usize::from(self.epochs.len() > 1)..].to_vec();
        epochs.sort_by(f64::total_cmp);
        // A run may be resumed after its last epoch.
        epochs.get(epochs.len() / 2).copied().unwrap_or(0.0)
    }
}

pub(super) fn report(
    meta: &ModelMeta,
    history: &History,
    plan: &TrainPlan,
    prepared: &Prepared,
    clock: &Clock,
    files: Vec<String>,
) -> Report {
    let epochs = &history.epochs;
    let last = epochs.last();
    // Without the epochs that a run had before it was resumed.
    let resumed_at = epochs.len() - clock.epochs.len();
    let visited = (resumed_at..epochs.len()).map(|epoch| plan.cells_of_epoch(&meta.split, epoch));
    let visited = visited.sum::<usize>() as f64;
    let n_labels = meta.config.n_labels;
    let is_labelled = |label: &&u32| (**label as usize) < n_labels;
    let n_labelled = prepared.columns.labels.iter().filter(is_labelled).count();
    let mut report = Report::default();
    report
        .add("cells", prepared.counts.n_cells())
        .dropped(&prepared.dropped)
        .add("genes", prepared.counts.n_genes())
        .add("batches", prepared.registry.batch.as_ref().map_or(1, |b| b.categories.len()))
        .add("labels", meta.scanvi.as_ref().map(|_| n_labels))
        .add("labelled_cells", meta.scanvi.as_ref().map(|_| n_labelled))
        .add("epochs", epochs.len())
        .add("stop", meta.training.stop.clone())
        .add("seconds", clock.total())
        .add("seconds_per_epoch", clock.median_epoch())
        .add("cells_per_second", visited / clock.total())
        .add("elbo_train", last.map(|e| e.train.elbo))
        .add("elbo_validation", last.and_then(|e| e.validation.as_ref()).map(|v| v.elbo));
    if meta.scanvi.is_some() {
        let accuracy = |terms: &LossTerms| terms.metrics.get("accuracy").copied();
        let validation = last.and_then(|e| e.validation.as_ref());
        report
            .add("accuracy_train", last.and_then(|e| accuracy(&e.train)))
            .add("accuracy_validation", validation.and_then(accuracy));
    }
    report.add("files", files);
    report
}
