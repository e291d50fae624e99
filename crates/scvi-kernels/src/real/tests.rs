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

#[test]
fn exp_m1_is_within_three_ulp_over_its_range() {
    for k in -8_700..8_800 {
        let x = k as f32 * 0.01 + 0.003;
        assert!(ulps(Real::exp_m1(x), libm::expm1(x as f64)) < 3.0, "exp_m1({x})");
    }
    for k in -300..0 {
        let x = 10f32.powf(k as f32 * 0.1);
        for x in [x, -x] {
            assert!(ulps(Real::exp_m1(x), libm::expm1(x as f64)) < 2.0, "exp_m1({x})");
        }
    }
    assert_eq!(Real::exp_m1(-1e30f32), -1.0);
    assert_eq!(Real::exp_m1(0.0f32), 0.0);
    assert!(Real::exp_m1(1e30f32).is_finite() && Real::exp_m1(1e300f64).is_finite());
    assert!(Real::exp_m1(f32::NAN).is_nan());
    assert!(Real::exp(f32::NAN).is_nan() && Real::exp(f64::NAN).is_nan());
}

/// Arguments of either sign, from 1e-10 to 90.
fn arguments() -> impl Iterator<Item = f64> {
    let sizes = (-1_000..196).map(|k| 10f64.powf(k as f64 * 0.01));
    sizes.flat_map(|x| [x as f32 as f64, -x as f32 as f64])
}

/// Holds a function against libm's: `f32` to so many ulp, `f64` to a relative error.
fn check(name: &str, f: [&dyn Fn(f64) -> f64; 3], max_ulps: f64, tolerance: f64) {
    let [single, double, want] = f;
    for x in arguments() {
        let (got, want) = (single(x) as f32, want(x));
        // Below e^-87 `f32` has zeros.
        let vanishes = want.abs() < 1.7e-38 && got.abs() < 1.7e-38;
        assert!(vanishes || ulps(got, want) < max_ulps, "{name}({x}): {got:e} for {want:e}");
        let got = double(x);
        let small = tolerance * want.abs() + f64::MIN_POSITIVE;
        assert!((got - want).abs() < small, "{name}({x}): {got:e} for {want:e}");
    }
}

#[test]
fn tanh_agrees_with_libm() {
    let single = |x| Real::tanh(x as f32) as f64;
    check("tanh", [&single, &Real::tanh, &libm::tanh], 4.0, 1e-15);
    assert!(Real::tanh(f32::NAN).is_nan());
    assert_eq!([Real::tanh(1e30f32), Real::tanh(-1e30f32), Real::tanh(0.0f32)], [1.0, -1.0, 0.0]);
}

#[test]
fn sigmoid_agrees_with_libm() {
    let want = |x: f64| 1.0 / (1.0 + libm::exp(-x));
    let single = |x| Real::sigmoid(x as f32) as f64;
    check("sigmoid", [&single, &Real::sigmoid, &want], 4.0, 1e-15);
}

#[test]
fn softplus_agrees_with_libm() {
    let line = |x: f64| x > 20.0;
    let value = |x: f64| if line(x) { x } else { libm::log1p(libm::exp(x)) };
    let slope = |x: f64| if line(x) { 1.0 } else { 1.0 / (1.0 + libm::exp(-x)) };
    let single = |x| f32::softplus(x as f32).0 as f64;
    check("softplus", [&single, &|x| f64::softplus(x).0, &value], 4.0, 2e-15);
    let single = |x| f32::softplus(x as f32).1 as f64;
    check("its derivative", [&single, &|x| f64::softplus(x).1, &slope], 4.0, 1e-15);
    assert_eq!(f32::softplus(1e30), (1e30, 1.0));
    assert!(f32::softplus(f32::NAN).0.is_nan());
}

#[test]
fn the_normal_distribution_agrees_with_libm_in_both_tails() {
    let (root, density) = (std::f64::consts::SQRT_2, (2.0 * std::f64::consts::PI).sqrt());
    let cumulative = |x: f64| 0.5 * libm::erfc(-x / root);
    let single = |x| f32::normal(x as f32).0 as f64;
    // Rounding x/√2 costs up to x²/2 ulp: the far tail of `f64` is not compared with itself.
    check("Φ", [&single, &|x| f64::normal(x).0, &cumulative], 8.0, 1e-12);
    let single = |x| f32::normal(x as f32).1 as f64;
    let want = |x: f64| libm::exp(-0.5 * x * x) / density;
    check("φ", [&single, &|x| f64::normal(x).1, &want], 4.0, 1e-15);
    // Abramowitz and Stegun, table 26.1.
    for (x, want) in [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (-3.0, 0.001_349_898_031_630)] {
        assert!((f64::normal(x).0 - want).abs() < 5e-16, "Φ({x})");
    }
}
