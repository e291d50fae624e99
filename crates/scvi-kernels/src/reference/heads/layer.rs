//! One head's layer, W h + b and its normalisation; W: `(genes, hidden)`, b: `(genes)`.

use super::sink::{take, value};
use crate::backend::GradSink;
use crate::ops::count_head::{HeadDims, HeadLayer, HeadLayerSinks, HeadNorm};
use crate::real::Real;
use crate::reference::{Reference, batch_norm};

/// y_cg = b_g + Σ_k W_gk h_ck, normalised over cells where asked: `(cells, genes)`.
pub(super) fn forward<F: Real>(h: &[F], layer: HeadLayer<Reference<F>>, d: HeadDims) -> Vec<f64> {
    let HeadLayer { weight, bias, norm } = layer;
    let mut logits = products(h, weight, bias.map(|b| &b[..]), d);
    match norm {
        None => {}
        Some(HeadNorm::Train(state)) => batch_norm::train(state, [d.cells, d.genes], &mut logits),
        Some(HeadNorm::Eval(affine)) => batch_norm::eval(&affine, [d.cells, d.genes], &mut logits),
    }
    logits
}

/// W h + b of the layer whose gradients these sinks take, which is not normalised.
pub(super) fn forward_of_sinks<F: Real>(
    h: &[F],
    sinks: &HeadLayerSinks<Reference<F>>,
    d: HeadDims,
) -> Vec<f64> {
    assert!(sinks.norm.is_none(), "a layer without normalisation");
    products(h, value(&sinks.weight), sinks.bias.as_ref().map(value), d)
}

fn products<F: Real>(h: &[F], weight: &[F], bias: Option<&[F]>, d: HeadDims) -> Vec<f64> {
    let mut y = vec![0.0; d.cells * d.genes];
    for c in 0..d.cells {
        for g in 0..d.genes {
            let h = &h[c * d.hidden..][..d.hidden];
            y[c * d.genes + g] = product(h, weight, bias, g);
        }
    }
    y
}

/// b_g + Σ_k W_gk h_k of one cell and gene.
fn product<F: Real>(h: &[F], weight: &[F], bias: Option<&[F]>, g: usize) -> f64 {
    let row = &weight[g * h.len()..][..h.len()];
    let sum: f64 = row.iter().zip(h).map(|(w, h)| w.to_f64() * h.to_f64()).sum();
    sum + bias.map_or(0.0, |bias| bias[g].to_f64())
}

/// One gene's logit of one cell, `h`: `(hidden)`, in evaluation mode.
pub(super) fn eval_one<F: Real>(h: &[F], layer: &HeadLayer<Reference<F>>, g: usize) -> f64 {
    let logit = product(h, layer.weight, layer.bias.map(|b| &b[..]), g);
    match &layer.norm {
        None => logit,
        Some(HeadNorm::Eval(affine)) => batch_norm::eval_one(affine, g, logit),
        Some(HeadNorm::Train(_)) => panic!("a layer in evaluation mode"),
    }
}

/// From dL/dy, `dy`: `(cells, genes)`: that of the normalisation, then
/// dW_gk = Σ_c dy_cg h_ck, db_g = Σ_c dy_cg, and dh_ck += Σ_g dy_cg W_gk with W as it was.
pub(super) fn backward<F: Real>(
    h: &[F],
    sinks: HeadLayerSinks<Reference<F>>,
    mut dy: Vec<f64>,
    dh: &mut [f64],
    d: HeadDims,
) {
    let is_normalised = sinks.norm.is_some();
    if let Some(norm) = sinks.norm {
        let gamma = value(&norm.gamma);
        let [d_gamma, d_beta] =
            batch_norm::gradient(&norm.kept, gamma, [d.cells, d.genes], &mut dy);
        take(norm.gamma, &d_gamma);
        take(norm.beta, &d_beta);
    }
    if let Some(bias) = sinks.bias {
        take_bias(bias, &dy, is_normalised, d);
    }
    let mut dw = vec![0.0; d.genes * d.hidden];
    let weight = value(&sinks.weight);
    for c in 0..d.cells {
        for g in 0..d.genes {
            for k in 0..d.hidden {
                dh[c * d.hidden + k] += dy[c * d.genes + g] * weight[g * d.hidden + k].to_f64();
                dw[g * d.hidden + k] += dy[c * d.genes + g] * h[c * d.hidden + k].to_f64();
            }
        }
    }
    take(sinks.weight, &dw);
}

/// db_g = Σ_c dy_cg; exactly 0 where normalisation takes the mean, and with it the bias, out again.
fn take_bias<F: Real>(bias: GradSink<Reference<F>>, dy: &[f64], is_normalised: bool, d: HeadDims) {
    let mut db = vec![0.0; d.genes];
    if !is_normalised {
        for c in 0..d.cells {
            for g in 0..d.genes {
                db[g] += dy[c * d.genes + g];
            }
        }
    }
    take(bias, &db);
}
