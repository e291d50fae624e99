//! The likelihood of a minibatch, and its derivatives by what the heads gave.

use super::likelihood::{LogProb, Params, log_prob};
use super::{ReferenceHead, layer, sink};
use crate::ops::count_head::{Dispersion, HeadDims, LikelihoodPass};
use crate::real::Real;
use crate::reference::Reference;

/// px_r beyond this counts as this: θ is as good as infinite, or nothing beside ε.
const MAX_PX_R: f64 = 40.0;

/// nll_c = -Σ_g ln p(x_cg | μ, θ, π) with μ = e^library ρ and θ = e^px_r; with a weight w of a cell,
/// dL/d ln μ = -w μ d ln p/dμ, dL/dpx_r = -w θ d ln p/dθ and dL/dπ = -w d ln p/dπ.
pub(super) fn likelihood<F: Real>(
    head: &mut ReferenceHead,
    pass: LikelihoodPass<Reference<F>>,
    dispersion: Dispersion<Reference<F>>,
    nll: &mut [F],
    d: HeadDims,
) {
    if let Some(step) = &pass.dropout {
        head.dropout = layer::forward_of_sinks(step.input, &step.sinks, d);
    }
    let px_r = px_r(&dispersion, &head.px_r, d);
    let weight = pass.grad_weight.map_or(0.0, Real::to_f64);
    let n = d.cells * d.genes;
    let [mut d_ln_mu, mut d_px_r, mut d_dropout] = [(); 3].map(|()| vec![0.0; n]);
    for c in 0..d.cells {
        let mut sum = 0.0;
        for i in c * d.genes..(c + 1) * d.genes {
            let mu = pass.library[c].to_f64().exp() * head.scale[i];
            let theta = px_r.get(i).map_or(0.0, |r| r.clamp(-MAX_PX_R, MAX_PX_R).exp());
            let pi = head.dropout.get(i).copied().unwrap_or(0.0);
            let LogProb { value, d_mu, d_theta, d_pi } =
                log_prob(pass.likelihood, pass.counts.x[i], Params { mu, theta, pi });
            sum -= value;
            d_ln_mu[i] = -weight * mu * d_mu;
            d_px_r[i] = -weight * theta * d_theta;
            d_dropout[i] = -weight * d_pi;
        }
        nll[c] = F::of(sum);
    }
    if pass.grad_weight.is_none() {
        return;
    }
    head.d_ln_mu = d_ln_mu;
    head.d_dropout = d_dropout;
    take_px_r(dispersion, &d_px_r, d);
    head.d_px_r = d_px_r;
    if let Some(step) = pass.dropout {
        layer::backward(step.input, step.sinks, head.d_dropout.clone(), &mut head.dh, d);
    }
}

/// px_r of each cell and gene, `(cells, genes)`: the decoder's, or the gene's number of the cell's
/// group in a table, `(genes, n_groups)`.
fn px_r<F: Real>(
    dispersion: &Dispersion<Reference<F>>,
    of_decoder: &[f64],
    d: HeadDims,
) -> Vec<f64> {
    match dispersion {
        Dispersion::None => Vec::new(),
        Dispersion::FromDecoder => of_decoder.to_vec(),
        Dispersion::Table { px_r, groups, n_groups } => {
            let table = sink::value(px_r);
            let of = |i: usize| {
                let (c, g) = (i / d.genes, i % d.genes);
                table[g * n_groups + groups.map_or(0, |of| of[c] as usize)].to_f64()
            };
            (0..d.cells * d.genes).map(of).collect()
        }
    }
}

/// A table's gradient: the sum over the cells of a group.
fn take_px_r<F: Real>(dispersion: Dispersion<Reference<F>>, d_px_r: &[f64], d: HeadDims) {
    let Dispersion::Table { px_r, groups, n_groups } = dispersion else { return };
    let mut gradient = vec![0.0; d.genes * n_groups];
    for c in 0..d.cells {
        for g in 0..d.genes {
            let group = groups.map_or(0, |of| of[c] as usize);
            gradient[g * n_groups + group] += d_px_r[c * d.genes + g];
        }
    }
    sink::take(px_r, &gradient);
}
