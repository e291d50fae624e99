//! `f64`: the platform's functions, and libm's erfc.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use super::Real;

impl Real for f64 {
    const ZERO: Self = 0.0;
    const HALF: Self = 0.5;
    const ONE: Self = 1.0;
    const TINY: Self = f64::MIN_POSITIVE;

    #[inline(always)]
    fn of(x: f64) -> Self {
        x
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        f64::mul_add(self, a, b)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        // In this order a NaN passes.
        let x = if self > 709.0 { 709.0 } else { self };
        if x < -708.0 { 0.0 } else { f64::exp(x) }
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        f64::exp_m1(if self > 709.0 { 709.0 } else { self })
    }
    #[inline(always)]
    fn normal(self) -> (Self, Self) {
        const DENSITY: f64 = 0.398_942_280_401_432_7;
        let cumulative = 0.5 * libm::erfc(-self * std::f64::consts::FRAC_1_SQRT_2);
        (cumulative, DENSITY * f64::exp(-0.5 * self * self))
    }
    #[inline(always)]
    fn ln(self) -> Self {
        f64::ln(if self > f64::MIN_POSITIVE { self } else { f64::MIN_POSITIVE })
    }

    #[inline(always)]
    fn exp_m1_near_zero(self) -> Self {
        f64::exp_m1(self)
    }

    #[inline(always)]
    fn log1pmx_near_one(w: Self, ratio: Self) -> (Self, bool) {
        let near = (FRAC_1_SQRT_2..SQRT_2).contains(&ratio);
        if !near {
            return (Real::ln(ratio), near);
        }
        // ln(1 + w) = 2 artanh r = 2 (r + r³/3 + r⁵/5 + ...), in which r = w/(2 + w) is at most
        // 0.18, and 2r - w = -r w.
        let r = w / (2.0 + w);
        let series = (0..11).rev().fold(0.0, |sum, k| sum * r * r + 1.0 / (2 * k + 3) as f64);
        (r * (2.0 * r * r * series - w), near)
    }

    #[inline(always)]
    fn stirling(z: Self) -> (Self, Self) {
        if z >= SHIFT {
            return stirling_series(z);
        }
        // From Γ(z + s) = Γ(z) z (z + 1) ... (z + s - 1).
        let a = z + SHIFT;
        let (s, ds) = stirling_series(a);
        let steps = (0..SHIFT as usize).map(|k| z + k as f64);
        let (product, sum) = steps.fold((1.0, 0.0), |(p, q), z| (p * (z / a), q + 1.0 / z));
        let log = f64::ln_1p(SHIFT / z);
        let s = s + (z - 0.5) * log - SHIFT - f64::ln(product);
        (s, ds + log - 0.5 / a + 0.5 / z - sum)
    }

    #[inline(always)]
    fn stirling_difference(a: Self, x: Self) -> (Self, Self) {
        let ((sa, dsa), (sb, dsb)) = (Self::stirling(a), Self::stirling(a + x));
        (sa - sb, dsb - dsa)
    }

    #[inline(always)]
    fn ln_gamma_1p_over(x: Self) -> Self {
        const GAMMA: f64 = 0.577_215_664_901_532_9;
        // 1 + x has lost the digits of a small x; the series' next term is 0.4 x².
        let series = x * (PI * PI / 12.0) - GAMMA;
        if x < 1e-6 { series } else { libm::lgamma(1.0 + x) / x }
    }
}

/// How far Γ's argument is shifted up before Stirling's series is precise enough.
const SHIFT: f64 = 8.0;

/// Stirling's remainder and its derivative by its series, for z ≥ [`SHIFT`].
fn stirling_series(z: f64) -> (f64, f64) {
    // B_{2k} / (2k (2k - 1)), k = 1 ..= 7
    const C: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let r = 1.0 / z;
    let q = r * r;
    let (mut s, mut ds) = (0.0, 0.0);
    for (k, c) in C.iter().enumerate().rev() {
        s = s * q + c;
        ds = ds * q - c * (2 * k + 1) as f64;
    }
    (s * r, ds * q)
}
