//! Functions of one number.

use crate::ops::activation::Activation;

/// f(x) and f'(x); at a kink the derivative is the one from the left.
pub(super) fn value_and_slope(function: Activation, x: f64) -> (f64, f64) {
    let is_positive = x > 0.0;
    match function {
        Activation::Relu if is_positive => (x, 1.0),
        // 0 · x, so that a NaN stays one.
        Activation::Relu => (0.0 * x, 0.0),
        Activation::LeakyRelu if is_positive => (x, 1.0),
        Activation::LeakyRelu => (0.01 * x, 0.01),
        Activation::Elu if is_positive => (x, 1.0),
        Activation::Elu => (x.exp_m1(), x.exp()),
        Activation::Gelu => {
            let (cumulative, density) = normal(x);
            (x * cumulative, cumulative + x * density)
        }
        Activation::Silu => {
            let s = sigmoid(x);
            (x * s, s + x * s * (1.0 - s))
        }
        Activation::Tanh => (x.tanh(), 1.0 - x.tanh().powi(2)),
        Activation::Softplus => softplus(x),
        Activation::Identity => (x, 1.0),
    }
}

/// ln(1 + eˣ) and its derivative; x and 1 above 20.
pub(super) fn softplus(x: f64) -> (f64, f64) {
    if x > 20.0 { (x, 1.0) } else { (x.exp().ln_1p(), sigmoid(x)) }
}

/// 1/(1 + e⁻ˣ).
pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Φ(x) = ½ erfc(-x/√2) and φ(x) = e^(-x²/2)/√(2π).
fn normal(x: f64) -> (f64, f64) {
    let cumulative = 0.5 * libm::erfc(-x / 2f64.sqrt());
    (cumulative, (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt())
}
