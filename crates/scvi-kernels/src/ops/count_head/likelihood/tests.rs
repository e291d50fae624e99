//! Likelihoods and their derivatives of one value: against the equations in 100 digits, and single
//! precision against double.

use std::cell::RefCell;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use safetensors::SafeTensors;

use super::{Likelihood, Logs, Nb, Normal, Params, Partials, Poisson, Zinb};
use crate::real::Real;

/// x, μ, θ and π.
type Point = [f64; 4];
/// -ln p(x) and its derivatives by ln μ, ln θ and π.
type Outcome = [f64; 4];

const NAMES: [&str; 4] = ["nll", "d/d ln μ", "d/d ln θ", "d/dπ"];
/// Relative, beside what the rounding of inputs does.
const TOLERANCE: f64 = 1e-5;
/// How many times that of one rounding of an input the effect of all roundings may be: it shows in
/// d/d ln θ, which is a difference of two terms, each of them known to some roundings.
const ROUNDINGS: f64 = 10.0;
/// A share below e^-87 counts as 0.
const UNDERFLOW: f64 = 2e-38;

fn outcome<F: Real>(p: Partials<F>) -> Outcome {
    [p.nll - p.factor.ln(), p.ln_mu, p.ln_theta, p.pi].map(F::to_f64)
}

/// A zero, in the steps that a pass takes.
fn zero<F: Real, L: Likelihood<F>>(mu: F, theta: F, pi: F) -> Outcome {
    let inv_theta = L::inverse(theta);
    let logs = match L::HAS_THETA {
        true => L::logs(mu, theta, inv_theta),
        false => Logs { log: F::ZERO, near_one: F::ZERO },
    };
    let exponentials = L::exponentials(pi, logs.log);
    outcome(L::at_zero(Params { mu, theta, inv_theta, pi }, logs, exponentials))
}

/// Any value: one that is not zero is a zero of mean 0 first.
fn evaluate<F: Real, L: Likelihood<F>>(point: Point) -> Outcome {
    let [x, mu, theta, pi] = point.map(F::of);
    if x == F::ZERO {
        return zero::<F, L>(mu, theta, pi);
    }
    let saturated = match x > F::ZERO && x < F::ONE {
        true => L::saturated_below_one(x, theta),
        false => L::saturated(x, theta),
    };
    let params = Params { mu, theta, inv_theta: L::inverse(theta), pi };
    let positive = outcome(L::at_positive(x, params, saturated));
    // Of counts it vanishes but for rounding, which a cell's sum does not feel.
    match L::VANISHES {
        true => positive,
        false => {
            let zero = zero::<F, L>(F::ZERO, theta, pi);
            std::array::from_fn(|i| positive[i] + zero[i])
        }
    }
}

/// What rounding each input does to each result.
fn input_effects<L: Likelihood<f64>>(point: Point, at: &Outcome) -> Outcome {
    let mut effects = [0.0f64; 4];
    for i in 0..4 {
        for sign in [-1.0, 1.0] {
            let mut moved = point;
            moved[i] *= 1.0 + sign * f64::from(f32::EPSILON);
            let moved = evaluate::<f64, L>(moved);
            for (effect, (moved, at)) in effects.iter_mut().zip(moved.iter().zip(at)) {
                *effect = effect.max((moved - at).abs());
            }
        }
    }
    effects
}

/// What a result may have lost to rounding whatever its size: the loss of an inflated zero is the
/// logarithm of a factor near 1, known to some roundings of 1.
fn rounding<L: Likelihood<f32>>(point: Point, result: usize) -> f64 {
    let inflated_zero = L::HAS_FACTOR && point[0] == 0.0;
    if inflated_zero && result == 0 { 3.0 * f64::from(f32::EPSILON) } else { 0.0 }
}

/// What a result may have lost to [`UNDERFLOW`]: a slope is θ times a logarithm at most.
fn underflow(point: Point) -> f64 {
    UNDERFLOW * (1.0 + 100.0 * point[2])
}

