//! `DecoderSCVI` and `LinearDecoderSCVI`: from z to the parameters of every count, and back.

use scvi_kernels::Backend;
use scvi_kernels::ops::activation::Activation;
use scvi_kernels::ops::count_head::{Dispersion, HeadDims, HeadOutput, LikelihoodPass};

use super::decoder_plan::{BodyPlan, DecoderPlan, LinearInput};
use super::heads::{Decoded, Heads, HeadsActivations};
use super::leaves::with_each;
use super::tensors::{Tensors, TensorsMut};
use super::{FcActivations, FcInput, FcLayers, FcLeaf, Init, InputGrads, Pass, Update};
use crate::comm::LeafShare;

/// Hidden layers, or none, and the heads over genes.
#[derive(Clone)]
pub(crate) struct Decoder<B: Backend> {
    body: Body<B>,
    heads: Heads<B>,
}

/// What stands between z and the heads.
#[derive(Clone)]
enum Body<B: Backend> {
    /// Hidden layers.
    Layers(FcLayers<B>),
    /// Nothing: the heads read z and the one-hot categories beside each other.
    Linear(LinearInput),
}

impl<B: Backend> Body<B> {
    /// Whether no gradient passes where its output is zero.
    fn gates(&self) -> bool {
        matches!(self, Self::Layers(fc) if fc.plan().activation == Activation::Relu)
    }
}

/// The decoder's outputs for a minibatch, and what their gradients need.
pub(crate) struct DecoderActivations<B: Backend> {
    body: BodyActivations<B>,
    heads: HeadsActivations<B>,
    head: B::Head,
    pub(crate) nll: B::Buf, // (cells)
}

impl<B: Backend> DecoderActivations<B> {
    /// Exchanges the buffers of a number for each cell and gene, which are by far the largest: one
    /// set of them serves all leaves of a minibatch, one after the other.
    pub(crate) fn swap_heads(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.head, &mut other.head);
    }
}

/// A leaf of a minibatch on its way through a decoder.
pub(crate) struct DecoderLeaf<'a, B: Backend> {
    pub(crate) pass: Pass<'a, B>,
    pub(crate) z: &'a B::Buf, // (cells, n_latent)
    pub(crate) acts: &'a mut DecoderActivations<B>,
}

impl<B: Backend> DecoderLeaf<'_, B> {
    fn fc(&mut self) -> FcLeaf<'_, B> {
        let BodyActivations::Layers(acts) = &mut self.acts.body else { mismatched() };
        FcLeaf { pass: self.pass, input: FcInput::Dense(self.z), acts }
    }
}

fn mismatched() -> ! {
    unreachable!("activations of another decoder")
}

enum BodyActivations<B: Backend> {
    Layers(FcActivations<B>),
    /// The heads' input and its gradient: `(cells, n_latent + n_columns)`.
    Linear {
        h: B::Buf,
        dh: B::Buf,
    },
}

impl<B: Backend> BodyActivations<B> {
    /// The heads' input: `(cells, n_in)`.
    fn out(&self) -> &B::Buf {
        match self {
            Self::Layers(fc) => fc.out(),
            Self::Linear { h, .. } => h,
        }
    }

    fn out_and_grad(&mut self) -> (&B::Buf, &mut B::Buf) {
        match self {
            Self::Layers(fc) => fc.out_and_grad(),
            Self::Linear { h, dh } => (h, dh),
        }
    }
}

impl<B: Backend> Decoder<B> {
    pub(crate) fn new(backend: &B, plan: DecoderPlan, init: &mut Init) -> Self {
        let body = match plan.body {
            BodyPlan::Layers(fc) => Body::Layers(FcLayers::new(backend, fc, init)),
            BodyPlan::Linear(input) => Body::Linear(input),
        };
        Self { body, heads: Heads::new(backend, plan.heads, init) }
    }

    pub(crate) fn activations(
        &self,
        backend: &B,
        max_cells: usize,
        training: bool,
    ) -> DecoderActivations<B> {
        self.activations_of(backend, self.dims(max_cells), training)
    }

    /// Buffers for what the heads read, and none for what they give.
    pub(crate) fn hidden_activations(
        &self,
        backend: &B,
        max_cells: usize,
    ) -> DecoderActivations<B> {
        self.activations_of(backend, HeadDims { genes: 0, ..self.dims(max_cells) }, false)
    }

    fn activations_of(&self, backend: &B, dims: HeadDims, training: bool) -> DecoderActivations<B> {
        let max_cells = dims.cells;
        let body = match &self.body {
            Body::Layers(fc) => {
                BodyActivations::Layers(FcActivations::new(backend, fc.plan(), max_cells))
            }
            Body::Linear(_) => {
                let zeros = || backend.zeros(max_cells * self.heads.plan.n_in);
                BodyActivations::Linear { h: zeros(), dh: zeros() }
            }
        };
        let plan = self.heads.kernel_plan(training, self.body.gates());
        let head = backend.head(dims, plan);
        let heads = self.heads.activations(backend, dims);
        DecoderActivations { body, heads, head, nll: backend.zeros(max_cells) }
    }

