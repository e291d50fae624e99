//! Layer normalisation of a few hundred features: one thread, lanes over features.

use super::EPS;
use crate::LANES;
use crate::backend::LayerNormKept;
use crate::cpu::Cpu;
use crate::real::Real;
use crate::simd::vectorised;

pub(crate) fn layer_norm_cpu<F: Real>(
    x: &mut [F],
    [cells, features]: [usize; 2],
    normalised: &mut [F],
    inv_std: &mut [F],
) {
    let rows = x[..cells * features].chunks_exact_mut(features);
    let kept = normalised[..cells * features].chunks_exact_mut(features);
    let n = F::of(features as f64);
    vectorised(
        #[inline(always)]
        || {
            for ((row, hat), inv_std) in rows.zip(kept).zip(&mut inv_std[..cells]) {
                let mean = lane_sum(row, row, |v, _| v) / n;
                row.iter_mut().for_each(|v| *v -= mean);
                let var = lane_sum(row, row, |a, b| a * b) / n;
                *inv_std = F::ONE / (var + F::of(EPS)).sqrt();
                row.iter_mut().for_each(|v| *v *= *inv_std);
                hat.copy_from_slice(row);
            }
        },
    );
}

pub(crate) fn layer_norm_grad_cpu<F: Real>(
    kept: LayerNormKept<'_, Cpu<F>>,
    [cells, features]: [usize; 2],
    dy: &mut [F],
) {
    let rows = dy[..cells * features].chunks_exact_mut(features);
    let hats = kept.normalised[..cells * features].chunks_exact(features);
    let inv_n = F::of(1.0 / features as f64);
    vectorised(
        #[inline(always)]
        || {
            for ((row, hat), &inv_std) in rows.zip(hats).zip(&kept.inv_std[..cells]) {
                let mean = inv_n * lane_sum(row, row, |v, _| v);
                let along = inv_n * lane_sum(row, hat, |a, b| a * b);
                for (v, &hat) in row.iter_mut().zip(hat) {
                    *v = inv_std * (*v - mean - hat * along);
                }
            }
        },
    );
}

/// Σ term(a, b), a sum for each lane and then theirs in pairs: a single sum would not vectorise.
#[inline(always)]
fn lane_sum<F: Real>(a: &[F], b: &[F], term: impl Fn(F, F) -> F) -> F {
    let mut lanes = [F::ZERO; LANES];
    let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_lanes.remainder().iter().zip(b_lanes.remainder());
    for (a, b) in a_lanes.zip(b_lanes) {
        for lane in 0..LANES {
            lanes[lane] += term(a[lane], b[lane]);
        }
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    rest.fold(lanes[0], |sum, (&a, &b)| sum + term(a, b))
}
