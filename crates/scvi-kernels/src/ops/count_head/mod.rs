//! The decoder's heads and the likelihood of counts, from hidden layer to loss and gradients.
//!
//! With h: `(cells, hidden)` and, per gene g and cell c:
//! ```text
//! ρ = softmax_g(l), l = W h + b px_scale, the expected share of a gene; or ρ = softplus(l)
//! μ = e^library ρ               px_rate, the expected count
//! θ = e^px_r                    inverse dispersion; px_r is a table, per gene or per gene and
//!                               group, or per gene and cell W'' h + b''
//! π = W' h + b'                 logits of zero inflation
//! ```
//! the pass gives -Σ_g ln p(x | μ, θ, π) of each cell and, scaled by the loss's weight of a cell,
//! dL/dl, dL/dπ, dL/dpx_r, and from them the gradients of all W and b, and of h. What a layer gives
//! may pass through batch normalisation first, as in the linear decoder, whose h is its input.
//! With γ = dL/d ln μ, dL/d(library) = Σ_g γ, and this sum over genes is what the softmax's
//! gradient needs: dL/dl = γ - ρ Σ_g γ. The softplus's is dL/dl = γ σ(l)/ρ = γ (1 - e^-ρ)/ρ.
//!
//! Three stages run over the same blocks of genes, with a sum over blocks in between: the products
//! and their activations; the likelihood, in which zeros (nine counts in ten) take a vector path
//! that needs no Γ function, and the others are gathered into vectors of their own; the products
//! of the gradients, each block's update applied while it is in cache. In training the layer of
//! zero-inflation logits falls to the second stage altogether ([`DropoutStep`]): unlike px_scale's it
//! waits for no sum over genes, and its logits need not be kept.
//!
//! Likelihoods and their ε: scvi-tools 1.4.2, `distributions/_negative_binomial.py`
//! (`log_zinb_positive`, `log_nb_positive`), `module/_vae.py`; Lopez et al. 2018. The normal one has
//! mean μ and standard deviation θ.

mod cpu;
mod likelihood;
mod params;
#[cfg(test)]
mod tests;

pub(crate) use cpu::WeightBlocks;
pub use cpu::{CountHead, CountSamples};
pub(crate) use cpu::{
    head_forward_cpu, head_grad_cpu, head_library_grad_cpu, head_likelihood_cpu, head_read_cpu,
    head_scale_rows_cpu,
};

pub use params::{
    Dispersion, DropoutStep, HeadDims, HeadLayer, HeadLayerSinks, HeadNorm, HeadNormSinks,
    HeadOutput, HeadParams, HeadPlan, HeadSinks, LikelihoodPass, ScaleActivation,
};

/// Distribution of a count, or of another value, given the decoder's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneLikelihood {
    /// Zero-inflated negative binomial.
    Zinb,
    /// Negative binomial.
    Nb,
    /// Poisson.
    Poisson,
    /// Normal, of standard deviation θ, for values that are no counts: any finite ones.
    Normal,
}

impl GeneLikelihood {
    /// Whether it has a dispersion θ, which is the normal's standard deviation.
    pub fn has_theta(self) -> bool {
        !matches!(self, Self::Poisson)
    }

    /// Whether it is a distribution of counts.
    pub fn of_counts(self) -> bool {
        !matches!(self, Self::Normal)
    }

    /// Whether it has zero-inflation logits π.
    pub fn has_pi(self) -> bool {
        matches!(self, Self::Zinb)
    }
}
