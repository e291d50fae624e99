//! The decoder's heads; whatever has a number a cell and gene is `(cells, genes)`.

mod layer;
mod likelihood;
mod pass;
mod scale;

use super::{Reference, sink};
use crate::backend::HeadOps;
use crate::ops::count_head::{
    Dispersion, HeadDims, HeadLayer, HeadOutput, HeadParams, HeadPlan, HeadSinks, LikelihoodPass,
    ScaleActivation,
};
use crate::real::Real;

/// What the heads keep between forward, likelihood and gradient, in double precision.
#[derive(Debug, Clone)]
pub struct ReferenceHead {
    activation: ScaleActivation,
    /// l, px_scale's logits: `(cells, genes)`
    logits: Vec<f64>,
    /// ρ, px_scale: `(cells, genes)`
    scale: Vec<f64>,
    /// π, empty without zero inflation: `(cells, genes)`
    dropout: Vec<f64>,
    /// px_r of the decoder, empty where it has none: `(cells, genes)`
    px_r: Vec<f64>,
    /// dL/d ln μ: `(cells, genes)`
    d_ln_mu: Vec<f64>,
    /// dL/dπ: `(cells, genes)`
    d_dropout: Vec<f64>,
    /// dL/dpx_r: `(cells, genes)`
    d_px_r: Vec<f64>,
    /// the share of dL/dh of a layer that the likelihood has done with: `(cells, hidden)`
    dh: Vec<f64>,
}

/// The heads' input of some samples, with the sums of their softmax.
#[derive(Debug, Clone)]
pub struct ReferenceSamples<F> {
    /// `(samples, hidden)`
    hidden: Vec<F>,
    /// ln Σ_g e^l, or 0 of a softplus: `(samples)`
    log_sums: Vec<f64>,
}

impl<F: Real> HeadOps for Reference<F> {
    type Head = ReferenceHead;
    type Samples = ReferenceSamples<F>;

    /// Torch's order is this one.
    fn pack_head_weight(&self, weight: &[F], _dims: [usize; 2]) -> Vec<F> {
        weight.to_vec()
    }

    fn unpack_head_weight(&self, packed: &[F], _dims: [usize; 2]) -> Vec<F> {
        packed.to_vec()
    }

    fn head_normalised(&self, d: HeadDims) -> Vec<F> {
        vec![F::ZERO; d.cells * d.genes]
    }

    /// Each stage makes the matrices that it fills.
    fn head(&self, _dims: HeadDims, plan: HeadPlan) -> ReferenceHead {
        let activation = plan.activation;
        let [logits, scale, dropout, px_r, d_ln_mu, d_dropout, d_px_r, dh] =
            [const { Vec::new() }; 8];
        ReferenceHead { activation, logits, scale, dropout, px_r, d_ln_mu, d_dropout, d_px_r, dh }
    }

    /// l, π and px_r = W h + b, normalised where asked; ρ = softmax_g(l), or softplus(l).
    fn head_forward(
        &self,
        head: &mut ReferenceHead,
        h: &Vec<F>,
        params: HeadParams<Self>,
        d: HeadDims,
    ) {
        head.logits = layer::forward(h, params.scale, d);
        head.scale = scale::forward(head.activation, &head.logits, d.genes);
        head.dropout = params.dropout.map_or(Vec::new(), |layer| layer::forward(h, layer, d));
        head.px_r = params.dispersion.map_or(Vec::new(), |layer| layer::forward(h, layer, d));
        head.dh = vec![0.0; d.cells * d.hidden];
    }

    fn head_likelihood(
        &self,
        head: &mut ReferenceHead,
        pass: LikelihoodPass<Self>,
        dispersion: Dispersion<Self>,
        nll: &mut Vec<F>,
        d: HeadDims,
    ) {
        pass::likelihood(head, pass, dispersion, nll, d);
    }

    /// dL/d(library) = Σ_g dL/d ln μ, for ln μ = library + ln ρ.
    fn head_library_grad(&self, head: &ReferenceHead, d_library: &mut Vec<F>, d: HeadDims) {
        for c in 0..d.cells {
            d_library[c] = F::of(head.d_ln_mu[c * d.genes..][..d.genes].iter().sum());
        }
    }

    /// Gradients of every layer from those of its outputs, and dh as the sum of their shares.
    fn head_grad(
        &self,
        head: &mut ReferenceHead,
        h: &Vec<F>,
        sinks: HeadSinks<Self>,
        dh: &mut Vec<F>,
        d: HeadDims,
    ) {
        let d_logits = scale::gradient(head, d);
        layer::backward(h, sinks.scale, d_logits, &mut head.dh, d);
        for (sinks, gradient) in
            [(sinks.dropout, &head.d_dropout), (sinks.dispersion, &head.d_px_r)]
        {
            if let Some(sinks) = sinks {
                layer::backward(h, sinks, gradient.clone(), &mut head.dh, d);
            }
        }
        super::store(&head.dh, dh);
    }

    fn head_read(
        &self,
        head: &ReferenceHead,
        what: HeadOutput,
        genes: Option<&[u32]>,
        d: HeadDims,
        out: &mut [F],
    ) {
        let all: Vec<u32> = (0..d.genes as u32).collect();
        let genes = genes.unwrap_or(&all);
        let values = match what {
            HeadOutput::Scale => &head.scale,
            HeadOutput::Dropout => &head.dropout,
            HeadOutput::Dispersion => &head.px_r,
        };
        for c in 0..d.cells {
            for (i, &gene) in genes.iter().enumerate() {
                out[c * genes.len() + i] = F::of(values[c * d.genes + gene as usize]);
            }
        }
    }

    /// ln Σ_g e^l of each sample.
    fn head_samples(
        &self,
        hidden: &[F],
        layer: HeadLayer<Self>,
        activation: ScaleActivation,
        d: HeadDims,
    ) -> ReferenceSamples<F> {
        let logits = layer::forward(hidden, layer, d);
        let log_sums = logits.chunks_exact(d.genes).map(|row| scale::log_sum(activation, row));
        ReferenceSamples { hidden: hidden.to_vec(), log_sums: log_sums.collect() }
    }

    fn samples_stride(&self, samples: &ReferenceSamples<F>) -> usize {
        samples.log_sums.len()
    }

    /// ρ of the listed genes: `(genes, samples)`.
    fn head_scale_rows(
        &self,
        samples: &ReferenceSamples<F>,
        layer: HeadLayer<Self>,
        activation: ScaleActivation,
        genes: &[u32],
        d: HeadDims,
        out: &mut [F],
    ) {
        for (i, &gene) in genes.iter().enumerate() {
            for c in 0..d.cells {
                let h = &samples.hidden[c * d.hidden..][..d.hidden];
                let logit = layer::eval_one(h, &layer, gene as usize);
                let scale = scale::of_logit(activation, logit, samples.log_sums[c]);
                out[i * d.cells + c] = F::of(scale);
            }
        }
    }
}
