//! The second minibatch of a step: cells whose labels are known, which train the classifier and the
//! encoder.

use scvi_kernels::ops::cross_entropy::CrossEntropy;
use scvi_kernels::{Backend, Real};

use super::Scanvae;
use super::inputs::LabelledInputs;
use super::spec::ScanvaeSpec;
use crate::module::vae::{for_z, pass};
use crate::nn::{
    ClassifierActivations, EncoderActivations, EncoderPlan, InputGrads, MomentGrads, Update,
};

/// A labelled minibatch and all that is computed of it.
pub(super) struct Labelled<B: Backend> {
    pub(super) inputs: LabelledInputs<B>,
    /// Its latent variable is the posterior's mean: there is no noise, and no softmax.
    pub(super) encoder: EncoderActivations<B>,
    pub(super) classifier: ClassifierActivations<B>,
    /// The classifier's outputs, where these are probabilities: `(cells, labels)`.
    probabilities: Option<B::Buf>,
    /// Cross entropy: `(cells)`.
    pub(super) losses: B::Buf,
    /// Gradient of the batch's embedding: `(cells, embedding_dim)`.
    d_embedded: B::Buf,
}

impl<B: Backend> Labelled<B> {
    pub(super) fn new(backend: &B, spec: &ScanvaeSpec, inputs: LabelledInputs<B>) -> Self {
        let max_cells = inputs.cells.max_cells;
        let encoder = EncoderPlan { softmax: false, ..spec.vae().encoder_plan() };
        let n_embedded = encoder.fc.n_embedded;
        let softmax = !spec.config().classifier_parameters.logits;
        let zeros = |width| backend.zeros(max_cells * width);
        Self {
            inputs,
            encoder: EncoderActivations::new(backend, &encoder, max_cells),
            classifier: ClassifierActivations::new(backend, &spec.classifier_plan(), max_cells),
            probabilities: softmax.then(|| zeros(spec.n_labels())),
            losses: zeros(1),
            d_embedded: zeros(n_embedded),
        }
    }

    /// Cells of the minibatch at hand; 0 where none is labelled.
    pub(super) fn n_cells(&self) -> usize {
        self.inputs.cells.n_cells
    }

    /// What the classifier says of each cell: logits, or probabilities: `(cells, labels)`.
    pub(super) fn scores(&self) -> &B::Buf {
        self.probabilities.as_ref().unwrap_or(&self.classifier.logits)
    }

    /// Cross entropy of what the classifier says; with the weight of a cell, the gradient of the
    /// logits, too.
    fn cross_entropy(&mut self, backend: &B, n_labels: usize, weight: Option<B::Elem>) {
        let Self { inputs, classifier, probabilities, losses, .. } = self;
        let dims = [inputs.cells.n_cells, n_labels];
        let ClassifierActivations { logits, d_logits, .. } = classifier;
        if let Some(probabilities) = probabilities {
            backend.softmax(logits, probabilities, dims);
        }
        let grad = weight.map(|weight| (weight, &mut *d_logits));
        let scores = probabilities.as_ref().unwrap_or(logits);
        let io = CrossEntropy { logits: scores, labels: &inputs.labels, losses, grad };
        backend.cross_entropy(io, dims);
        if let (Some(probabilities), Some(_)) = (probabilities, weight) {
            backend.softmax_grad(probabilities, d_logits, dims);
        }
    }
}

impl<B: Backend> Scanvae<B> {
    /// The classifier at the posterior's mean in training mode, its loss, and the gradient of its
    /// logits, where a cell has this weight.
    pub(super) fn classify_train(&mut self, labelled: &mut Labelled<B>, weight: B::Elem) {
        let Labelled { inputs, encoder: acts, classifier, .. } = &mut *labelled;
        let inputs = &mut inputs.cells;
        let backend = &self.vae.backend;
        if let Some(batch) = self.vae.embeddings.batch_mut() {
            let embedded = &mut inputs.covariates.embedded;
            batch.forward_train(backend, &inputs.batch, inputs.n_cells, embedded);
        }
        let pass = pass(backend, inputs);
        self.vae.encoder.forward_train(pass, for_z(inputs), acts);
        self.classifier.forward_train(pass, acts.z(), classifier);
        labelled.cross_entropy(backend, self.spec.n_labels(), Some(weight));
    }

    /// The same in evaluation mode, without gradients.
    pub(super) fn classify_eval(&self, labelled: &mut Labelled<B>) {
        let Labelled { inputs, encoder: acts, classifier, .. } = &mut *labelled;
        let inputs = &mut inputs.cells;
        let backend = &self.vae.backend;
        self.vae.embed_batch(inputs);
        let pass = pass(backend, inputs);
        self.vae.encoder.forward_eval(pass, for_z(inputs), acts, false);
        self.classifier.forward_eval(pass, acts.z(), classifier);
        labelled.cross_entropy(backend, self.spec.n_labels(), None);
    }

    /// From the gradient of the logits to the parameters of the classifier, the encoder, and the
    /// batch's embedding where the encoder reads it.
    pub(super) fn classify_backward(
        &mut self,
        labelled: &mut Labelled<B>,
        update: Update<B::Elem>,
    ) {
        let Labelled { inputs, encoder: acts, classifier, d_embedded, .. } = labelled;
        let inputs = &inputs.cells;
        let backend = &self.vae.backend;
        let pass = pass(backend, inputs);
        let (z, dz) = acts.z_and_grad();
        let grads = InputGrads { input: Some((dz, false)), embedded: None };
        self.classifier.backward(pass, z, classifier, grads, update);
        let reads = self.vae.encoder.plan().fc.n_embedded > 0;
        let grads =
            InputGrads { input: None, embedded: reads.then_some((&mut *d_embedded, false)) };
        let moments = MomentGrads::of_kl(B::Elem::ZERO);
        self.vae.encoder.backward(pass, for_z(inputs), acts, moments, grads, update);
        if let (true, Some(batch)) = (reads, self.vae.embeddings.batch_mut()) {
            batch.backward(backend, &inputs.batch, inputs.n_cells, d_embedded, update);
        }
    }
}