/// Holds single precision against `want`.
fn check_single<L>(point: Point, want: Outcome) -> Result<(), String>
where
    L: Likelihood<f32> + Likelihood<f64>,
{
    let got = evaluate::<f32, L>(point);
    let effects = input_effects::<L>(point, &evaluate::<f64, L>(point));
    // Beyond single precision there is nothing to hold it to.
    if want.iter().any(|v| v.abs() > f64::from(f32::MAX)) {
        return Ok(());
    }
    for i in 0..4 {
        let absolute = rounding::<L>(point, i) + underflow(point);
        let allowed = TOLERANCE * want[i].abs() + ROUNDINGS * effects[i] + absolute;
        let off = (got[i] - want[i]).abs();
        // A NaN is off, too.
        if off > allowed || off.is_nan() {
            let [x, mu, theta, pi] = point;
            return Err(format!(
                "{} at x {x:e} μ {mu:e} θ {theta:e} π {pi}: {:e} for {:e}, ±{allowed:.1e}",
                NAMES[i], got[i], want[i]
            ));
        }
    }
    Ok(())
}

/// The equations on the grid of `reference/distributions.py`.
struct Grid(Vec<u8>);

impl Grid {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference");
        Self(std::fs::read(folder.join("fixtures_distributions/grid.safetensors")).unwrap())
    }

    fn get(&self, name: &str) -> Vec<f64> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let bytes = file.tensor(name).unwrap().data();
        bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
    }

    /// Every point over these axes, the last running fastest.
    fn points(&self, axes: &[(&str, usize)]) -> Vec<Point> {
        let mut points = vec![[0.0, 1.0, 1.0, 0.0]];
        for &(axis, place) in axes {
            let values = self.get(&format!("axis/{axis}"));
            let with = |mut point: Point, value| {
                point[place] = value;
                point
            };
            points = points.iter().flat_map(|&p| values.iter().map(move |&v| with(p, v))).collect();
        }
        points
    }

    /// Holds both precisions against each quantity: a name and its place in the outcome.
    fn check<L>(&self, axes: &[(&str, usize)], quantities: &[(&str, usize)])
    where
        L: Likelihood<f32> + Likelihood<f64>,
    {
        let points = self.points(axes);
        for &(name, place) in quantities {
            let exact = self.get(&format!("exact/{name}"));
            assert_eq!(points.len(), exact.len(), "{name}");
            assert!(points.len() > 100, "{name}: the grid is gone");
            for (&point, exact) in points.iter().zip(exact) {
                let mut want = evaluate::<f64, L>(point);
                let off = (want[place] + exact).abs();
                // ε's own rounding where θ is no larger, and what cancels between two precise terms.
                let allowed = 1e-8 * exact.abs()
                    + 1e-8 * input_effects::<L>(point, &want)[place] / f64::from(f32::EPSILON)
                    + 5e-9;
                assert!(off <= allowed, "{name} {point:?}: {:e} for {:e}", want[place], -exact);
                want[place] = -exact;
                check_single::<L>(point, want).unwrap();
            }
        }
    }
}

#[test]
fn both_precisions_agree_with_the_equations_in_100_digits() {
    let grid = Grid::read();
    let derivatives = |of: &'static str| [(of, 0)];
    grid.check::<Nb>(
        &[("mu", 1), ("theta", 2), ("x", 0)],
        &[("nb/log_prob", 0), ("nb/by_ln_mu", 1), ("nb/by_ln_theta", 2)],
    );
    grid.check::<Zinb>(
        &[("mu", 1), ("theta", 2), ("zi_logits", 3), ("x", 0)],
        &[
            ("zinb/log_prob", 0),
            ("zinb/by_ln_mu", 1),
            ("zinb/by_ln_theta", 2),
            ("zinb/by_zi_logits", 3),
        ],
    );
    grid.check::<Poisson>(&[("mu", 1), ("x", 0)], &derivatives("poisson/log_prob"));
    grid.check::<Normal>(&[("mu", 1), ("theta", 2), ("x", 0)], &derivatives("normal/log_prob"));
}

