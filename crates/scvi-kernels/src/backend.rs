//! The operations a step is made of, for whichever device runs them.

use std::ops::Range;

use crate::counts::CsrRows;
use crate::ops::activation::Activation;
use crate::ops::count_head::{
    Dispersion, HeadDims, HeadLayer, HeadOutput, HeadParams, HeadPlan, HeadSinks, LikelihoodPass,
    ScaleActivation,
};
use crate::ops::embedding::{EmbeddingDims, EmbeddingGrad, MaxNorm};
use crate::ops::linear::LinearDims;
use crate::ops::one_hot::OneHotBeside;
use crate::ops::posterior::VarActivation;
use crate::real::Real;

/// Constants of one step of Adam or AdamW for one number type; made by
/// [`crate::ops::adam::AdamRule`].
#[derive(Debug, Clone, Copy)]
pub struct AdamStep<F> {
    /// β₁.
    pub beta1: F,
    /// β₂.
    pub beta2: F,
    /// lr / (1 - β₁ᵗ).
    pub step_size: F,
    /// 1 / √(1 - β₂ᵗ).
    pub inv_sqrt_bias2: F,
    /// Added to the root of the second moment.
    pub eps: F,
    /// λ of the L2 term λw that joins the gradient; 0 of AdamW.
    pub weight_decay: F,
    /// What w is multiplied by before the step: 1 - lr λ of AdamW, 1 of Adam.
    pub shrink: F,
}

/// Where an operation leaves the gradient of a parameter.
///
/// Training applies Adam to a tile of the gradient while it is in cache. Where the gradient itself
/// is wanted (tests, clipping, sums over devices) the same operation writes it out instead.
pub enum GradSink<'a, B: Backend + ?Sized> {
    /// Drop the gradient: the parameter is frozen, or only a value is wanted.
    Frozen {
        /// The parameter, unchanged.
        value: &'a B::Buf,
    },
    /// Write the gradient.
    Store {
        /// The parameter, unchanged.
        value: &'a B::Buf,
        /// Receives dL/dvalue.
        grad: &'a mut B::Buf,
    },
    /// Add the gradient to what the buffer holds: a minibatch that falls into leaves.
    Accumulate {
        /// The parameter, unchanged.
        value: &'a B::Buf,
        /// Receives dL/dvalue beside its own numbers.
        grad: &'a mut B::Buf,
    },
    /// Update the parameter.
    Adam {
        /// The parameter.
        value: &'a mut B::Buf,
        /// First moment.
        m: &'a mut B::Buf,
        /// Second moment.
        v: &'a mut B::Buf,
        /// Constants of this step.
        step: AdamStep<B::Elem>,
    },
    /// Update some of the parameter's numbers, and leave the others as they are.
    AdamWhere {
        /// The parameter.
        value: &'a mut B::Buf,
        /// First moment.
        m: &'a mut B::Buf,
        /// Second moment.
        v: &'a mut B::Buf,
        /// Constants of this step.
        step: AdamStep<B::Elem>,
        /// As long as the parameter: 0 where a number is frozen, 1 where it is not.
        mask: &'a B::Buf,
    },
}

/// What one optimizer step reads and writes of a parameter.
pub struct AdamIo<'a, B: Backend + ?Sized> {
    /// The parameter.
    pub value: &'a mut B::Buf,
    /// dL/dvalue.
    pub grad: &'a B::Buf,
    /// First moment.
    pub m: &'a mut B::Buf,
    /// Second moment.
    pub v: &'a mut B::Buf,
    /// As long as the parameter: 0 where a number is frozen, 1 where it is not; none frozen without.
    pub mask: Option<&'a B::Buf>,
    /// Constants of this step.
    pub step: AdamStep<B::Elem>,
}

/// A device that runs scVI's operations.
///
/// Formulas and shapes stand with each operation in [`crate::ops`]. Buffers are made once; no
/// operation of a step allocates after its first call at a size (but for what the matrix product
/// library needs a call, on the processor), reads a value back to the host or branches on one, so
/// that a whole step can be captured as a graph. Buffers may be longer than a call needs: a
/// minibatch uses the front.
pub trait Backend: Send + Sync {
    /// The number type.
    type Elem: Real;
    /// Numbers in device memory.
    type Buf: Clone + Send + Sync;
    /// Row numbers in device memory.
    type Ids: Send + Sync;
    /// A minibatch of counts in device memory.
    type Counts: Send + Sync;
    /// What the decoder's heads keep between forward, likelihood and backward.
    type Head: Send + Sync;
    /// What the decoder's heads read of many samples, with the sums of their softmax.
    type Samples: Send + Sync;

