//! The variational autoencoder.

use scvi_kernels::ops::count_head::{self, LikelihoodPass};
use scvi_kernels::{AdamStep, Backend, GradSink, Real};

use super::options::Dispersion;
use super::spec::VaeSpec;
use super::workspace::{Inputs, Noise, Workspace};
use crate::nn::{Decoder, Encoder, Init, Param, Pass, Slot, StateDict, StateError, Update};
use crate::nn::{StateExport, StateImport, StateVisitor};

/// scVI's variational autoencoder (Lopez et al. 2018; scvi-tools 1.4.2, `module/_vae.py`).
///
/// ```text
/// q(z|x) = N(q_m, q_v),  q_m, q_v = encoder(ln(1 + x))
/// p(x|z) = likelihood(μ = e^library ρ, θ, π),  ρ, π = decoder([z, batch])
/// loss   = mean over cells of  -Σ_g ln p(x_g|z) + kl_weight KL(q(z|x) ‖ N(0, 1))
/// ```
pub struct Vae<B: Backend> {
    pub(super) backend: B,
    pub(super) spec: VaeSpec,
    pub(super) encoder: Encoder<B>,
    pub(super) decoder: Decoder<B>,
    px_r: Option<Param<B>>, // (genes, groups)
}

impl<B: Backend> Vae<B> {
    /// A model with torch's default initial weights, drawn from `seed`.
    pub fn new(backend: B, spec: VaeSpec, seed: u64) -> Self {
        let config = spec.config();
        let mut init = Init::new(seed);
        let likelihood = count_head::GeneLikelihood::from(config.gene_likelihood);
        let n_px_r = config.n_input * spec.n_dispersion_groups();
        let px_r = likelihood.has_theta().then(|| Param::new(&backend, &init.normal(n_px_r)));
        let encoder = Encoder::new(&backend, spec.encoder_plan(), config.n_latent, &mut init);
        let decoder = Decoder::new(
            &backend,
            spec.decoder_plan(),
            config.n_input,
            likelihood.has_pi(),
            &mut init,
        );
        Self { backend, spec, encoder, decoder, px_r }
    }

    /// What this model is.
    pub fn spec(&self) -> &VaeSpec {
        &self.spec
    }

    /// The device it lives on.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// One optimisation step on the minibatch in `ws`: forward in training mode, loss, gradients,
    /// and Adam on every parameter.
    pub fn train_step(
        &mut self,
        ws: &mut Workspace<B>,
        noise: Noise<B::Elem>,
        kl_weight: f64,
        adam: AdamStep<B::Elem>,
    ) {
        self.forward_backward(ws, noise, kl_weight, Update::Adam(adam));
    }

    /// The same without the optimiser: gradients are kept for [`Vae::gradients`].
    pub fn compute_gradients(
        &mut self,
        ws: &mut Workspace<B>,
        noise: Noise<B::Elem>,
        kl_weight: f64,
    ) {
        self.forward_backward(ws, noise, kl_weight, Update::Store);
    }

    fn forward_backward(
        &mut self,
        ws: &mut Workspace<B>,
        noise: Noise<B::Elem>,
        kl_weight: f64,
        update: Update<B::Elem>,
    ) {
        ws.set_noise(&self.backend, noise, true);
        let Self { backend, encoder, decoder, px_r, spec } = self;
        let Workspace { inputs, encoder: enc, decoder: dec, .. } = ws;
        let pass = Pass { backend, categories: &inputs.batch, cells: inputs.n_cells };
        encoder.forward_train(pass, &inputs.counts, enc);
        decoder.forward_train(pass, &enc.z, dec);
        // The loss is a mean over cells.
        let weight = B::Elem::of(1.0 / inputs.n_cells as f64);
        let likelihood = LikelihoodPass {
            likelihood: spec.config().gene_likelihood.into(),
            counts: &inputs.counts,
            library: backend.library(&inputs.counts),
            grad_weight: Some(weight),
        };
        let sink = px_r.as_mut().map(|p| p.sink(backend, update));
        let dispersion = dispersion(spec, sink, &inputs.batch);
        decoder.likelihood(backend, likelihood, dispersion, dec, inputs.n_cells);
        decoder.backward(pass, &enc.z, dec, &mut enc.dz, update);
        let kl_weight = B::Elem::of(kl_weight) * weight;
        encoder.backward(pass, &inputs.counts, enc, kl_weight, update);
    }

    /// The posterior of the minibatch in `ws`, in evaluation mode: q_m, q_v, z and KL. Without
    /// noise z is the posterior's mean.
    pub fn inference(&self, ws: &mut Workspace<B>, noise: Option<Noise<B::Elem>>) {
        if let Some(noise) = noise {
            ws.set_noise(&self.backend, noise, false);
        }
        let inputs = &ws.inputs;
        let pass = self.pass(inputs);
        self.encoder.forward_eval(pass, &inputs.counts, &mut ws.encoder, noise.is_some());
    }

