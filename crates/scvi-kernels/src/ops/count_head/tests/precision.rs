//! Single precision against double.

use proptest::prelude::*;

use super::{Case, Kind, Outcome, mean};
use crate::ops::count_head::GeneLikelihood;
use crate::real::Real;
use crate::testing::{Draw, Mode, norm};

/// How many times that of one rounding of every input the effect of all roundings may be.
const ROUNDINGS: f64 = 10.0;
/// Ways of rounding every input that this is taken from.
const NUDGES: usize = 4;

fn widen<F: Real>(values: &[F]) -> Vec<f64> {
    values.iter().map(|v| v.to_f64()).collect()
}

/// ‖got - want‖
fn distance<F: Real>(got: &[F], want: &[f64]) -> f64 {
    let difference: Vec<f64> = widen(got).iter().zip(want).map(|(g, w)| g - w).collect();
    norm(&difference)
}

/// A case whose inputs single precision holds exactly, so that it alone is measured.
fn rounded(mut case: Case) -> Case {
    for v in case.parameters.values_mut().chain([&mut case.library, &mut case.h]) {
        v.iter_mut().for_each(|v| *v = *v as f32 as f64);
    }
    case
}

/// Every gradient's distance over its norm.
fn deviations<F: Real>(case: &Case, out: &Outcome<F>, want: &Outcome<f64>) -> Vec<f64> {
    let deviation = |got: &[F], want: &[f64]| match distance(got, want) {
        0.0 => 0.0,
        distance => distance / norm(want),
    };
    let each = out.parameters.iter().zip(&want.parameters);
    let mut all = vec![deviation(&out.dh, &want.dh)];
    all.extend(each.map(|(got, want)| deviation(&got.grad, &want.grad)));
    // A cell's terms, each about as large as its counts, may nearly cancel.
    let sizes: Vec<f64> = case.library.iter().map(|l| l.exp() / case.dims.cells as f64).collect();
    all.push(distance(&out.d_library, &want.d_library) / (norm(&want.d_library) + norm(&sizes)));
    all
}

/// The loss's deviation, relative to itself.
fn loss_deviation<F: Real>(out: &Outcome<F>, want: &Outcome<f64>) -> f64 {
    (mean(&widen(&out.nll)) / mean(&want.nll) - 1.0).abs()
}

