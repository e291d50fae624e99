//! `f32`: branch-free polynomials that vectorise.

use std::hint::select_unpredictable;

use super::Real;

impl Real for f32 {
    const ZERO: Self = 0.0;
    const HALF: Self = 0.5;
    const ONE: Self = 1.0;
    const TINY: Self = f32::MIN_POSITIVE;

    #[inline(always)]
    fn of(x: f64) -> Self {
        x as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        f32::mul_add(self, a, b)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        // In this order a NaN passes both bounds.
        let x = if self > 88.0 { 88.0 } else { self };
        let x = if x < -87.0 { -87.0 } else { x };
        let (p, scale) = exp_parts(x);
        let y = (p + 1.0) * scale;
        if self < -87.0 { 0.0 } else { y }
    }

    #[inline(always)]
    fn exp_m1(self) -> Self {
        let x = if self > 88.0 { 88.0 } else { self };
        let x = if x < -87.0 { -87.0 } else { x };
        let (p, scale) = exp_parts(x);
        f32::mul_add(p, scale, scale - 1.0)
    }

    #[inline(always)]
    fn normal(self) -> (Self, Self) {
        // φ(0).
        const DENSITY: f32 = 0.398_942_3;
        let a = self.abs();
        let half_square = 0.5 * a * a;
        // What rounding takes from the exponent would be multiplied by it.
        let lost = f32::mul_add(0.5 * a, a, -half_square);
        let bell = Real::exp(-half_square) * (1.0 - lost);
        let t = 1.0 / f32::mul_add(a, 0.26, 1.0);
        // Φ(-a) = e^(-a²/2) t P(t), P fitted for 0 <= a < 14.5, beyond which the result is 0:
        // relative error 2.8e-8 before rounding. In pairs so that few terms wait for others.
        let (t2, t4) = (t * t, t * t * (t * t));
        let p01 = f32::mul_add(t, 1.030_509_7e-1, 1.037_570_2e-1);
        let p23 = f32::mul_add(t, 5.196_482e-2, 1.027_886_8e-1);
        let p45 = f32::mul_add(t, -1.477_893_5e-1, 1.587_587_6e-1);
        let p67 = f32::mul_add(t, -1.514_944_4e-1, 2.487_332_1e-1);
        let low = f32::mul_add(t2, p23, p01);
        let high = f32::mul_add(t2, p67, p45);
        let p = f32::mul_add(t4, f32::mul_add(t4, 3.023_03e-2, high), low);
        let tail = bell * t * p;
        (if self < 0.0 { tail } else { 1.0 - tail }, DENSITY * bell)
    }

    #[inline(always)]
    fn exp_m1_near_zero(self) -> Self {
        // Fitted: relative error 3.1e-7.
        let p = f32::mul_add(self, 1.628_187_1e-1, 4.999_103_2e-1);
        self * f32::mul_add(self, p, 9.999_997e-1)
    }

    #[inline(always)]
    fn ln(self) -> Self {
        let (f, e) = ln_reduced(self);
        f32::mul_add(e, LN2_HI, ln_rest(f, e) + f)
    }

    #[inline(always)]
    fn log1pmx_near_one(w: Self, ratio: Self) -> (Self, bool) {
        let (f, e) = ln_reduced(ratio);
        let near = e == 0.0;
        // Near 1, w has digits that the ratio has lost.
        let f = select_unpredictable(near, w, f);
        let rest = ln_rest(f, e);
        (select_unpredictable(near, rest, f32::mul_add(e, LN2_HI, rest + f)), near)
    }

    #[inline(always)]
    fn stirling(z: Self) -> (Self, Self) {
        let r = 1.0 / z;
        let (r2, r4) = (r * r, r * r * (r * r));
        let (c01, c23) = (f32::mul_add(r, S[1], S[0]), f32::mul_add(r, S[3], S[2]));
        let (low, high) = (f32::mul_add(r2, c23, c01), f32::mul_add(r, S[5], S[4]));
        let s = f32::mul_add(r4, f32::mul_add(r2, S[6], high), low);
        let (c01, c23) = (f32::mul_add(r, DS[1], DS[0]), f32::mul_add(r, DS[3], DS[2]));
        let (low, high) = (f32::mul_add(r2, c23, c01), f32::mul_add(r, DS[5], DS[4]));
        let high = f32::mul_add(r2, f32::mul_add(r, DS[7], DS[6]), high);
        let ds = f32::mul_add(r4, f32::mul_add(r4, DS[8], high), low);
        (r * s, -r2 * ds)
    }

    #[inline(always)]
    fn stirling_difference(a: Self, x: Self) -> (Self, Self) {
        let (ra, rb) = (1.0 / a, 1.0 / (a + x));
        let step = x * (ra * rb); // ra - rb
        // S is r p(r) and S' is -r² q(r).
        let (p, p_at_b) = divided_difference(&S, ra, rb);
        let (q, q_at_b) = divided_difference(&DS, ra, rb);
        (step * f32::mul_add(p, ra, p_at_b), step * f32::mul_add(q * ra, ra, (ra + rb) * q_at_b))
    }

