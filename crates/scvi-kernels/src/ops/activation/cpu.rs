//! Elementwise, one thread.

use super::Activation;
use crate::real::Real;
use crate::simd::vectorised;

pub(crate) fn activate_cpu<F: Real>(
    x: &mut [F],
    activation: Activation,
    dropout: Option<&[F]>,
    gate: &mut [F],
) {
    match activation {
        Activation::Relu => with(relu, x, dropout, gate),
        Activation::LeakyRelu => with(leaky_relu, x, dropout, gate),
        Activation::Elu => with(elu, x, dropout, gate),
        Activation::Gelu => with(gelu, x, dropout, gate),
        Activation::Silu => with(silu, x, dropout, gate),
        Activation::Tanh => with(tanh, x, dropout, gate),
        Activation::Softplus => with(F::softplus, x, dropout, gate),
        Activation::Identity => with(|x| (x, F::ONE), x, dropout, gate),
    }
}

/// `f` gives value and derivative.
fn with<F: Real>(f: impl Fn(F) -> (F, F), x: &mut [F], dropout: Option<&[F]>, gate: &mut [F]) {
    vectorised(
        #[inline(always)]
        || match dropout {
            Some(factors) => {
                for ((x, gate), &m) in x.iter_mut().zip(gate.iter_mut()).zip(factors) {
                    let (value, slope) = f(*x);
                    (*x, *gate) = (value * m, slope * m);
                }
            }
            None => {
                for (x, gate) in x.iter_mut().zip(gate.iter_mut()) {
                    (*x, *gate) = f(*x);
                }
            }
        },
    );
}

pub(crate) fn gate_grad_cpu<F: Real>(dy: &mut [F], gate: &[F]) {
    vectorised(
        #[inline(always)]
        || {
            for (d, &g) in dy.iter_mut().zip(gate) {
                *d *= g;
            }
        },
    );
}

// Each multiplies or adds x itself somewhere, so that a NaN stays one.

#[inline(always)]
fn relu<F: Real>(x: F) -> (F, F) {
    let slope = if x > F::ZERO { F::ONE } else { F::ZERO };
    (x * slope, slope)
}

#[inline(always)]
fn leaky_relu<F: Real>(x: F) -> (F, F) {
    let slope = if x > F::ZERO { F::ONE } else { F::of(0.01) };
    (x * slope, slope)
}

#[inline(always)]
fn elu<F: Real>(x: F) -> (F, F) {
    let low = if x < F::ZERO { x } else { F::ZERO };
    let below = low.exp_m1();
    ((x - low) + below, F::ONE + below)
}

#[inline(always)]
fn gelu<F: Real>(x: F) -> (F, F) {
    let (cumulative, density) = x.normal();
    (x * cumulative, x.mul_add(density, cumulative))
}

#[inline(always)]
fn silu<F: Real>(x: F) -> (F, F) {
    let e = (-x).exp();
    let s = F::ONE / (F::ONE + e);
    let value = x * s;
    // 1 - s as e s, for x s multiplies its rounding.
    (value, (e * s).mul_add(value, s))
}

#[inline(always)]
fn tanh<F: Real>(x: F) -> (F, F) {
    let value = x.tanh();
    (value, (-value).mul_add(value, F::ONE))
}