    /// `len` zeros.
    fn zeros(&self, len: usize) -> Self::Buf;
    /// Writes the front of a buffer.
    fn upload(&self, buf: &mut Self::Buf, values: &[Self::Elem]);
    /// Copies the first `len` numbers on the device.
    fn copy(&self, from: &Self::Buf, to: &mut Self::Buf, len: usize);
    /// Reads the first `len` numbers.
    fn download(&self, buf: &Self::Buf, len: usize) -> Vec<Self::Elem>;
    /// Sum of the first `len` numbers, in double precision.
    fn sum(&self, buf: &Self::Buf, len: usize) -> f64;
    /// Whether the first `len` numbers are all finite.
    fn is_finite(&self, buf: &Self::Buf, len: usize) -> bool;
    /// Room for `len` row numbers.
    fn ids(&self, len: usize) -> Self::Ids;
    /// Writes the front of a list of row numbers.
    fn upload_ids(&self, ids: &mut Self::Ids, values: &[u32]);
    /// Room for a minibatch of at most so many cells, counts and genes. A gradient and a likelihood
    /// read the counts by gene, a forward pass by cell alone.
    fn counts(&self, dims: [usize; 3], by_gene: bool) -> Self::Counts;
    /// Takes a minibatch in; see [`crate::CountsBatch::load`].
    fn load_counts(&self, counts: &mut Self::Counts, rows: &CsrRows, log_variational: bool);
    /// Observed library sizes of the minibatch, ln Σ_g x: `(cells)`.
    fn library<'a>(&self, counts: &'a Self::Counts) -> &'a Self::Buf;

    /// One optimizer step on a range of a parameter whose gradient was stored.
    /// See [`crate::ops::adam`].
    fn adam(&self, io: AdamIo<Self>, range: Range<usize>);
    /// `sum[0]` = Σ x² over the first `len` numbers, added to what it was to accumulate.
    /// See [`crate::ops::clip`].
    fn sum_of_squares(&self, x: &Self::Buf, len: usize, sum: &mut Self::Buf, accumulate: bool);
    /// Scales a gradient so that the norm of all gradients, `√sum[0]`, is at most `max_norm`.
    /// See [`crate::ops::clip`].
    fn clip_by_norm(&self, grad: &mut Self::Buf, len: usize, sum: &Self::Buf, max_norm: f64);
    /// Bounds every number of a gradient by ± `limit`. See [`crate::ops::clip`].
    fn clip_by_value(&self, grad: &mut Self::Buf, len: usize, limit: f64);

    /// Standard normal noise of the minibatch's cells: `out` is `(cells, width)`.
    /// See [`crate::ops::noise`].
    fn normal_noise(&self, key: NoiseKey, cells: &Self::Ids, dims: [usize; 2], out: &mut Self::Buf);
    /// Dropout factors, 0 or 1/(1-p): `out` is `(cells, width)`. See [`crate::ops::noise`].
    fn dropout_noise(
        &self,
        key: NoiseKey,
        cells: &Self::Ids,
        dims: [usize; 2],
        rate: f64,
        out: &mut Self::Buf,
    );

    /// y = X W + b for sparse counts; the bias may be missing. See [`crate::ops::sparse_linear`].
    fn sparse_linear(
        &self,
        x: &Self::Counts,
        w: &Self::Buf,
        bias: Option<&Self::Buf>,
        y: &mut Self::Buf,
        n_out: usize,
    );
    /// dW = Xᵀ dy. See [`crate::ops::sparse_linear`].
    fn sparse_linear_grad(&self, x: &Self::Counts, dy: &Self::Buf, n_out: usize, w: GradSink<Self>);
    /// y = x W + b, or y += x W + b to accumulate; the bias may be missing.
    /// See [`crate::ops::linear`].
    fn linear(
        &self,
        x: &Self::Buf,
        w: &Self::Buf,
        bias: Option<&Self::Buf>,
        y: &mut Self::Buf,
        dims: LinearDims,
        accumulate: bool,
    );
    /// dx = keep dx + dy Wᵀ. See [`crate::ops::linear`].
    fn linear_grad_input(
        &self,
        dy: &Self::Buf,
        w: &Self::Buf,
        dx: &mut Self::Buf,
        dims: LinearDims,
        accumulate: bool,
    );
    /// dW = xᵀ dy. See [`crate::ops::linear`].
    fn linear_grad_weight(
        &self,
        x: &Self::Buf,
        dy: &Self::Buf,
        dims: LinearDims,
        w: GradSink<Self>,
    );
    /// db = Σ_cells dy. See [`crate::ops::linear`].
    fn bias_grad(&self, dy: &Self::Buf, dims: LinearDims, bias: GradSink<Self>);
    /// `y += Σ_k W[rows_k]`. `dims.n_in` is the number of rows per cell. See [`crate::ops::one_hot`].
    fn one_hot(&self, rows: &Self::Ids, w: &Self::Buf, y: &mut Self::Buf, dims: LinearDims);
    /// `dW[r]` = Σ over cells in row r of dy. See [`crate::ops::one_hot`].
    fn one_hot_grad(&self, rows: &Self::Ids, dy: &Self::Buf, dims: LinearDims, w: GradSink<Self>);
    /// y = [x, one-hot columns], x: `(cells, n_in)`. See [`crate::ops::one_hot`].
    fn one_hot_beside(
        &self,
        x: &Self::Buf,
        columns: &Self::Ids,
        y: &mut Self::Buf,
        dims: OneHotBeside,
    );
    /// y = the first columns of x: `(cells, widths[0])` to `(cells, widths[1])`.
    fn first_columns(&self, x: &Self::Buf, y: &mut Self::Buf, cells: usize, widths: [usize; 2]);

    /// Batch normalisation by the minibatch's moments. See [`crate::ops::batch_norm`].
    fn batch_norm_train(&self, state: BatchNormState<Self>, dims: [usize; 2], x: &mut Self::Buf);
    /// Batch normalisation by the running moments, in place. See [`crate::ops::batch_norm`].
    fn batch_norm_eval(&self, affine: BatchNormEval<Self>, dims: [usize; 2], x: &mut Self::Buf);
    /// Gradients of [`Backend::batch_norm_train`]; `dy` becomes dx. See [`crate::ops::batch_norm`].
    fn batch_norm_grad(
        &self,
        kept: BatchNormKept<Self>,
        dims: [usize; 2],
        dy: &mut Self::Buf,
        gamma: GradSink<Self>,
        beta: GradSink<Self>,
    );
    /// Layer normalisation of each cell, in place; keeps x̂, `(cells, features)`, and 1/σ,
    /// `(cells)`. See [`crate::ops::layer_norm`].
    fn layer_norm(
        &self,
        x: &mut Self::Buf,
        dims: [usize; 2],
        normalised: &mut Self::Buf,
        inv_std: &mut Self::Buf,
    );
    /// Gradient of [`Backend::layer_norm`]; `dy` becomes dx. See [`crate::ops::layer_norm`].
    fn layer_norm_grad(&self, kept: LayerNormKept<Self>, dims: [usize; 2], dy: &mut Self::Buf);
    /// x = f(x), times the dropout factors where given; keeps the derivative of both in `gate`.
    /// See [`crate::ops::activation`].
    fn activate(
        &self,
        x: &mut Self::Buf,
        activation: Activation,
        dropout: Option<&Self::Buf>,
        gate: &mut Self::Buf,
        len: usize,
    );
    /// dy *= gate. See [`crate::ops::activation`].
    fn gate_grad(&self, dy: &mut Self::Buf, gate: &Self::Buf, len: usize);

    /// Scales down the rows that a cell names and that are too long. See [`crate::ops::embedding`].
    fn embedding_renorm(
        &self,
        table: &mut Self::Buf,
        ids: &Self::Ids,
        dims: EmbeddingDims,
        bound: MaxNorm,
    );
    /// `out_c = table[id_c]`. See [`crate::ops::embedding`].
    fn embedding(
        &self,
        ids: &Self::Ids,
        table: &Self::Buf,
        out: &mut Self::Buf,
        dims: EmbeddingDims,
    );
    /// `d_table[r]` = Σ over cells with id r of d_out. See [`crate::ops::embedding`].
    fn embedding_grad(
        &self,
        ids: &Self::Ids,
        d_out: &Self::Buf,
        dims: EmbeddingDims,
        rule: EmbeddingGrad,
        table: GradSink<Self>,
    );

    /// q_v, z and KL from the encoder's two outputs. See [`crate::ops::posterior`].
    fn posterior(&self, io: PosteriorIo<Self>, dims: [usize; 2]);
    /// z and KL from a posterior that was stored. See [`crate::ops::posterior`].
    fn stored_posterior(&self, io: StoredPosteriorIo<Self>, dims: [usize; 2]);
    /// Gradients of z and of the weighted KL. See [`crate::ops::posterior`].
    fn posterior_grad(&self, io: PosteriorGradIo<Self>, dims: [usize; 2]);
    /// z = softmax(u) of each cell: `(cells, latent)`. See [`crate::ops::softmax`].
    fn softmax(&self, u: &Self::Buf, z: &mut Self::Buf, dims: [usize; 2]);
    /// Gradient of [`Backend::softmax`]; `dz` becomes du. See [`crate::ops::softmax`].
    fn softmax_grad(&self, z: &Self::Buf, dz: &mut Self::Buf, dims: [usize; 2]);

    /// A head's weights, `dims` = `(genes, hidden)` in torch's order, in the order of this device; or
    /// anything that belongs to them number by number, such as gradients or a mask.
    fn pack_head_weight(&self, weight: &[Self::Elem], dims: [usize; 2]) -> Vec<Self::Elem>;
    /// Back to torch's order.
    fn unpack_head_weight(&self, packed: &[Self::Elem], dims: [usize; 2]) -> Vec<Self::Elem>;
    /// A buffer for what the normalisation of a head saves for backward, a number a cell and gene.
    fn head_normalised(&self, dims: HeadDims) -> Self::Buf;
    /// Room for the decoder's heads. See [`crate::ops::count_head`].
    fn head(&self, dims: HeadDims, plan: HeadPlan) -> Self::Head;
    /// Logits of the heads, and px_scale's activation. See [`crate::ops::count_head`].
    fn head_forward(
        &self,
        head: &mut Self::Head,
        h: &Self::Buf,
        params: HeadParams<Self>,
        dims: HeadDims,
    );
    /// Negative log-likelihood of each cell, and every partial derivative where asked; where not,
    /// the heads' outputs stay to be held to other counts. See [`crate::ops::count_head`].
    fn head_likelihood(
        &self,
        head: &mut Self::Head,
        pass: LikelihoodPass<Self>,
        dispersion: Dispersion<Self>,
        nll: &mut Self::Buf,
        dims: HeadDims,
    );
    /// dL/d(library) of each cell, `(cells)`, after [`Backend::head_likelihood`] with a gradient.
    /// See [`crate::ops::count_head`].
    fn head_library_grad(&self, head: &Self::Head, d_library: &mut Self::Buf, dims: HeadDims);
    /// Gradients of the heads' parameters and of their input. See [`crate::ops::count_head`].
    fn head_grad(
        &self,
        head: &mut Self::Head,
        h: &Self::Buf,
        sinks: HeadSinks<Self>,
        dh: &mut Self::Buf,
        dims: HeadDims,
    );
    /// Reads one number a cell and gene into `out`, `(cells, genes)`, of the listed genes in their
    /// order or of all, after [`Backend::head_forward`] of that head and before any gradient.
    fn head_read(
        &self,
        head: &Self::Head,
        what: HeadOutput,
        genes: Option<&[u32]>,
        dims: HeadDims,
        out: &mut [Self::Elem],
    );
    /// Takes the heads' input of any number of samples, `(samples, hidden)`, and sums the
    /// exponentials of px_scale's logits over genes, by an evaluated `layer`.
    fn head_samples(
        &self,
        hidden: &[Self::Elem],
        layer: HeadLayer<Self>,
        activation: ScaleActivation,
        dims: HeadDims,
    ) -> Self::Samples;
    /// Numbers between the rows of two genes in the output of [`Backend::head_scale_rows`].
    fn samples_stride(&self, samples: &Self::Samples) -> usize;
    /// px_scale of the listed genes for samples of which all genes would be too many to hold:
    /// `(genes, samples)` into `out`, with rows [`Backend::samples_stride`] apart.
    ///
    /// It starts no work elsewhere on the host, so that callers may share the genes among threads.
    fn head_scale_rows(
        &self,
        samples: &Self::Samples,
        layer: HeadLayer<Self>,
        activation: ScaleActivation,
        genes: &[u32],
        dims: HeadDims,
        out: &mut [Self::Elem],
    );
}

