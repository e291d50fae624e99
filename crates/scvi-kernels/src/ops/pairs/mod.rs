//! Statistics of a gene over pairs of samples, one from each of two groups of cells.
//!
//! With the pairs (a, b) of one gene's px_scale and the pseudocount c:
//! ```text
//! lfc = log2((a + c) / (b + c))        the log fold change, log2(a + c) - log2(b + c)
//! ```
//! Sums are taken in double precision, over lanes in a fixed order.

#[cfg(test)]
mod tests;

use crate::LANES;
use crate::real::Real;
use crate::simd::vectorised;

/// `out_i = values[index_i]`.
///
/// # Panics
/// If an index is out of range.
pub fn gather<F: Real>(values: &[F], index: &[u32], out: &mut Vec<F>) {
    out.clear();
    out.extend(index.iter().map(|&i| values[i as usize]));
}

/// Number of pairs with a > b.
pub fn count_above<F: Real>(a: &[F], b: &[F]) -> usize {
    count(a, b, |a, b| a > b)
}

/// Numbers of pairs with lfc ≥ delta and with lfc < -delta, for delta ≥ 0; no logarithm is needed.
pub fn count_changes<F: Real>(a: &[F], b: &[F], pseudocount: f64, delta: f64) -> [usize; 2] {
    let (c, factor) = (F::of(pseudocount), F::of(delta.exp2()));
    let up = count(
        a,
        b,
        #[inline(always)]
        |a, b| a + c >= factor * (b + c),
    );
    let down = count(
        a,
        b,
        #[inline(always)]
        |a, b| factor * (a + c) < b + c,
    );
    [up, down]
}

fn count<F: Real>(a: &[F], b: &[F], holds: impl Fn(F, F) -> bool) -> usize {
    /// Pairs whose 32-bit counts cannot overflow.
    const CHUNK: usize = 1 << 24;
    let chunks = a.chunks(CHUNK).zip(b.chunks(CHUNK));
    vectorised(
        #[inline(always)]
        || {
            let in_chunk = |(a, b): (&[F], &[F])| {
                a.iter().zip(b).map(|(&a, &b)| u32::from(holds(a, b))).sum::<u32>() as usize
            };
            chunks.map(in_chunk).sum()
        },
    )
}

/// The log fold change of each pair.
pub fn log_fold_changes<F: Real>(a: &[F], b: &[F], pseudocount: f64, out: &mut Vec<F>) {
    let (c, bits) = (F::of(pseudocount), F::of(std::f64::consts::LOG2_E));
    out.clear();
    out.resize(a.len().min(b.len()), F::ZERO);
    vectorised(
        #[inline(always)]
        || {
            for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *out = ((a + c) / (b + c)).ln() * bits;
            }
        },
    );
}

/// Σ values.
pub fn sum<F: Real>(values: &[F]) -> f64 {
    vectorised(
        #[inline(always)]
        || lane_sum(values, |v| v),
    )
}

/// The largest value; -∞ where there is none.
pub fn largest<F: Real>(values: &[F]) -> F {
    extreme(values, F::of(f64::NEG_INFINITY), |v, largest| v > largest)
}

fn extreme<F: Real>(values: &[F], start: F, beats: impl Fn(F, F) -> bool) -> F {
    vectorised(
        #[inline(always)]
        || {
            let mut lanes = [start; LANES];
            let pick = |lane: &mut F, v: F| *lane = if beats(v, *lane) { v } else { *lane };
            let (chunks, rest) = values.as_chunks::<LANES>();
            for chunk in chunks {
                for i in 0..LANES {
                    pick(&mut lanes[i], chunk[i]);
                }
            }
            rest.iter().for_each(|&v| pick(&mut lanes[0], v));
            let mut found = start;
            lanes.iter().for_each(|&v| pick(&mut found, v));
            found
        },
    )
}

/// Mean, spread and extremes of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Mean.
    pub mean: f64,
    /// Standard deviation, √(Σ (x - mean)² / n).
    pub std: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

impl Moments {
    /// Of at least one value; NaN and infinite where there is none.
    pub fn of<F: Real>(values: &[F]) -> Self {
        let n = values.len() as f64;
        let mean = sum(values) / n;
        let squares = vectorised(
            #[inline(always)]
            || {
                lane_sum(
                    values,
                    #[inline(always)]
                    |v| (v - mean) * (v - mean),
                )
            },
        );
        let min = extreme(values, F::of(f64::INFINITY), |v, smallest| v < smallest);
        let max = largest(values);
        Self { mean, std: (squares / n).sqrt(), min: min.to_f64(), max: max.to_f64() }
    }
}

/// Σ f(x), lane by lane.
#[inline(always)]
fn lane_sum<F: Real>(values: &[F], term: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] += term(chunk[i].to_f64());
        }
    }
    let rest: f64 = rest.iter().map(|&v| term(v.to_f64())).sum();
    lanes.iter().sum::<f64>() + rest
}
