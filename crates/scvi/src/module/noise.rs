//! Where the noise of a pass comes from: drawn for it, drawn ahead of it, or given.

use std::mem::swap;

use scvi_kernels::{Backend, NoiseKey, Stream};

use super::spec::VaeSpec;
use crate::nn::{EncoderActivations, EncoderPlan};

/// Where a draw's noise comes from.
#[derive(Debug, Clone, Copy)]
pub enum Noise<'a, F> {
    /// From the seed and each cell's number; `draw` tells repetitions (epochs, samples) apart.
    Seeded {
        /// Seed of the run.
        seed: u64,
        /// Which repetition.
        draw: u32,
    },
    /// Given, to repeat another program's step.
    Given(&'a GivenNoise<F>),
}

/// Noise drawn elsewhere.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GivenNoise<F> {
    /// ε of z: `(cells, n_latent)`.
    pub z: Vec<F>,
    /// ε of an inferred library: `(cells)`.
    pub library: Vec<F>,
    /// Dropout factors of each layer of z's encoder, 0 or 1/(1-p): `(cells, n_hidden)`.
    pub dropout: Vec<Vec<F>>,
    /// Dropout factors of the library's encoder: `(cells, n_hidden)`.
    pub library_dropout: Vec<Vec<F>>,
}

/// The noise that one encoder takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoisePlan {
    latent: Stream,
    dropout: Stream,
    n_out: usize,
    n_hidden: usize,
    /// Layers with dropout.
    n_layers: usize,
    rate: f64,
}

/// The cells that noise belongs to.
pub(super) struct Cells<'a, B: Backend> {
    pub(super) ids: &'a B::Ids,
    pub(super) n: usize,
}

impl<B: Backend> Clone for Cells<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: Backend> Copy for Cells<'_, B> {}

impl NoisePlan {
    /// Of the encoders of z and of an inferred library.
    pub(super) fn both(spec: &VaeSpec, library: bool) -> [Option<Self>; 2] {
        let of = |plan: EncoderPlan, latent, dropout| Self {
            latent,
            dropout,
            n_out: plan.n_out,
            n_hidden: plan.fc.n_hidden,
            n_layers: if plan.fc.dropout_rate > 0.0 { plan.fc.n_layers } else { 0 },
            rate: plan.fc.dropout_rate,
        };
        [
            Some(of(spec.encoder_plan(), Stream::Latent, Stream::Dropout)),
            library
                .then(|| of(spec.library_encoder_plan(), Stream::Library, Stream::LibraryDropout)),
        ]
    }

    /// Draws what belongs to the cells, for as many layers as there are.
    fn draw<'a, B: Backend>(
        &self,
        backend: &B,
        cells: Cells<B>,
        (seed, draw): (u64, u32),
        latent: &mut B::Buf,
        layers: impl Iterator<Item = &'a mut B::Buf>,
    ) where
        B::Buf: 'a,
    {
        let key = |stream| NoiseKey { seed, stream, draw };
        let Cells { ids, n } = cells;
        backend.normal_noise(key(self.latent as u32), ids, [n, self.n_out], latent);
        for (i, factors) in layers.enumerate() {
            let (key, dims) = (key(self.dropout as u32 + i as u32), [n, self.n_hidden]);
            backend.dropout_noise(key, ids, dims, self.rate, factors);
        }
    }

    /// Draws into an encoder's activations; the factors of dropout where they are wanted.
    pub(super) fn draw_into<B: Backend>(
        &self,
        backend: &B,
        cells: Cells<B>,
        by: (u64, u32),
        encoder: &mut EncoderActivations<B>,
        dropout: bool,
    ) {
        let layers = encoder.fc.dropout().take(if dropout { usize::MAX } else { 0 });
        self.draw(backend, cells, by, &mut encoder.noise, layers);
    }
}

/// ε of an encoder's draw and the factors of each layer's dropout.
type Drawn<Buf> = (Buf, Vec<Buf>);

/// Noise of a training step, drawn ahead of it: while another step runs, it costs no time.
pub(super) struct NoiseAhead<B: Backend> {
    /// Seed and draw of what is there.
    pub(super) drawn: Option<(u64, u32)>,
    encoders: [Option<Drawn<B::Buf>>; 2],
}