/// Which noise: with the cells it fixes every number. See [`crate::Philox`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoiseKey {
    /// Seed of the run.
    pub seed: u64,
    /// What the noise is for.
    pub stream: u32,
    /// Which repetition (an epoch, a sample).
    pub draw: u32,
}

/// Parameters, running moments and kept values of a training-mode batch normalisation.
pub struct BatchNormState<'a, B: Backend + ?Sized> {
    /// γ: `(features)`.
    pub gamma: &'a B::Buf,
    /// β: `(features)`.
    pub beta: &'a B::Buf,
    /// Running mean, updated: `(features)`.
    pub running_mean: &'a mut B::Buf,
    /// Running unbiased variance, updated: `(features)`.
    pub running_var: &'a mut B::Buf,
    /// Weight of the minibatch in the running moments.
    pub momentum: f64,
    /// Added to the variance.
    pub eps: f64,
    /// Kept for the gradient: x̂, `(cells, features)`.
    pub normalised: &'a mut B::Buf,
    /// Kept for the gradient: 1/√(var + eps), `(features)`.
    pub inv_std: &'a mut B::Buf,
}

/// What evaluation-mode batch normalisation reads.
pub struct BatchNormEval<'a, B: Backend + ?Sized> {
    /// γ: `(features)`.
    pub gamma: &'a B::Buf,
    /// β: `(features)`.
    pub beta: &'a B::Buf,
    /// Running mean: `(features)`.
    pub running_mean: &'a B::Buf,
    /// Running variance: `(features)`.
    pub running_var: &'a B::Buf,
    /// Added to the variance.
    pub eps: f64,
}

