//! The two number types of the kernels, with elementary functions that vectorise.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::ops::Pooled;

/// A floating-point type the kernels run on: `f32` in use, `f64` where gradients are proven by
/// finite differences.
///
/// For `f32`, [`Real::exp`], [`Real::ln`] and what is built on them are branch-free polynomials of
/// 1 to 2 ulp error, written so that a loop over a slice compiles to vector instructions.
pub trait Real:
    Copy
    + Default
    + Debug
    + Display
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Sum
    + Pooled
{
    /// 0.
    const ZERO: Self;
    /// 1/2.
    const HALF: Self;
    /// 1.
    const ONE: Self;
    /// The smallest positive normal number.
    const TINY: Self;

    /// Nearest value of this type.
    fn of(x: f64) -> Self;
    /// The same value in double precision.
    fn to_f64(self) -> f64;
    /// |x|.
    fn abs(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// The larger of two numbers, neither of them NaN.
    fn max(self, other: Self) -> Self;
    /// `self * a + b` with one rounding.
    ///
    /// A single instruction under AVX2, AVX-512 and NEON. Older x86 machines pay for a call into
    /// the C library, and get the same bits.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// eˣ; 0 below the smallest normal result, the largest finite power of e above the range.
    fn exp(self) -> Self;
    /// ln x for a positive normal x; x below [`Real::TINY`] counts as [`Real::TINY`].
    fn ln(self) -> Self;
    /// Stirling's remainder `ln Γ(z) - ((z - 1/2) ln z - z + ln(2π)/2)` for z ≥ [`Self::SHIFT`],
    /// and its derivative.
    fn stirling(z: Self) -> (Self, Self);
    /// How far Γ's argument is shifted up before Stirling's series is precise enough.
    const SHIFT: usize;

    /// ln(1 + u) for u ≥ 0, precise for small u.
    #[inline(always)]
    fn ln_1p(u: Self) -> Self {
        let w = Self::ONE + u;
        // What rounding took from w comes back as the first term of ln around w, which is c/w: for
        // u below 1 the difference to c is far below rounding, above it c/w is.
        let lost = u - (w - Self::ONE);
        w.ln() + if u < Self::ONE { lost } else { Self::ZERO }
    }

    /// `(D, dD/dθ)` of `D = ln Γ(x + θ) - ln Γ(θ)` for θ > 0, x ≥ 0, without the cancellation that
    /// two separate calls suffer.
    ///
    /// With a = θ + s, b = a + x (s the shift) and Stirling's remainder S:
    /// `D = x ln b + (a - 1/2) ln(1 + x/a) - x + S(b) - S(a) + Σ_{i<s} ln((θ+i)/(θ+x+i))`.
    /// The derivative is the same for the digamma function (Abramowitz and Stegun 6.1.40, 6.3.18).
    #[inline(always)]
    fn ln_gamma_ratio(theta: Self, x: Self) -> (Self, Self) {
        let a = theta + Self::of(Self::SHIFT as f64);
        let b = a + x;
        let log = Self::ln_1p(x / a);
        let (sa, dsa) = Self::stirling(a);
        let (sb, dsb) = Self::stirling(b);
        let mut ratio = Self::ONE;
        let mut digamma = Self::ZERO;
        for i in 0..Self::SHIFT {
            let low = theta + Self::of(i as f64);
            let inv = Self::ONE / (low * (low + x));
            ratio *= low * low * inv;
            digamma += x * inv;
        }
        let value = x * b.ln() + (a - Self::HALF) * log - x + (sb - sa) + ratio.ln();
        // ψ(z) = ln z - 1/(2z) + S'(z), and ψ(θ + s) - ψ(θ) = Σ 1/(θ+i)
        (value, log + Self::HALF * x / (a * b) + (dsb - dsa) + digamma)
    }
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const HALF: Self = 0.5;
    const ONE: Self = 1.0;
    const TINY: Self = f32::MIN_POSITIVE;
    const SHIFT: usize = 4;

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
        const LOG2_E: f32 = std::f32::consts::LOG2_E;
        // ln 2 in two parts; the first has few enough bits for n * LN2_HI to be exact.
        const LN2_HI: f32 = 0.693_359_4;
        const LN2_LO: f32 = -2.121_944_4e-4;
        // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
        const ROUND: f32 = 12_582_912.0;
        let x = if self < 88.0 { self } else { 88.0 };
        let x = if x > -87.0 { x } else { -87.0 };
        let shifted = x * LOG2_E + ROUND;
        let n = shifted - ROUND;
        let r = f32::mul_add(n, -LN2_LO, f32::mul_add(n, -LN2_HI, x));
        // e^r - 1 - r on |r| <= ln(2)/2: Taylor's terms, in pairs so that few wait for others.
        let r2 = r * r;
        let high = f32::mul_add(r, 1.388_888_9e-3, 8.333_334e-3);
        let low = f32::mul_add(r, 1.666_666_7e-1, 0.5);
        let middle = f32::mul_add(r2, 4.166_666_6e-2, low);
        let p = f32::mul_add(r2 * r, high, middle);
        let p = f32::mul_add(r2, p, r) + 1.0;
        // Multiply by 2^n through the exponent bits: |n| <= 127, so no overflow into the sign.
        let scale = f32::from_bits(shifted.to_bits().wrapping_add(127).wrapping_shl(23));
        let y = p * scale;
        if self < -87.0 { 0.0 } else { y }
    }

    #[inline(always)]
    fn ln(self) -> Self {
        let x = if self > f32::MIN_POSITIVE { self } else { f32::MIN_POSITIVE };
        // x = m * 2^e with m in [sqrt(1/2), sqrt(2))
        let bits = x.to_bits().wrapping_sub(0x3f35_04f3);
        let e = (bits as i32) >> 23;
        let m = f32::from_bits((bits & 0x007f_ffff).wrapping_add(0x3f35_04f3));
        let e = e as f32;
        let f = m - 1.0;
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
        let y = f32::mul_add(z * f, p, e * -2.121_944_4e-4);
        let y = f32::mul_add(z, -0.5, y) + f;
        f32::mul_add(e, 0.693_359_4, y)
    }

    #[inline(always)]
    fn stirling(z: Self) -> (Self, Self) {
        let r = 1.0 / z;
        let q = r * r;
        let s = r * (8.333_333_6e-2 + q * (-2.777_777_8e-3 + q * 7.936_508e-4));
        let ds = -q * (8.333_333_6e-2 + q * (-8.333_334e-3 + q * 3.968_254e-3));
        (s, ds)
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const HALF: Self = 0.5;
    const ONE: Self = 1.0;
    const TINY: Self = f64::MIN_POSITIVE;
    const SHIFT: usize = 8;

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
        let x = if self < 709.0 { self } else { 709.0 };
        if x < -708.0 { 0.0 } else { f64::exp(x) }
    }
    #[inline(always)]
    fn ln(self) -> Self {
        f64::ln(if self > f64::MIN_POSITIVE { self } else { f64::MIN_POSITIVE })
    }

    #[inline(always)]
    fn stirling(z: Self) -> (Self, Self) {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ulps(got: f32, want: f64) -> f64 {
        let ulp = (want as f32).abs().max(f32::MIN_POSITIVE) as f64 * 2f64.powi(-23);
        (got as f64 - want).abs() / ulp
    }

    #[test]
    fn exp_is_within_two_ulp_over_its_range() {
        for k in -8_700..8_800 {
            let x = k as f32 * 0.01 + 0.003;
            assert!(ulps(Real::exp(x), (x as f64).exp()) < 2.5, "exp({x})");
        }
        assert_eq!(Real::exp(-1e30f32), 0.0);
        assert_eq!(Real::exp(0.0f32), 1.0);
        assert!(Real::exp(1e30f32).is_finite());
    }

    #[test]
    fn ln_is_within_two_ulp_over_its_range() {
        for k in -12_500..12_700 {
            let x = 2f32.powf(k as f32 * 0.01);
            let want = (x as f64).ln();
            let near_one = (Real::ln(x) as f64 - want).abs() < 1e-7;
            assert!(near_one || ulps(Real::ln(x), want) < 2.0, "ln({x})");
        }
        assert_eq!(Real::ln(1.0f32), 0.0);
        assert!(Real::ln(0.0f32).is_finite());
    }

    #[test]
    fn ln_1p_is_precise_for_small_arguments() {
        for k in -300..120 {
            let u = 10f32.powf(k as f32 * 0.1);
            let want = (u as f64).ln_1p();
            assert!(ulps(<f32 as Real>::ln_1p(u), want) < 4.0, "ln_1p({u})");
        }
    }

    /// ln Γ(x + θ) - ln Γ(θ) = Σ_{i<x} ln(θ + i) for a whole x, and its derivative Σ 1/(θ + i).
    fn by_sum(theta: f64, x: u32) -> (f64, f64) {
        (0..x).fold((0.0, 0.0), |(v, d), i| {
            let t = theta + i as f64;
            (v + t.ln(), d + 1.0 / t)
        })
    }

    #[test]
    fn ln_gamma_ratio_agrees_with_its_sum() {
        for theta in [1e-4, 3e-3, 0.1, 0.7, 1.0, 2.5, 9.0, 77.0, 1.3e3, 4e4, 1e6] {
            for x in [1, 2, 3, 7, 30, 250, 5_000] {
                let (v, d) = by_sum(theta, x);
                let (v64, d64) = f64::ln_gamma_ratio(theta, x as f64);
                assert!((v64 - v).abs() < 1e-11 * (1.0 + v.abs() + x as f64), "{theta} {x}");
                assert!((d64 - d).abs() < 1e-11 * (1.0 + d), "{theta} {x}: {d64} {d}");
                let theta32 = theta as f32;
                let (v, d) = by_sum(theta32 as f64, x);
                let (v32, d32) = f32::ln_gamma_ratio(theta32, x as f32);
                let scale = 1.0 + v.abs() + x as f64;
                assert!((v32 as f64 - v).abs() < 1e-6 * scale, "{theta} {x}: {v32} {v}");
                assert!((d32 as f64 - d).abs() < 2e-6 * d + 1e-7, "{theta} {x}: {d32} {d}");
            }
        }
        assert_eq!(f32::ln_gamma_ratio(2.0, 0.0), (0.0, 0.0));
    }
}
