//! `f64`: the platform's functions, and libm's erfc.

use super::Real;

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