/// What a training-mode batch normalisation kept for its gradient.
pub struct BatchNormKept<'a, B: Backend + ?Sized> {
    /// x̂: `(cells, features)`.
    pub normalised: &'a B::Buf,
    /// 1/√(var + eps): `(features)`.
    pub inv_std: &'a B::Buf,
}

/// What [`Backend::layer_norm`] kept for its gradient.
pub struct LayerNormKept<'a, B: Backend + ?Sized> {
    /// x̂: `(cells, features)`.
    pub normalised: &'a B::Buf,
    /// 1/√(var + eps): `(cells)`.
    pub inv_std: &'a B::Buf,
}

/// A normal prior, each `(cells, latent)`.
pub struct NormalPrior<'a, B: Backend + ?Sized> {
    /// p_m.
    pub mean: &'a B::Buf,
    /// p_v, positive.
    pub var: &'a B::Buf,
}

/// Inputs and outputs of [`Backend::posterior`], each `(cells, latent)` but `kl`.
pub struct PosteriorIo<'a, B: Backend + ?Sized> {
    /// q_m, the mean.
    pub mean: &'a B::Buf,
    /// s, the variance encoder's output.
    pub raw: &'a B::Buf,
    /// f in q_v = f(s) + var_eps.
    pub var_activation: &'a VarActivation<B::Elem>,
    /// Added to the variance.
    pub var_eps: f64,
    /// What the KL divergence is taken from; `None` is N(0, 1).
    pub prior: Option<NormalPrior<'a, B>>,
    /// Standard normal noise; `None` puts z at the mean.
    pub noise: Option<&'a B::Buf>,
    /// q_v.
    pub var: &'a mut B::Buf,
    /// z = q_m + √q_v ε.
    pub z: &'a mut B::Buf,
    /// KL(N(q_m, q_v) ‖ prior) of each cell: `(cells)`.
    pub kl: &'a mut B::Buf,
}

