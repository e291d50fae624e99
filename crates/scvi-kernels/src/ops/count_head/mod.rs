//! The decoder's heads and the likelihood of counts, from hidden layer to loss and gradients.
//!
//! With h: `(cells, hidden)` and, per gene g and cell c:
//! ```text
//! ρ = softmax_g(W h + b)        px_scale, the expected share of a gene
//! μ = e^library ρ               px_rate, the expected count
//! θ = e^px_r                    inverse dispersion, per gene or per gene and group
//! π = W' h + b'                 logits of zero inflation
//! ```
//! the pass gives -Σ_g ln p(x | μ, θ, π) of each cell and, scaled by the loss's weight of a cell,
//! dL/d(logits), dL/dπ, dL/dpx_r, and from them the gradients of W, b, W', b' and h.
//! The softmax's gradient needs one sum over genes: with γ = dL/d ln μ,
//! dL/d(logit) = γ - ρ Σ_g γ.
//!
//! Three stages run over the same blocks of genes, with a sum over blocks in between: the products
//! and their exponentials; the likelihood, in which zeros (nine counts in ten) take a vector path
//! that needs no Γ function, and the others are gathered into vectors of their own; the products
//! of the gradients, each block's update applied while it is in cache.
//!
//! Likelihoods and their ε: scvi-tools 1.4.2, `distributions/_negative_binomial.py`
//! (`log_zinb_positive`, `log_nb_positive`), `module/_vae.py`; Lopez et al. 2018.

mod cpu;
mod likelihood;
#[cfg(test)]
mod tests;

pub use cpu::CountHead;
pub(crate) use cpu::{
    head_dropout_cpu, head_forward_cpu, head_grad_cpu, head_likelihood_cpu, head_scale_cpu,
};

use crate::backend::{Backend, GradSink};

/// Distribution of a count given the decoder's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneLikelihood {
    /// Zero-inflated negative binomial.
    Zinb,
    /// Negative binomial.
    Nb,
    /// Poisson.
    Poisson,
}

impl GeneLikelihood {
    /// Whether it has a dispersion θ.
    pub fn has_theta(self) -> bool {
        !matches!(self, Self::Poisson)
    }

    /// Whether it has zero-inflation logits π.
    pub fn has_pi(self) -> bool {
        matches!(self, Self::Zinb)
    }
}

/// Sizes of the heads and of their minibatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadDims {
    /// Cells of the minibatch.
    pub cells: usize,
    /// Genes.
    pub genes: usize,
    /// Width of the decoder's last hidden layer.
    pub hidden: usize,
}

/// Weights `(genes, hidden)` and biases `(genes)` of the heads.
pub struct HeadParams<'a, B: Backend + ?Sized> {
    /// Weight and bias of px_scale's logits.
    pub scale: (&'a B::Buf, &'a B::Buf),
    /// Weight and bias of the zero-inflation logits.
    pub dropout: Option<(&'a B::Buf, &'a B::Buf)>,
}

/// Where the gradients of the heads' weights and biases go.
pub struct HeadSinks<'a, B: Backend + ?Sized> {
    /// Weight and bias of px_scale's logits.
    pub scale: (GradSink<'a, B>, GradSink<'a, B>),
    /// Weight and bias of the zero-inflation logits.
    pub dropout: Option<(GradSink<'a, B>, GradSink<'a, B>)>,
}

/// What θ is made of.
pub enum Dispersion<'a, B: Backend + ?Sized> {
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
}

/// Inputs of [`Backend::head_likelihood`].
pub struct LikelihoodPass<'a, B: Backend + ?Sized> {
    /// The distribution.
    pub likelihood: GeneLikelihood,
    /// The observed counts.
    pub counts: &'a B::Counts,
    /// ln of each cell's library size: `(cells)`.
    pub library: &'a B::Buf,
    /// dL/dnll of a cell (1/cells for a mean); `None` where no gradient is wanted.
    pub grad_weight: Option<B::Elem>,
}
