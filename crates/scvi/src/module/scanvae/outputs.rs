//! What a pass says of each cell, and of the minibatches.

use scvi_kernels::Backend;

use super::Scanvae;
use super::metrics::ClassificationMetrics;
use super::workspace::ScanvaeWorkspace;
use crate::module::{CellOutputs, Loss, LossPart, LossTerm};

impl<B: Backend> Scanvae<B> {
    /// The loss of the minibatches in `ws`, after a step or an evaluation.
    pub fn loss(
        &self,
        ws: &ScanvaeWorkspace<B>,
        kl_weight: f64,
        classification_ratio: f64,
    ) -> Loss {
        let (backend, n_cells) = (self.backend(), ws.vae.n_cells());
        let term = |name, part, weight, values, cells| {
            let sum = backend.sum(values, cells);
            LossTerm { name, part, weight, sum }
        };
        let kl = |name, values| term(name, LossPart::KlLocal, kl_weight, values, n_cells);
        let reconstruction = LossPart::Reconstruction;
        let mut terms = Vec::with_capacity(4);
        terms.push(term("reconstruction_loss", reconstruction, 1.0, &ws.vae.decoder.nll, n_cells));
        terms.push(kl("kl_local", &ws.labels.kl_local));
        terms.extend(ws.vae.library.as_ref().map(|l| kl("kl_divergence_l", &l.kl)));
        let mut metrics = Vec::new();
        let n_labelled = ws.labelled.n_cells();
        if n_labelled > 0 {
            // The loss is divided by the number of all cells.
            let weight = classification_ratio * n_cells as f64 / n_labelled as f64;
            let losses = &ws.labelled.losses;
            let entropy = term(CLASSIFICATION_LOSS, LossPart::Other, weight, losses, n_labelled);
            metrics.push((CLASSIFICATION_LOSS, entropy.sum / n_labelled as f64));
            metrics.extend(self.metrics(ws).named());
            terms.push(entropy);
        }
        Loss { n_cells, terms, metrics }
    }

    fn metrics(&self, ws: &ScanvaeWorkspace<B>) -> ClassificationMetrics {
        let n_labels = self.spec.n_labels();
        let scores = self.labelled_scores(ws);
        let (_, labels) = ws.labelled.inputs.cells.batch_and_labels();
        ClassificationMetrics::new(&scores, labels, n_labels)
    }

    /// What the classifier says of the labelled cells: logits, or probabilities where it gives
    /// these: `(labelled cells, labels)`.
    pub fn labelled_scores(&self, ws: &ScanvaeWorkspace<B>) -> Vec<B::Elem> {
        let len = ws.labelled.n_cells() * self.spec.n_labels();
        self.backend().download(ws.labelled.scores(), len)
    }

    /// Terms of each cell's loss; `kl_divergence_z` are all divergences but that of the library.
    pub fn cell_outputs(&self, ws: &ScanvaeWorkspace<B>) -> CellOutputs<B::Elem> {
        let mut outputs = ws.vae.cell_outputs(self.backend());
        let n_cells = ws.vae.n_cells();
        outputs.kl_divergence_z = self.backend().download(&ws.labels.kl_local, n_cells);
        outputs
    }
}

const CLASSIFICATION_LOSS: &str = "classification_loss";
