//! Labels, known and unknown; k counts rows of `(rows, times)`, y labels.

use std::f64::consts::TAU;

use super::latent::{log_sum_exp, shares};
use super::{Reference, wide};
use crate::backend::LabelOps;
use crate::ops::cross_entropy::CrossEntropy;
use crate::ops::label_mixture::LabelMixture;
use crate::ops::normal_log_prob::{NormalLogProb, NormalLogProbGrad};
use crate::ops::repeat::RepeatDims;
use crate::real::Real;

impl<F: Real> LabelOps for Reference<F> {
    /// y_rk = x_r.
    fn repeat_rows(&self, x: &Vec<F>, y: &mut Vec<F>, d: RepeatDims) {
        for k in 0..d.rows * d.times {
            for l in 0..d.width {
                y[k * d.width + l] = x[k / d.times * d.width + l];
            }
        }
    }

    /// dx_r += Σ_k dy_rk.
    fn repeat_rows_grad(&self, dy: &Vec<F>, dx: &mut Vec<F>, d: RepeatDims) {
        for r in 0..d.rows {
            for l in 0..d.width {
                let copies = (0..d.times).map(|k| dy[(r * d.times + k) * d.width + l].to_f64());
                let at = r * d.width + l;
                dx[at] = F::of(dx[at].to_f64() + copies.sum::<f64>());
            }
        }
    }

    /// -½ Σ_l (ln(2π v) + (x - m)²/v).
    fn normal_log_prob(&self, io: NormalLogProb<Self>, d: RepeatDims) {
        for k in 0..d.rows * d.times {
            let mut sum = 0.0;
            for l in 0..d.width {
                let x = io.x[k / d.times * d.width + l].to_f64();
                let (m, v) = (io.mean[k * d.width + l].to_f64(), io.var[k * d.width + l].to_f64());
                sum += (TAU * v).ln() + (x - m).powi(2) / v;
            }
            io.log_prob[k] = F::of(-0.5 * sum);
        }
    }

    /// dm = g (x - m)/v, dv = ½ g ((x - m)²/v - 1)/v, dx += -Σ_k g (x - m)/v.
    fn normal_log_prob_grad(&self, io: NormalLogProbGrad<Self>, d: RepeatDims) {
        let mut dx = wide(&io.dx[..d.rows * d.width]);
        for k in 0..d.rows * d.times {
            let g = io.weight.to_f64() * io.factors.map_or(1.0, |factors| factors[k].to_f64());
            for l in 0..d.width {
                let (row, own) = (k / d.times * d.width + l, k * d.width + l);
                let (m, v) = (io.mean[own].to_f64(), io.var[own].to_f64());
                let from = io.x[row].to_f64() - m;
                io.d_mean[own] = F::of(g * from / v);
                io.d_var[own] = F::of(0.5 * g * (from * from / v - 1.0) / v);
                dx[row] -= g * from / v;
            }
        }
        super::store(&dx, io.dx);
    }

    /// With w = softmax(u): reconstruction_loss += ln q - Σ_y w_y ln p_y,
    /// kl_local = Σ_y w_y (KL_y + ln w_y - ln(π_y/Σπ)); with
    /// a_y = -ln p_y + kl_weight (KL_y + ln w_y - ln(π_y/Σπ)): du_y = weight w_y (a_y - Σ_k w_k a_k).
    fn label_mixture(&self, io: LabelMixture<Self>, [cells, labels]: [usize; 2]) {
        let prior = wide(&io.prior[..labels]);
        let total: f64 = prior.iter().sum();
        let mut grad = io.grad;
        for c in 0..cells {
            let at = c * labels..(c + 1) * labels;
            let u = wide(&io.logits[at.clone()]);
            let (log_p, kl) = (wide(&io.log_prob[at.clone()]), wide(&io.kl[at.clone()]));
            let (w, log_sum) = (shares(&u), log_sum_exp(&u));
            let divergence = |y: usize| kl[y] + (u[y] - log_sum) - (prior[y] / total).ln();
            let (mut density, mut kl_local) = (0.0, 0.0);
            for y in 0..labels {
                density += w[y] * log_p[y];
                kl_local += w[y] * divergence(y);
            }
            let loss = io.reconstruction_loss[c].to_f64() + io.log_q[c].to_f64() - density;
            io.reconstruction_loss[c] = F::of(loss);
            io.kl_local[c] = F::of(kl_local);
            super::store(&w, &mut io.probabilities[at.clone()]);
            if let Some(grad) = &mut grad {
                let (weight, kl_weight) = (grad.weight.to_f64(), grad.kl_weight.to_f64());
                let a = |y: usize| kl_weight * divergence(y) - log_p[y];
                let mean = kl_weight * kl_local - density;
                for y in 0..labels {
                    grad.d_logits[c * labels + y] = F::of(weight * w[y] * (a(y) - mean));
                }
            }
        }
    }

    /// -ln softmax(u)_y; du = weight (softmax(u) - one-hot(y)).
    fn cross_entropy(&self, io: CrossEntropy<Self>, [cells, n_labels]: [usize; 2]) {
        let mut grad = io.grad;
        for c in 0..cells {
            let u = wide(&io.logits[c * n_labels..(c + 1) * n_labels]);
            let label = io.labels[c] as usize;
            io.losses[c] = F::of(log_sum_exp(&u) - u[label]);
            if let Some((weight, du)) = &mut grad {
                for (y, p) in shares(&u).into_iter().enumerate() {
                    let own = if y == label { 1.0 } else { 0.0 };
                    du[c * n_labels + y] = F::of(weight.to_f64() * (p - own));
                }
            }
        }
    }
}