    #[inline(always)]
    fn ln_gamma_1p_over(x: Self) -> Self {
        let p = f32::mul_add(x, 3.353_44e-3, -2.038_448e-2);
        let p = f32::mul_add(x, p, 5.816_028_6e-2);
        let p = f32::mul_add(x, p, -1.079_712_1e-1);
        let p = f32::mul_add(x, p, 1.563_965_5e-1);
        let p = f32::mul_add(x, p, -2.043_034_4e-1);
        let p = f32::mul_add(x, p, 2.701_533e-1);
        let p = f32::mul_add(x, p, -4.006_549_7e-1);
        let p = f32::mul_add(x, p, 8.224_662e-1);
        f32::mul_add(x, p, -5.772_157e-1)
    }
}

/// S(z) = r Σ S_k rᵏ with r = 1/z, for z ≥ 1: fitted to a relative error of 6e-8.
const S: [f32; 7] = [
    8.333_333e-2,
    -7.498_012e-8,
    -2.773_417_2e-3,
    -5.032_654e-5,
    1.044_424_6e-3,
    -6.294_978_7e-4,
    1.370_307_6e-4,
];

/// S'(z) = -r² Σ DS_k rᵏ, to 8e-8: differences of it need its slope as well.
const DS: [f32; 9] = [
    8.333_336e-2,
    -7.494_817e-7,
    -8.312_237e-3,
    -2.266_990_8e-4,
    5.160_149e-3,
    -3.282_275e-3,
    -7.076_019e-5,
    9.163_698e-4,
    -3.014_744_7e-4,
];

/// (p(a) - p(b))/(a - b) and p(b) of a polynomial, however close a and b are.
#[inline(always)]
fn divided_difference(p: &[f32], a: f32, b: f32) -> (f32, f32) {
    p.iter().rev().fold((0.0, 0.0), |(difference, at_b), &coefficient| {
        (f32::mul_add(difference, a, at_b), f32::mul_add(at_b, b, coefficient))
    })
}

/// ln 2 in two parts; the first has few enough bits for n * LN2_HI to be exact.
const LN2_HI: f32 = 0.693_359_4;
const LN2_LO: f32 = -2.121_944_4e-4;

/// m - 1 and e of x = m 2ᵉ with m in [√½, √2).
#[inline(always)]
fn ln_reduced(x: f32) -> (f32, f32) {
    let x = if x > f32::MIN_POSITIVE { x } else { f32::MIN_POSITIVE };
    let bits = x.to_bits().wrapping_sub(0x3f35_04f3);
    let e = (bits as i32) >> 23;
    let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(0x3f35_04f3));
    (m - 1.0, e as f32)
}

/// ln(1 + f) - f + e LN2_LO.
#[inline(always)]
fn ln_rest(f: f32, e: f32) -> f32 {
    // ln(1 + f) = f - f²/2 + f³ P(f), P fitted to the interval: no division, which the
    // likelihood has enough of, and in pairs so that few terms wait for others.
    let z = f * f;
    let z2 = z * z;
    let p01 = f32::mul_add(f, -2.499_999_4e-1, 3.333_333e-1);
    let p23 = f32::mul_add(f, -1.666_805_8e-1, 2.000_071_5e-1);
    let p45 = f32::mul_add(f, -1.242_014_1e-1, 1.424_932_3e-1);
    let p67 = f32::mul_add(f, -1.151_461e-1, 1.167_699_9e-1);
    let low = f32::mul_add(z, p23, p01);
    let high = f32::mul_add(z, p67, p45);
    let p = f32::mul_add(z2, f32::mul_add(z2, 7.037_683_6e-2, high), low);
    let y = f32::mul_add(z * f, p, e * LN2_LO);
    f32::mul_add(z, -0.5, y)
}

/// (eʳ - 1, 2ⁿ) with x = n ln 2 + r, |r| ≤ ln(2)/2, for -87 ≤ x ≤ 88.
#[inline(always)]
fn exp_parts(x: f32) -> (f32, f32) {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = f32::mul_add(n, -LN2_LO, f32::mul_add(n, -LN2_HI, x));
    // e^r - 1 - r, r² times a polynomial fitted for e^r - 1 to have a relative error of 1.7e-8; in
    // pairs so that few terms wait for others.
    let r2 = r * r;
    let high = f32::mul_add(r, 1.388_251_8e-3, 8.366_547_5e-3);
    let low = f32::mul_add(r, 1.666_654_3e-1, 0.499_999_97);
    let middle = f32::mul_add(r2, 4.166_72e-2, low);
    let p = f32::mul_add(r2 * r, high, middle);
    // 2^n through the exponent bits: |n| <= 127, so no overflow into the sign.
    let scale = f32::from_bits(shifted.to_bits().wrapping_add(127).wrapping_shl(23));
    (f32::mul_add(r2, p, r), scale)
}
