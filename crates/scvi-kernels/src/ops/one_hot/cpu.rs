//! Row gather and scatter of a few hundred features: one thread.

use crate::ops::linear::LinearDims;
use crate::ops::{Sink, scratch};
use crate::real::Real;
use crate::simd::vectorised;

/// `d.n_in` is the number of covariates.
pub(crate) fn one_hot_cpu<F: Real>(rows: &[u32], w: &[F], y: &mut [F], d: LinearDims) {
    vectorised(
        #[inline(always)]
        || {
            for (k, &r) in rows[..d.cells * d.n_in].iter().enumerate() {
                let y = &mut y[k / d.n_in * d.n_out..][..d.n_out];
                for (y, &w) in y.iter_mut().zip(&w[r as usize * d.n_out..][..d.n_out]) {
                    *y += w;
                }
            }
        },
    );
}

/// The sink holds all the categories' rows.
pub(crate) fn one_hot_grad_cpu<F: Real>(rows: &[u32], dy: &[F], d: LinearDims, mut w: Sink<'_, F>) {
    scratch(w.value().len(), |grad| {
        grad.fill(F::ZERO);
        vectorised(
            #[inline(always)]
            || {
                for (k, &r) in rows[..d.cells * d.n_in].iter().enumerate() {
                    let dy = &dy[k / d.n_in * d.n_out..][..d.n_out];
                    for (g, &v) in grad[r as usize * d.n_out..][..d.n_out].iter_mut().zip(dy) {
                        *g += v;
                    }
                }
            },
        );
        w.take(0, grad);
    });
}