/// Inputs and outputs of [`Backend::stored_posterior`], each `(cells, latent)` but `kl`.
pub struct StoredPosteriorIo<'a, B: Backend + ?Sized> {
    /// q_m, the mean.
    pub mean: &'a B::Buf,
    /// q_v.
    pub var: &'a B::Buf,
    /// Standard normal noise; `None` puts z at the mean.
    pub noise: Option<&'a B::Buf>,
    /// z = q_m + √q_v ε.
    pub z: &'a mut B::Buf,
    /// KL(N(q_m, q_v) ‖ N(0, 1)) of each cell: `(cells)`.
    pub kl: &'a mut B::Buf,
}

/// Inputs and outputs of [`Backend::posterior_grad`], each `(cells, latent)`.
pub struct PosteriorGradIo<'a, B: Backend + ?Sized> {
    /// q_m.
    pub mean: &'a B::Buf,
    /// s.
    pub raw: &'a B::Buf,
    /// q_v.
    pub var: &'a B::Buf,
    /// f in q_v = f(s) + var_eps.
    pub var_activation: &'a VarActivation<B::Elem>,
    /// The forward pass's prior.
    pub prior: Option<NormalPrior<'a, B>>,
    /// The noise z was drawn with.
    pub noise: &'a B::Buf,
    /// dL/dKL of each cell: kl_weight / cells.
    pub kl_weight: B::Elem,
    /// dL/dz in; dL/dq_m out.
    pub dz: &'a mut B::Buf,
    /// dL/ds out.
    pub d_raw: &'a mut B::Buf,
}