    fn dims(&self, cells: usize) -> HeadDims {
        HeadDims { cells, genes: self.heads.plan.genes, hidden: self.heads.plan.n_in }
    }

    /// The heads' outputs in evaluation mode.
    pub(crate) fn forward_eval(
        &self,
        pass: Pass<B>,
        z: &B::Buf,
        acts: &mut DecoderActivations<B>,
        wanted: Decoded,
    ) {
        self.hidden_eval(pass, z, acts);
        let dims = self.dims(pass.cells);
        let h = acts.body.out();
        pass.backend.head_forward(&mut acts.head, h, self.heads.params(wanted), dims);
    }

    /// What the heads read, in evaluation mode: [`Decoder::hidden`].
    pub(crate) fn hidden_eval(&self, pass: Pass<B>, z: &B::Buf, acts: &mut DecoderActivations<B>) {
        match (&self.body, &mut acts.body) {
            (Body::Layers(fc), BodyActivations::Layers(acts)) => {
                fc.forward_eval(pass, FcInput::Dense(z), acts);
            }
            (Body::Linear(input), BodyActivations::Linear { h, .. }) => input.join(pass, z, h),
            _ => unreachable!("activations of another decoder"),
        }
    }

    /// What the heads read of each cell: `(cells, hidden_width)`.
    pub(crate) fn hidden(
        &self,
        backend: &B,
        acts: &DecoderActivations<B>,
        cells: usize,
    ) -> Vec<B::Elem> {
        backend.download(acts.body.out(), cells * self.hidden_width())
    }

    /// Numbers that the heads read of a cell.
    pub(crate) fn hidden_width(&self) -> usize {
        self.heads.plan.n_in
    }

    /// Takes the hidden states of `n` samples, `(n, hidden_width)`; see [`scvi_kernels::HeadOps::head_samples`].
    pub(crate) fn samples(&self, backend: &B, hidden: &[B::Elem], n: usize) -> B::Samples {
        let (layer, activation) = self.heads.scale();
        backend.head_samples(hidden, layer, activation, self.dims(n))
    }

    /// px_scale of the listed genes; see [`scvi_kernels::HeadOps::head_scale_rows`].
    pub(crate) fn scale_rows(
        &self,
        backend: &B,
        samples: &B::Samples,
        n: usize,
        genes: &[u32],
        out: &mut [B::Elem],
    ) {
        let (layer, activation) = self.heads.scale();
        backend.head_scale_rows(samples, layer, activation, genes, self.dims(n), out);
    }

    /// What the heads read, in training mode, of a minibatch in leaves.
    pub(crate) fn hidden_train_leaves(
        &mut self,
        backend: &B,
        leaves: &mut [DecoderLeaf<B>],
        share: LeafShare,
    ) {
        match &mut self.body {
            Body::Layers(fc) => {
                with_each(leaves, DecoderLeaf::fc, |leaves| {
                    fc.forward_train_leaves(backend, leaves, share);
                });
            }
            Body::Linear(input) => {
                for DecoderLeaf { pass, z, acts } in leaves {
                    let BodyActivations::Linear { h, .. } = &mut acts.body else { mismatched() };
                    input.join(*pass, z, h);
                }
            }
        }
    }

    /// The heads' outputs in training mode, after [`Decoder::hidden_train_leaves`].
    pub(crate) fn heads_train(
        &mut self,
        backend: &B,
        acts: &mut DecoderActivations<B>,
        cells: usize,
    ) {
        let dims = self.dims(cells);
        let params = self.heads.params_train(&mut acts.heads);
        backend.head_forward(&mut acts.head, acts.body.out(), params, dims);
    }

    /// Whether a minibatch may come in leaves: the heads normalise all cells that they see.
    pub(crate) fn takes_leaves(&self) -> bool {
        !self.heads.plan.batch_norm
    }

    /// -ln p(x | z) of each cell into `acts.nll`, after [`Decoder::forward_eval`].
    pub(crate) fn likelihood(
        &self,
        backend: &B,
        pass: LikelihoodPass<B>,
        dispersion: Dispersion<B>,
        acts: &mut DecoderActivations<B>,
        cells: usize,
    ) {
        let dims = self.dims(cells);
        backend.head_likelihood(&mut acts.head, pass, dispersion, &mut acts.nll, dims);
    }

    /// The same after [`Decoder::heads_train`], with the derivatives that
    /// [`Decoder::heads_backward`] goes on from; `pass` leaves open what is done of the heads.
    pub(crate) fn likelihood_train(
        &mut self,
        backend: &B,
        pass: LikelihoodPass<B>,
        dispersion: Dispersion<B>,
        acts: &mut DecoderActivations<B>,
        cells: usize,
        update: Update<B::Elem>,
    ) {
        let dims = self.dims(cells);
        let dropout = self.heads.dropout_step(backend, acts.body.out(), update);
        let pass = LikelihoodPass { dropout, ..pass };
        backend.head_likelihood(&mut acts.head, pass, dispersion, &mut acts.nll, dims);
    }

