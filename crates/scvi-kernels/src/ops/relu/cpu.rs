//! Elementwise, one thread.

use crate::real::Real;
use crate::simd::vectorised;

pub(crate) fn relu_cpu<F: Real>(x: &mut [F], dropout: Option<&[F]>, gate: &mut [F]) {
    let n = x.len();
    let gate = &mut gate[..n];
    vectorised(
        #[inline(always)]
        || match dropout.map(|m| &m[..n]) {
            Some(factors) => {
                for i in 0..n {
                    gate[i] = if x[i] > F::ZERO { factors[i] } else { F::ZERO };
                    x[i] *= gate[i];
                }
            }
            None => {
                for i in 0..n {
                    gate[i] = if x[i] > F::ZERO { F::ONE } else { F::ZERO };
                    x[i] *= gate[i];
                }
            }
        },
    );
}

pub(crate) fn relu_grad_cpu<F: Real>(dy: &mut [F], gate: &[F]) {
    vectorised(
        #[inline(always)]
        || {
            for (d, &g) in dy.iter_mut().zip(gate) {
                *d *= g;
            }
        },
    );
}
