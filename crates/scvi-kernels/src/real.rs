//! The two number types of the kernels, with elementary functions that vectorise.

mod deviance;
mod double;
mod saturated;
mod single;
#[cfg(test)]
mod tests;

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use bytemuck::Pod;
pub use deviance::{NbDeviance, poisson_deviance};
pub use saturated::Saturated;

use crate::linalg::MicroKernels;
use crate::ops::Pooled;

/// A floating-point type the kernels run on: `f32` in use, `f64` where gradients are proven by
/// finite differences.
///
/// For `f32`, [`Real::exp`], [`Real::ln`] and their kin are branch-free polynomials of 1 to 2 ulp
/// error ([`Real::normal`] a few more), written so that a loop over a slice compiles to vector instructions.
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
    + Pod
    + Pooled
    + MicroKernels
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
    /// the C library, and get a bit-identical result.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// eˣ; 0 below the smallest normal result, the largest finite power of e above the range.
    fn exp(self) -> Self;
    /// eˣ - 1, precise for small x; [`Real::exp`]'s limits above the range.
    fn exp_m1(self) -> Self;
    /// The standard normal distribution: Φ(x) = ½ erfc(-x/√2), precise in both tails, and the
    /// density φ(x) = e^(-x²/2)/√(2π).
    fn normal(self) -> (Self, Self);
    /// ln x for a positive normal x; x below [`Real::TINY`] counts as [`Real::TINY`].
    fn ln(self) -> Self;
    /// eˣ - 1 for -1/16 ≤ x ≤ 0.
    fn exp_m1_near_zero(self) -> Self;
    /// ln(1 + w) - w, precise however small w is, where the given 1 + w is in [√½, √2), and
    /// ln(1 + w) elsewhere; and whether it is.
    fn log1pmx_near_one(w: Self, one_plus_w: Self) -> (Self, bool);
    /// Stirling's remainder S(z) = ln Γ(z) - ((z - 1/2) ln z - z + ln(2π)/2) for z ≥ 1, and of `f64`
    /// for z > 0; and its derivative.
    fn stirling(z: Self) -> (Self, Self);
    /// S(a) - S(a + x) and S'(a + x) - S'(a) for a ≥ 1, precise however small x is.
    fn stirling_difference(a: Self, x: Self) -> (Self, Self);
    /// ln Γ(1 + x) / x for 0 < x < 1.
    fn ln_gamma_1p_over(x: Self) -> Self;

    /// ln(1 + u) for u ≥ 0, precise for small u.
    #[inline(always)]
    fn ln_1p(u: Self) -> Self {
        let w = Self::ONE + u;
        // What rounding took from w comes back as the first term of ln around w, which is c/w: for
        // u below 1 the difference to c is far below rounding, above it c/w is.
        let lost = u - (w - Self::ONE);
        w.ln() + if u < Self::ONE { lost } else { Self::ZERO }
    }

    /// tanh x, precise for small x.
    #[inline(always)]
    fn tanh(self) -> Self {
        let u = (-(self.abs() + self.abs())).exp_m1();
        let y = -u / (Self::ONE + Self::ONE + u);
        if self < Self::ZERO { -y } else { y }
    }

    /// The logistic function 1/(1 + e⁻ˣ).
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Self::ONE / (Self::ONE + (-self).exp())
    }

    /// ln(1 + eˣ) and its derivative; x and 1 above 20, as `torch.nn.Softplus` has it.
    #[inline(always)]
    fn softplus(self) -> (Self, Self) {
        let e = (-self.abs()).exp();
        let log = Self::ln_1p(e);
        let slope = (if self < Self::ZERO { e } else { Self::ONE }) / (Self::ONE + e);
        // A NaN is not below 0, and stays.
        let line = if self < Self::ZERO { Self::ZERO } else { self };
        if self > Self::of(20.0) { (line, Self::ONE) } else { (line + log, slope) }
    }
}