impl<B: Backend> NoiseAhead<B> {
    pub(super) fn new(backend: &B, plans: &[Option<NoisePlan>; 2], max_cells: usize) -> Self {
        let encoders = plans.map(|plan| {
            let plan = plan?;
            let zeros = |width| backend.zeros(max_cells * width);
            let layers = (0..plan.n_layers).map(|_| zeros(plan.n_hidden));
            Some((zeros(plan.n_out), layers.collect()))
        });
        Self { drawn: None, encoders }
    }

    pub(super) fn draw(
        &mut self,
        backend: &B,
        plans: &[Option<NoisePlan>; 2],
        cells: Cells<B>,
        by: (u64, u32),
    ) {
        for (bufs, plan) in self.encoders.iter_mut().zip(plans) {
            if let (Some((latent, layers)), Some(plan)) = (bufs, plan) {
                plan.draw(backend, cells, by, latent, layers.iter_mut());
            }
        }
        self.drawn = Some(by);
    }

    /// Puts the noise where the encoders look for it, if it is this that they want.
    pub(super) fn give(
        &mut self,
        by: (u64, u32),
        encoders: [Option<&mut EncoderActivations<B>>; 2],
    ) -> bool {
        if self.drawn != Some(by) {
            return false;
        }
        self.drawn = None;
        for (encoder, bufs) in encoders.into_iter().zip(&mut self.encoders) {
            if let (Some(encoder), Some((latent, layers))) = (encoder, bufs) {
                swap(&mut encoder.noise, latent);
                encoder.fc.dropout().zip(layers).for_each(|(a, b)| swap(a, b));
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use scvi_kernels::Cpu;

    use super::*;
    use crate::data::Dataset;
    use crate::data::simulate::{SimulateConfig, simulate};
    use crate::module::{Inputs, Minibatch, Vae, VaeConfig};

    const BY: (u64, u32) = (3, 5);

    /// The gradients of two steps on cell 0 and those after it, both by seed 3 and draw 5. Before,
    /// noise was drawn ahead for other cells and draws: pairs of first cell and draw, in order.
    fn gradients(config: &VaeConfig, ahead: &[(u32, u32)]) -> [Vec<f64>; 2] {
        let sim = simulate(&SimulateConfig { n_cells: 40, n_genes: 30, ..Default::default() });
        let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
        let mut vae = Vae::<Cpu<f64>>::new(Cpu::new(), config.validate().unwrap(), 0);
        let mut ws = vae.workspace(17, 17 * 30, true);
        let mut next = vae.inputs(17, 17 * 30);
        let mut batch = Minibatch::default();
        let mut load = |next: &mut Inputs<_>, first: u32| {
            data.fill(&(first..first + 17).collect::<Vec<_>>(), &mut batch).unwrap();
            next.load(&Cpu::new(), &batch);
        };
        for &(first, draw) in ahead {
            load(&mut next, first);
            next.draw_ahead(&Cpu::new(), Noise::Seeded { seed: BY.0, draw });
        }
        if ahead.last().is_none_or(|&(first, _)| first != 0) {
            load(&mut next, 0);
        }
        ws.swap_inputs(&mut next);
        [(); 2].map(|()| {
            vae.compute_gradients(&mut ws, Noise::Seeded { seed: BY.0, draw: BY.1 }, 1.0);
            vae.gradients().into_values().flat_map(|tensor| tensor.data).collect()
        })
    }

    #[test]
    fn noise_drawn_ahead_is_that_of_the_step_and_of_no_other() {
        let default = VaeConfig { n_input: 30, n_batch: 2, n_hidden: 9, ..VaeConfig::default() };
        let configs = [
            default.clone(),
            VaeConfig {
                n_layers: 3,
                use_observed_lib_size: false,
                library_log_means: Some(vec![3.0, 4.0]),
                library_log_vars: Some(vec![0.5, 1.5]),
                ..default.clone()
            },
            VaeConfig { dropout_rate: 0.0, ..default },
        ];
        for config in &configs {
            let [want, again] = gradients(config, &[]);
            assert!(want == again && want.iter().any(|&v| v != 0.0));
            let other: &[(u32, u32)] = &[(0, BY.1 + 1)];
            for ahead in [&[(0, BY.1)], other, &[(9, BY.1)], &[(9, 4), (0, BY.1)]] {
                assert!(gradients(config, ahead) == [want.clone(), again.clone()], "{ahead:?}");
            }
        }
    }
}