    fn pass<'a>(&'a self, inputs: &'a Inputs<B>) -> Pass<'a, B> {
        Pass { backend: &self.backend, categories: &inputs.batch, cells: inputs.n_cells }
    }

    /// Decodes z and evaluates -ln p(x|z) of each cell, in evaluation mode, after
    /// [`Vae::inference`].
    pub fn generative(&self, ws: &mut Workspace<B>) {
        let Workspace { inputs, encoder: enc, decoder: dec, .. } = ws;
        self.decoder.forward_eval(self.pass(inputs), &enc.z, dec);
        let likelihood = LikelihoodPass {
            likelihood: self.spec.config().gene_likelihood.into(),
            counts: &inputs.counts,
            library: self.backend.library(&inputs.counts),
            grad_weight: None,
        };
        let sink = self.px_r.as_ref().map(|p| GradSink::Frozen { value: &p.value });
        let dispersion = dispersion(&self.spec, sink, &inputs.batch);
        self.decoder.likelihood(&self.backend, likelihood, dispersion, dec, inputs.n_cells);
    }

    /// px_scale ρ of the last decoded minibatch: `(cells, genes)`, each row sums to 1.
    pub fn px_scale(&self, ws: &Workspace<B>) -> Vec<B::Elem> {
        self.backend.head_scale(&ws.decoder.head, self.decoder.dims(ws.inputs.n_cells))
    }

    /// px_rate μ = e^library ρ of the last decoded minibatch: `(cells, genes)`, in counts.
    pub fn px_rate(&self, ws: &Workspace<B>) -> Vec<B::Elem> {
        let mut rate = self.px_scale(ws);
        let rows = rate.chunks_exact_mut(self.spec.config().n_input);
        for (row, library) in rows.zip(ws.library(&self.backend)) {
            row.iter_mut().for_each(|v| *v *= library.exp());
        }
        rate
    }

    /// px_dropout π, the zero-inflation logits of the minibatch last decoded in evaluation mode:
    /// `(cells, genes)`; `None` where the likelihood has none.
    pub fn px_dropout(&self, ws: &Workspace<B>) -> Option<Vec<B::Elem>> {
        let likelihood = count_head::GeneLikelihood::from(self.spec.config().gene_likelihood);
        let dims = self.decoder.dims(ws.inputs.n_cells);
        likelihood.has_pi().then(|| self.backend.head_dropout(&ws.decoder.head, dims))
    }

    /// Every parameter and running moment, in scvi-tools' names and torch's layout.
    pub fn state_dict(&mut self) -> StateDict<B::Elem> {
        self.export(Slot::Value)
    }

    /// Every gradient kept by [`Vae::compute_gradients`].
    pub fn gradients(&mut self) -> StateDict<B::Elem> {
        self.export(Slot::Grad)
    }

    /// Replaces every parameter and running moment.
    ///
    /// # Errors
    /// [`StateError`] where a tensor is missing, has another shape, or has no place here. The model
    /// is then partly overwritten and must not be used.
    pub fn load_state_dict(&mut self, state: StateDict<B::Elem>) -> Result<(), StateError> {
        let Self { backend, encoder, decoder, px_r, spec } = self;
        let mut import = StateImport { backend, state };
        visit(spec, encoder, decoder, px_r, &mut import)?;
        match import.state.into_keys().next() {
            Some(name) => Err(StateError::Unknown { name }),
            None => Ok(()),
        }
    }

    fn export(&mut self, slot: Slot) -> StateDict<B::Elem> {
        let Self { backend, encoder, decoder, px_r, spec } = self;
        let mut export = StateExport { backend, slot, state: StateDict::new() };
        visit(spec, encoder, decoder, px_r, &mut export).expect("an export refuses nothing");
        export.state
    }
}

fn dispersion<'a, B: Backend>(
    spec: &VaeSpec,
    px_r: Option<GradSink<'a, B>>,
    batch: &'a B::Ids,
) -> count_head::Dispersion<'a, B> {
    let Some(px_r) = px_r else { return count_head::Dispersion::None };
    let groups = match spec.config().dispersion {
        Dispersion::Gene => None,
        Dispersion::GeneBatch => Some(batch),
    };
    count_head::Dispersion::Table { px_r, groups, n_groups: spec.n_dispersion_groups() }
}

fn visit<B: Backend>(
    spec: &VaeSpec,
    encoder: &mut Encoder<B>,
    decoder: &mut Decoder<B>,
    px_r: &mut Option<Param<B>>,
    visitor: &mut impl StateVisitor<B>,
) -> Result<(), StateError> {
    if let Some(px_r) = px_r {
        let genes = spec.config().n_input;
        match spec.config().dispersion {
            Dispersion::Gene => visitor.param("px_r", &[genes], px_r)?,
            Dispersion::GeneBatch => {
                visitor.param("px_r", &[genes, spec.n_dispersion_groups()], px_r)?;
            }
        }
    }
    encoder.visit("z_encoder", visitor)?;
    decoder.visit("decoder", visitor)
}
