//! Where the noise of a step comes from. It belongs to the cell, as that of the Vae.

use scvi_kernels::{Backend, NoiseKey, Stream};

use super::spec::ScanvaeSpec;
use super::workspace::{LabelTerms, ScanvaeWorkspace};
use crate::module::noise::Cells;
use crate::module::{GivenNoise, Inputs, Noise};
use crate::nn::{FcActivations, FcPlan};

/// Where the noise of both minibatches comes from.
#[derive(Debug, Clone, Copy)]
pub enum ScanvaeNoise<'a, F> {
    /// From the seed and each cell's number; draws tell repetitions apart.
    Seeded {
        /// Seed of the run.
        seed: u64,
        /// Which repetition of the minibatch of all cells.
        draw: u32,
        /// Which repetition of the labelled minibatch, whose cells come more often than once an
        /// epoch.
        labelled_draw: u32,
    },
    /// Given, to repeat another program's step.
    Given(&'a GivenScanvaeNoise<F>),
}

/// Noise drawn elsewhere.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GivenScanvaeNoise<F> {
    /// That of the Vae.
    pub vae: GivenNoise<F>,
    /// ε of z2: `(cells, labels, n_latent)`.
    pub z2: Vec<F>,
    /// Dropout factors of each layer of z2's encoder, 0 or 1/(1-p): `(cells, labels, n_hidden)`.
    pub z2_dropout: Vec<Vec<F>>,
    /// Those of the classifier: `(cells, n_hidden)`.
    pub classifier_dropout: Vec<Vec<F>>,
    /// Those of z's encoder on labelled cells: `(labelled cells, n_hidden)`.
    pub labelled_dropout: Vec<Vec<F>>,
    /// Those of the classifier on labelled cells: `(labelled cells, n_hidden)`.
    pub labelled_classifier_dropout: Vec<Vec<F>>,
}

impl<'a, F> ScanvaeNoise<'a, F> {
    /// That of the Vae.
    pub(super) fn vae(&self) -> Noise<'a, F> {
        match *self {
            Self::Seeded { seed, draw, .. } => Noise::Seeded { seed, draw },
            Self::Given(given) => Noise::Given(&given.vae),
        }
    }
}

impl<B: Backend> ScanvaeWorkspace<B> {
    /// Sets all noise but that of the Vae; factors of dropout where the pass is a training step.
    pub(super) fn set_noise(
        &mut self,
        backend: &B,
        spec: &ScanvaeSpec,
        noise: ScanvaeNoise<B::Elem>,
        dropout: bool,
    ) {
        match noise {
            ScanvaeNoise::Given(given) => self.upload_noise(backend, given),
            ScanvaeNoise::Seeded { seed, draw, labelled_draw } => {
                self.labels.draw_latent(backend, spec, &self.vae.inputs, (seed, draw));
                if dropout {
                    self.draw_dropout(backend, spec, (seed, draw));
                    self.draw_labelled_dropout(backend, spec, (seed, labelled_draw));
                }
            }
        }
    }

    fn upload_noise(&mut self, backend: &B, given: &GivenScanvaeNoise<B::Elem>) {
        let Self { labels, labelled, .. } = self;
        backend.upload(&mut labels.second_level.encoder.noise, &given.z2);
        let dropout = [
            (&mut labels.second_level.encoder.fc, &given.z2_dropout),
            (&mut labels.classifier.fc, &given.classifier_dropout),
            (&mut labelled.encoder.fc, &given.labelled_dropout),
            (&mut labelled.classifier.fc, &given.labelled_classifier_dropout),
        ];
        for (fc, given) in dropout {
            fc.dropout().zip(given).for_each(|(buf, factors)| backend.upload(buf, factors));
        }
    }

    fn draw_dropout(&mut self, backend: &B, spec: &ScanvaeSpec, by: (u64, u32)) {
        let Self { vae, labels, .. } = self;
        let cells = || Cells { ids: &vae.inputs.cells, n: vae.inputs.n_cells };
        let plan = spec.encoder_z2_z1_plan().fc;
        let n_hidden = spec.n_labels() * plan.n_hidden;
        let stream = Stream::SecondLevelDropout;
        let fc = &mut labels.second_level.encoder.fc;
        draw_layers(backend, cells(), by, stream, &FcPlan { n_hidden, ..plan }, fc);
        let plan = spec.classifier_plan().fc;
        let stream = Stream::ClassifierDropout;
        draw_layers(backend, cells(), by, stream, &plan, &mut labels.classifier.fc);
    }

    fn draw_labelled_dropout(&mut self, backend: &B, spec: &ScanvaeSpec, by: (u64, u32)) {
        let labelled = &mut self.labelled;
        let inputs = &labelled.inputs.cells;
        let cells = || Cells { ids: &inputs.cells, n: inputs.n_cells };
        let layers = [
            (Stream::LabelledDropout, spec.vae().encoder_plan().fc, &mut labelled.encoder.fc),
            (
                Stream::LabelledClassifierDropout,
                spec.classifier_plan().fc,
                &mut labelled.classifier.fc,
            ),
        ];
        for (stream, plan, fc) in layers {
            draw_layers(backend, cells(), by, stream, &plan, fc);
        }
    }
}

impl<B: Backend> LabelTerms<B> {
    /// ε of z2 for every label of the cells in `inputs`.
    pub(super) fn draw_latent(
        &mut self,
        backend: &B,
        spec: &ScanvaeSpec,
        inputs: &Inputs<B>,
        (seed, draw): (u64, u32),
    ) {
        let key = NoiseKey { seed, stream: Stream::SecondLevel as u32, draw };
        let dims = [inputs.n_cells, spec.n_labels() * spec.config().vae.n_latent];
        let noise = &mut self.second_level.encoder.noise;
        backend.normal_noise(key, &inputs.cells, dims, noise);
    }
}

/// Dropout factors of every layer of a stack.
fn draw_layers<B: Backend>(
    backend: &B,
    cells: Cells<B>,
    (seed, draw): (u64, u32),
    stream: Stream,
    plan: &FcPlan,
    fc: &mut FcActivations<B>,
) {
    for (i, factors) in fc.dropout().enumerate() {
        let key = NoiseKey { seed, stream: stream as u32 + i as u32, draw };
        let dims = [cells.n, plan.n_hidden];
        backend.dropout_noise(key, cells.ids, dims, plan.dropout_rate, factors);
    }
}