    /// dL/d(log library) of each cell, after [`Decoder::likelihood`] with derivatives.
    pub(crate) fn library_grad(
        &self,
        backend: &B,
        acts: &DecoderActivations<B>,
        d_library: &mut B::Buf,
        cells: usize,
    ) {
        backend.head_library_grad(&acts.head, d_library, self.dims(cells));
    }

    /// From the likelihood's derivatives to the gradients of the heads' parameters, and of what
    /// they read.
    pub(crate) fn heads_backward(
        &mut self,
        backend: &B,
        acts: &mut DecoderActivations<B>,
        cells: usize,
        update: Update<B::Elem>,
    ) {
        let dims = self.dims(cells);
        let (h, dh) = acts.body.out_and_grad();
        let sinks = self.heads.sinks(backend, &acts.heads, update);
        backend.head_grad(&mut acts.head, h, sinks, dh, dims);
    }

    /// From the gradient of what the heads read, left by [`Decoder::heads_backward`], to those of
    /// the hidden layers' parameters, and of z and the batch's embedding in each leaf.
    pub(crate) fn hidden_backward_leaves(
        &mut self,
        backend: &B,
        leaves: &mut [(DecoderLeaf<B>, InputGrads<B>)],
        share: LeafShare,
        update: Update<B::Elem>,
    ) {
        match &mut self.body {
            Body::Layers(fc) => with_each(
                leaves,
                |(leaf, grads)| (leaf.fc(), grads.take()),
                |leaves| fc.backward_leaves(backend, leaves, share, update),
            ),
            Body::Linear(LinearInput { n_latent, .. }) => {
                let widths = [self.heads.plan.n_in, *n_latent];
                for (DecoderLeaf { pass, acts, .. }, grads) in leaves {
                    let BodyActivations::Linear { dh, .. } = &acts.body else { mismatched() };
                    if let Some((dz, _)) = &mut grads.input {
                        pass.backend.first_columns(dh, dz, pass.cells, widths);
                    }
                }
            }
        }
    }

    /// Whether a head gives this number.
    pub(crate) fn has(&self, what: HeadOutput) -> bool {
        match what {
            HeadOutput::Scale => true,
            HeadOutput::Dropout => self.heads.plan.zero_inflated,
            HeadOutput::Dispersion => self.heads.plan.px_r,
        }
    }

    /// One number a cell and gene of the minibatch last decoded, of the listed genes or of all:
    /// `(cells, genes)`.
    pub(crate) fn read(
        &self,
        backend: &B,
        acts: &DecoderActivations<B>,
        what: HeadOutput,
        genes: Option<&[u32]>,
        cells: usize,
        out: &mut [B::Elem],
    ) {
        backend.head_read(&acts.head, what, genes, self.dims(cells), out);
    }

    /// Effect of each latent dimension on each gene's logit, `(genes, n_latent)`, where the decoder
    /// is linear.
    pub(crate) fn loadings(&self, backend: &B) -> Option<Vec<B::Elem>> {
        let Body::Linear(input) = &self.body else { return None };
        let weights = self.heads.scale_weights(backend);
        let rows = weights.chunks_exact(self.heads.plan.n_in);
        Some(rows.flat_map(|row| row[..input.n_latent].to_vec()).collect())
    }

    pub(crate) fn tensors(&self, prefix: &str) -> Tensors<'_, B> {
        let mut tensors = match &self.body {
            Body::Layers(fc) => fc.tensors(&stack_name(prefix)),
            Body::Linear(_) => Vec::new(),
        };
        tensors.extend(self.heads.tensors(self.head_names(prefix)));
        tensors
    }

    pub(crate) fn tensors_mut(&mut self, prefix: &str) -> TensorsMut<'_, B> {
        let names = self.head_names(prefix);
        let mut tensors = match &mut self.body {
            Body::Layers(fc) => fc.tensors_mut(&stack_name(prefix)),
            Body::Linear(_) => Vec::new(),
        };
        tensors.extend(self.heads.tensors_mut(names));
        tensors
    }

    fn head_names(&self, prefix: &str) -> [String; 3] {
        let name = |name: &str| format!("{prefix}.{name}");
        match &self.body {
            Body::Layers(_) => {
                ["px_scale_decoder.0", "px_dropout_decoder", "px_r_decoder"].map(name)
            }
            // Each linear map is a stack of one layer there.
            Body::Linear(_) => ["factor_regressor", "px_dropout_decoder", "px_r_decoder"]
                .map(|stack| name(stack) + ".fc_layers.Layer 0.0"),
        }
    }
}

fn stack_name(prefix: &str) -> String {
    format!("{prefix}.px_decoder")
}
