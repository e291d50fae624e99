//! `Encoder`: from counts to the posterior of z.

use scvi_kernels::ops::linear::LinearDims;
use scvi_kernels::ops::posterior::VarActivation;
use scvi_kernels::{Backend, PosteriorGradIo, PosteriorIo};

use super::state::{StateError, StateVisitor};
use super::{FcActivations, FcInput, FcLayers, FcPlan, Init, Param, Pass, Update};

/// Added to the posterior's variance (scvi-tools 1.4.2, `nn/_base_components.py`, `Encoder`).
const VAR_EPS: f64 = 1e-4;

/// Hidden layers and the two linear maps to mean and log variance.
pub(crate) struct Encoder<B: Backend> {
    fc: FcLayers<B>,
    mean: [Param<B>; 2], // (n_hidden, n_latent), (n_latent)
    var: [Param<B>; 2],  // (n_hidden, n_latent), (n_latent)
    n_hidden: usize,
    n_latent: usize,
}

/// The posterior of a minibatch, and what its gradients need.
pub(crate) struct EncoderActivations<B: Backend> {
    pub(crate) fc: FcActivations<B>,
    pub(crate) mean: B::Buf,  // (cells, n_latent)
    raw: B::Buf,              // (cells, n_latent), the variance encoder's output
    pub(crate) var: B::Buf,   // (cells, n_latent)
    pub(crate) noise: B::Buf, // (cells, n_latent)
    pub(crate) z: B::Buf,     // (cells, n_latent)
    pub(crate) kl: B::Buf,    // (cells)
    pub(crate) dz: B::Buf,    // (cells, n_latent)
    d_raw: B::Buf,            // (cells, n_latent)
}

impl<B: Backend> EncoderActivations<B> {
    pub(crate) fn new(backend: &B, plan: &FcPlan, n_latent: usize, max_cells: usize) -> Self {
        let latent = || backend.zeros(max_cells * n_latent);
        Self {
            fc: FcActivations::new(backend, plan, max_cells),
            mean: latent(),
            raw: latent(),
            var: latent(),
            noise: latent(),
            z: latent(),
            kl: backend.zeros(max_cells),
            dz: latent(),
            d_raw: latent(),
        }
    }
}

impl<B: Backend> Encoder<B> {
    pub(crate) fn new(backend: &B, plan: FcPlan, n_latent: usize, init: &mut Init) -> Self {
        let n_hidden = plan.n_hidden;
        let fc = FcLayers::new(backend, plan, init);
        let mut head = || {
            [n_hidden * n_latent, n_latent]
                .map(|len| Param::new(backend, &init.linear(len, n_hidden)))
        };
        Self { fc, mean: head(), var: head(), n_hidden, n_latent }
    }

    fn dims(&self, cells: usize) -> LinearDims {
        LinearDims { cells, n_in: self.n_hidden, n_out: self.n_latent }
    }

    /// q_m, q_v, z and KL in evaluation mode; z at the mean unless noise is wanted.
    pub(crate) fn forward_eval(
        &self,
        pass: Pass<B>,
        counts: &B::Counts,
        acts: &mut EncoderActivations<B>,
        use_noise: bool,
    ) {
        self.fc.forward_eval(pass, FcInput::Counts(counts), &mut acts.fc);
        self.posterior(pass, acts, use_noise);
    }

    /// The same in training mode, with noise.
    pub(crate) fn forward_train(
        &mut self,
        pass: Pass<B>,
        counts: &B::Counts,
        acts: &mut EncoderActivations<B>,
    ) {
        self.fc.forward_train(pass, FcInput::Counts(counts), &mut acts.fc);
        self.posterior(pass, acts, true);
    }

    fn posterior(&self, pass: Pass<B>, acts: &mut EncoderActivations<B>, use_noise: bool) {
        let Pass { backend, cells, .. } = pass;
        let d = self.dims(cells);
        let h = acts.fc.out();
        for ([w, b], y) in [(&self.mean, &mut acts.mean), (&self.var, &mut acts.raw)] {
            backend.linear(h, &w.value, Some(&b.value), y, d, false);
        }
        let io = PosteriorIo {
            mean: &acts.mean,
            raw: &acts.raw,
            var_activation: &VarActivation::Exp,
            var_eps: VAR_EPS,
            prior: None,
            noise: use_noise.then_some(&acts.noise),
            var: &mut acts.var,
            z: &mut acts.z,
            kl: &mut acts.kl,
        };
        backend.posterior(io, [cells, self.n_latent]);
    }

    /// From dL/dz, left in `acts`, and the weight of each cell's KL to every parameter.
    pub(crate) fn backward(
        &mut self,
        pass: Pass<B>,
        counts: &B::Counts,
        acts: &mut EncoderActivations<B>,
        kl_weight: B::Elem,
        update: Update<B::Elem>,
    ) {
        let Pass { backend, cells, .. } = pass;
        let d = self.dims(cells);
        let io = PosteriorGradIo {
            mean: &acts.mean,
            raw: &acts.raw,
            var: &acts.var,
            var_activation: &VarActivation::Exp,
            prior: None,
            noise: &acts.noise,
            kl_weight,
            dz: &mut acts.dz,
            d_raw: &mut acts.d_raw,
        };
        backend.posterior_grad(io, [cells, self.n_latent]);
        let (h, dh) = acts.fc.out_and_grad();
        backend.linear_grad_input(&acts.dz, &self.mean[0].value, dh, d, false);
        backend.linear_grad_input(&acts.d_raw, &self.var[0].value, dh, d, true);
        for ([w, b], dy) in [(&mut self.mean, &acts.dz), (&mut self.var, &acts.d_raw)] {
            backend.linear_grad_weight(h, dy, d, w.sink(backend, update));
            backend.bias_grad(dy, d, b.sink(backend, update));
        }
        let input = FcInput::Counts(counts);
        self.fc.backward(pass, input, &mut acts.fc, None, update);
    }

    pub(crate) fn visit(
        &mut self,
        prefix: &str,
        visitor: &mut impl StateVisitor<B>,
    ) -> Result<(), StateError> {
        self.fc.visit(&format!("{prefix}.encoder"), visitor)?;
        let n = self.n_latent;
        for (name, [w, b]) in [("mean_encoder", &mut self.mean), ("var_encoder", &mut self.var)] {
            visitor.weight(&format!("{prefix}.{name}.weight"), n, w, None)?;
            visitor.param(&format!("{prefix}.{name}.bias"), &[n], b)?;
        }
        Ok(())
    }
}
