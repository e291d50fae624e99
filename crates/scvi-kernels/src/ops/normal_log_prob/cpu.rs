//! A few latent dimensions a row: one thread.

use super::{NormalLogProb, NormalLogProbGrad};
use crate::cpu::Cpu;
use crate::ops::repeat::RepeatDims;
use crate::ops::scratch;
use crate::real::Real;
use crate::simd::vectorised;

pub(crate) fn normal_log_prob_cpu<F: Real>(io: NormalLogProb<'_, Cpu<F>>, d: RepeatDims) {
    let (n, width) = (d.rows * d.times * d.width, d.width);
    let (mean, var) = (&io.mean[..n], &io.var[..n]);
    let ln_2_pi = F::of(std::f64::consts::TAU.ln());
    scratch(n, |terms| {
        vectorised(
            #[inline(always)]
            || {
                // ln v in a loop of its own: one over whole slices becomes vector instructions.
                terms.iter_mut().zip(var).for_each(|(t, &v)| *t = ln_2_pi + v.ln());
                let rows = mean.chunks_exact(width).zip(var.chunks_exact(width));
                let rows = rows.zip(terms.chunks_exact(width)).zip(io.log_prob.iter_mut());
                for (k, (((mean, var), terms), log_prob)) in rows.enumerate() {
                    let x = &io.x[k / d.times * width..][..width];
                    let mut sum = F::ZERO;
                    for l in 0..width {
                        let from = x[l] - mean[l];
                        sum += from * from / var[l] + terms[l];
                    }
                    *log_prob = -F::HALF * sum;
                }
            },
        );
    });
}

pub(crate) fn normal_log_prob_grad_cpu<F: Real>(io: NormalLogProbGrad<'_, Cpu<F>>, d: RepeatDims) {
    let width = d.width;
    vectorised(
        #[inline(always)]
        || {
            for k in 0..d.rows * d.times {
                let g = io.factors.map_or(io.weight, |factors| io.weight * factors[k]);
                let (row, own) = (k / d.times * width, k * width);
                let (x, dx) = (&io.x[row..][..width], &mut io.dx[row..][..width]);
                let (mean, var) = (&io.mean[own..][..width], &io.var[own..][..width]);
                let d_mean = &mut io.d_mean[own..][..width];
                let d_var = &mut io.d_var[own..][..width];
                for l in 0..width {
                    let slope = (x[l] - mean[l]) / var[l];
                    d_mean[l] = g * slope;
                    d_var[l] = F::HALF * g * (slope * slope - F::ONE / var[l]);
                    dx[l] += -(g * slope);
                }
            }
        },
    );
}