/// A number of single precision whose decimal logarithm is in a range.
fn size(low: f64, high: f64) -> impl Strategy<Value = f64> {
    (low..high).prop_map(|log| f64::from(10f64.powf(log) as f32))
}

/// Zeros, small and large whole counts, fractions, and counts up to the largest number.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        (1u32..30).prop_map(f64::from),
        size(0.0, 8.0).prop_map(f64::round),
        size(-8.0, 0.0),
        size(-8.0, 8.0),
        size(8.0, 38.0),
    ]
}

/// Any mean, or one near the value.
fn point() -> impl Strategy<Value = Point> {
    let logit = prop_oneof![Just(-100.0), Just(100.0), -30.0..30.0f64];
    (value(), size(-8.0, 8.0), prop::option::of(-0.5..0.5), size(-8.0, 8.0), logit).prop_map(
        |(x, mu, near, theta, pi)| {
            let mu = match near {
                Some(log) if x > 0.0 => x * 10f64.powf(log),
                _ => mu,
            };
            [x, mu, theta, pi].map(|v| f64::from(v as f32))
        },
    )
}

/// What is off in each result, relative to it, where it is within single precision's range and
/// rounding the inputs moves it by less than [`TOLERANCE`].
fn deviations<L>(point: Point) -> Outcome
where
    L: Likelihood<f32> + Likelihood<f64>,
{
    let (got, want) = (evaluate::<f32, L>(point), evaluate::<f64, L>(point));
    let effects = input_effects::<L>(point, &want);
    let in_range = want.iter().all(|v| v.abs() <= f64::from(f32::MAX));
    std::array::from_fn(|i| {
        let size = want[i].abs();
        let lost = rounding::<L>(point, i) + underflow(point);
        let known = size > lost / TOLERANCE && effects[i] < TOLERANCE * size;
        if in_range && known { (got[i] - want[i]).abs() / size } else { 0.0 }
    })
}

fn hold_single_to_double<L>(name: &str)
where
    L: Likelihood<f32> + Likelihood<f64>,
{
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let worst = RefCell::new([0.0f64; 4]);
    let held = runner.run(&point(), |point| {
        check_single::<L>(point, evaluate::<f64, L>(point)).map_err(TestCaseError::fail)?;
        let deviations = deviations::<L>(point);
        for (worst, off) in worst.borrow_mut().iter_mut().zip(deviations) {
            *worst = worst.max(off);
        }
        Ok(())
    });
    held.unwrap();
    for (quantity, worst) in NAMES.iter().zip(worst.into_inner()) {
        println!("{name}: {quantity} off by {worst:.1e} at most");
    }
}

#[test]
fn single_precision_is_close_to_double() {
    hold_single_to_double::<Nb>("negative binomial");
    hold_single_to_double::<Zinb>("zero-inflated negative binomial");
    hold_single_to_double::<Poisson>("Poisson");
    hold_single_to_double::<Normal>("normal");
}

/// Means that are 0 or have underflowed, θ from one bound to the other, and zeros of huge means.
#[test]
fn the_ends_are_finite() {
    for x in [0.0, 1.0, 1e7, 1e30] {
        for mu in [0.0, 1e-45, 1e-38, 1.0, 1e30, 1.6e38] {
            for theta in [4.3e-18, 1e-8, 1.0, 1e8, 2.3e17] {
                for pi in [-100.0, 0.0, 100.0] {
                    let point = [x, mu, theta, pi];
                    let all = [
                        evaluate::<f32, Nb>(point),
                        evaluate::<f32, Zinb>(point),
                        evaluate::<f32, Poisson>(point),
                    ];
                    let finite = all.iter().flatten().all(|v| v.is_finite());
                    assert!(finite, "{point:?}: {all:?}");
                }
            }
        }
    }
}