/// The same case a few times, with every input off by up to one unit in the last place of single
/// precision.
///
/// A normal value close to its mean, or a share close to nothing, is told by the last digits: what
/// this moves, no single precision can know better.
fn nudges(case: &Case, seed: u64) -> impl Iterator<Item = Case> {
    let (mut draw, eps) = (Draw::new(seed ^ 2), f64::from(f32::EPSILON));
    (0..NUDGES).map(move |_| {
        let mut case = case.clone();
        for v in case.parameters.values_mut().chain([&mut case.library, &mut case.h]) {
            v.iter_mut().for_each(|v| *v *= 1.0 + draw.within(-eps, eps));
        }
        case
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn is_close_to_double(
        cells in 1usize..41,
        genes in 2usize..301,
        hidden in 1usize..20,
        kind in prop::sample::select(Kind::all()),
        seed in any::<u64>(),
    ) {
        // Normalised over two cells, values are ±1, and most of the gradient vanishes.
        let cells = if kind.norm { cells + 7 } else { cells };
        let case = rounded(Case::new([cells, genes, hidden], kind, seed));
        let (got, want) = (case.run::<f32>(Mode::Store), case.run::<f64>(Mode::Store));
        let found = deviations(&case, &got, &want);
        let nudged: Vec<_> = nudges(&case, seed).map(|c| c.run::<f64>(Mode::Store)).collect();
        let floor = |of: &dyn Fn(&Outcome<f64>) -> f64| {
            ROUNDINGS * nudged.iter().map(of).fold(0.0, f64::max)
        };
        let loss = loss_deviation(&got, &want);
        let allowed = 1e-5 + floor(&|out| loss_deviation(out, &want));
        prop_assert!(loss < allowed, "loss off by {:e}", loss);
        for (i, found) in found.into_iter().enumerate() {
            let allowed = 1e-4 + floor(&|out| deviations(&case, out, &want)[i]);
            prop_assert!(found < allowed, "gradient {} off by {:e}", i, found);
        }
    }

    /// θ from 1e-4 to 1e8, π from -30 to 30, shares down to e^-60, libraries up to a million.
    #[test]
    fn stays_finite_at_the_extremes(
        cells in 1usize..41,
        genes in 1usize..140,
        kind in prop::sample::select(Kind::all()),
        log_theta in prop::sample::select(vec![None, Some(1e-4f64.ln()), Some(1e8f64.ln())]),
        pi in prop::sample::select(vec![None, Some(-30.0), Some(30.0)]),
        seed in any::<u64>(),
    ) {
        let mut case = Case::new([cells, genes, 2], kind, seed);
        let mut draw = Draw::new(seed ^ 1);
        case.rows = draw.counts(cells, genes, 0.3, 1e6 / genes as f64);
        case.library = super::library(&case.rows);
        // Single precision knows a mean of a million to about 4. Counts do not feel that; a normal
        // value does, in standard deviations: where one is less, only finiteness can be asked for.
        let is_normal = kind.likelihood == GeneLikelihood::Normal;
        let smallest = if is_normal { 10f64.ln() } else { 1e-4f64.ln() };
        let (low, high) = (smallest, 1e8f64.ln());
        for px_r in ["px_r", "px_r bias", "px_r beta"] {
            case.fill(px_r, || log_theta.unwrap_or(draw.within(low, high)));
        }
        case.fill("px_r weight", || 0.0);
        case.fill("dropout weight", || 0.0);
        for pi_everywhere in ["dropout bias", "dropout beta"] {
            case.fill(pi_everywhere, || pi.unwrap_or(draw.within(-30.0, 30.0)));
        }
        for logit in ["scale bias", "scale beta"] {
            case.fill(logit, || draw.within(-30.0, 30.0));
        }
        let case = rounded(case);
        let (got, want) = (case.run::<f32>(Mode::Store), case.run::<f64>(Mode::Store));
        let finite = |v: &[f32]| v.iter().all(|v| v.is_finite());
        prop_assert!(finite(&got.nll) && finite(&got.dh) && finite(&got.d_library));
        prop_assert!(got.parameters.iter().all(|p| finite(&p.grad)));
        if log_theta.is_some_and(|log_theta| log_theta < smallest) {
            return Ok(());
        }
        // Shares this far apart make a loss of millions, which single precision holds to 1e-4
        // at the least.
        let want = mean(&want.nll);
        let floor = nudges(&case, seed)
            .map(|case| (mean(&case.run::<f64>(Mode::Store).nll) - want).abs())
            .fold(0.0, f64::max);
        let allowed = 1e-4 * want.abs() + 1.0 + ROUNDINGS * floor;
        prop_assert!((mean(&widen(&got.nll)) - want).abs() < allowed);
    }
}

/// px_r that training has driven off still gives numbers.
#[test]
fn stays_finite_where_the_dispersion_has_run_away() {
    for likelihood in [GeneLikelihood::Zinb, GeneLikelihood::Nb] {
        for px_r in [-1e4, -120.0, -88.0, -87.0, -60.0, 60.0, 88.0, 1e4] {
            let mut case = Case::new([17, 9, 2], Kind::new(likelihood), 4);
            case.fill("px_r", || px_r);
            let out = case.run::<f32>(Mode::Store);
            let all = out.parameters.iter().map(|p| &p.grad[..]).chain([
                &out.nll[..],
                &out.dh,
                &out.d_library,
            ]);
            for values in all {
                assert!(values.iter().all(|v| v.is_finite()), "{likelihood:?} px_r {px_r}");
            }
        }
    }
}
