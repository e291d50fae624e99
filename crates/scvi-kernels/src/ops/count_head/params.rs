//! What the heads are given: their layers, where gradients go, and the pass they run in.

use super::GeneLikelihood;
use crate::backend::{BatchNormEval, BatchNormKept, BatchNormState, Device, GradSink};

/// Sizes of the heads and of their minibatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadDims {
    /// Cells of the minibatch.
    pub cells: usize,
    /// Genes.
    pub genes: usize,
    /// Width of the heads' input: the decoder's last hidden layer.
    pub hidden: usize,
}

/// How px_scale ρ follows from its logits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScaleActivation {
    /// ρ = softmax over genes: shares that sum to 1.
    #[default]
    Softmax,
    /// ρ = ln(1 + eˡ), each gene for itself, as scvi-tools has it beside a size factor; the logit
    /// itself above 20 (torch's `Softplus`).
    Softplus,
}

/// Which heads there are, and what is cached of them; fixed when their buffers are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeadPlan {
    /// How px_scale follows from its logits.
    pub activation: ScaleActivation,
    /// Whether there is a head of zero-inflation logits.
    pub zero_inflated: bool,
    /// Whether there is a head of px_r, one value a gene and cell.
    pub gene_cell: bool,
    /// Whether gradients will be asked for.
    pub training: bool,
    /// Whether the gradient of the input h is wanted only where h is not zero, for it is what a ReLU
    /// gives, whose own gradient is zero elsewhere. There dL/dh may then be given as 0.
    pub gated_input: bool,
}

/// A number per cell and gene that the heads give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadOutput {
    /// ρ, px_scale.
    Scale,
    /// π, the zero-inflation logits.
    Dropout,
    /// px_r = ln θ of [`Dispersion::FromDecoder`].
    Dispersion,
}

/// Batch normalisation of a head's logits, each gene over the cells of the minibatch. See
/// [`crate::ops::batch_norm`]; the features are the genes.
pub enum HeadNorm<'a, B: Device + ?Sized> {
    /// By the minibatch's moments. The saved `normalised` is a buffer of
    /// [`crate::HeadOps::head_normalised`], in an order of the device's own.
    Train(BatchNormState<'a, B>),
    /// By the running moments.
    Eval(BatchNormEval<'a, B>),
}

/// One head's layer, which gives a number per gene and cell: W h + b, normalised where asked.
pub struct HeadLayer<'a, B: Device + ?Sized> {
    /// W: `(genes, hidden)`, in the device's order ([`crate::HeadOps::pack_head_weight`]).
    pub weight: &'a B::Buf,
    /// b: `(genes)`.
    pub bias: Option<&'a B::Buf>,
    /// What follows.
    pub norm: Option<HeadNorm<'a, B>>,
}

/// The heads' layers.
pub struct HeadParams<'a, B: Device + ?Sized> {
    /// px_scale's logits.
    pub scale: HeadLayer<'a, B>,
    /// The zero-inflation logits.
    pub dropout: Option<HeadLayer<'a, B>>,
    /// px_r of [`Dispersion::FromDecoder`].
    pub dispersion: Option<HeadLayer<'a, B>>,
}

/// What a head's normalisation by the minibatch kept, and where its gradients go.
pub struct HeadNormSinks<'a, B: Device + ?Sized> {
    /// Kept by [`HeadNorm::Train`].
    pub kept: BatchNormKept<'a, B>,
    /// dL/dγ: `(genes)`.
    pub gamma: GradSink<'a, B>,
    /// dL/dβ: `(genes)`.
    pub beta: GradSink<'a, B>,
}

/// Where the gradients of one head's layer go.
pub struct HeadLayerSinks<'a, B: Device + ?Sized> {
    /// dL/dW: `(genes, hidden)`, stored like W.
    pub weight: GradSink<'a, B>,
    /// dL/db: `(genes)`; exactly zero where the layer is normalised.
    pub bias: Option<GradSink<'a, B>>,
    /// Given if and only if the layer was normalised by the minibatch.
    pub norm: Option<HeadNormSinks<'a, B>>,
}

/// Where the gradients of the heads' layers go.
pub struct HeadSinks<'a, B: Device + ?Sized> {
    /// px_scale's logits.
    pub scale: HeadLayerSinks<'a, B>,
    /// The zero-inflation logits.
    pub dropout: Option<HeadLayerSinks<'a, B>>,
    /// px_r of [`Dispersion::FromDecoder`].
    pub dispersion: Option<HeadLayerSinks<'a, B>>,
}

/// What θ is made of.
pub enum Dispersion<'a, B: Device + ?Sized> {
    /// The likelihood has none.
    None,
    /// θ = exp(px_r) with px_r a table, `(genes, n_groups)`.
    Table {
        /// The table, and where its gradient goes.
        px_r: GradSink<'a, B>,
        /// Group of each cell; `None` where there is one group.
        groups: Option<&'a B::Ids>,
        /// Columns of the table.
        n_groups: usize,
    },
    /// θ = exp(px_r) with px_r a head's output, one value a gene and cell.
    FromDecoder,
}

/// The layer of zero-inflation logits, all of whose work falls to the likelihood: a block's logits
/// are formed right before it and their gradient is spent right after, so that they never leave the
/// cache. The stages before and after are then given no such layer.
pub struct DropoutStep<'a, B: Device + ?Sized> {
    /// The heads' input, as [`crate::HeadOps::head_forward`] had it: `(cells, hidden)`.
    pub input: &'a B::Buf,
    /// The layer, which is not normalised, and where its gradients go.
    pub sinks: HeadLayerSinks<'a, B>,
}

/// Inputs of [`crate::HeadOps::head_likelihood`].
pub struct LikelihoodPass<'a, B: Device + ?Sized> {
    /// The distribution.
    pub likelihood: GeneLikelihood,
    /// The observed counts.
    pub counts: &'a B::Counts,
    /// ln of each cell's library size or size factor: `(cells)`.
    pub library: &'a B::Buf,
    /// dL/dnll of a cell (1/cells for a mean); `None` where no gradient is wanted.
    pub grad_weight: Option<B::Elem>,
    /// Where gradients are wanted: the layer of zero-inflation logits, unless the other stages have
    /// it.
    pub dropout: Option<DropoutStep<'a, B>>,
}
