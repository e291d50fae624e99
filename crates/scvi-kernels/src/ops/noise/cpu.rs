//! Noise over the cells of a minibatch.

use crate::LANES;
use crate::backend::NoiseKey;
use crate::ops::{Rows, in_parts};
use crate::real::Real;
use crate::rng::Philox;
use crate::simd::vectorised;

/// Cells of one task.
const CELLS: usize = 32;

pub(crate) fn normal_noise_cpu<F: Real>(key: NoiseKey, cells: &[u32], width: usize, out: &mut [F]) {
    let philox = Philox::new(key.seed);
    for (row, &cell) in out.chunks_exact_mut(width).zip(cells) {
        for (k, pair) in row.chunks_mut(2).enumerate() {
            let normal = philox.normal_pair(key.stream, key.draw, cell, k as u32);
            for (out, x) in pair.iter_mut().zip(normal) {
                *out = F::of(x);
            }
        }
    }
}

pub(crate) fn dropout_noise_cpu<F: Real>(
    key: NoiseKey,
    cells: &[u32],
    width: usize,
    rate: f64,
    out: &mut [F],
) {
    let philox = Philox::new(key.seed);
    let drop_below = (rate * 2f64.powi(32)) as u32;
    let kept = F::of(1.0 / (1.0 - rate));
    let out = Rows::new(&mut out[..cells.len() * width], width);
    in_parts(cells.len(), CELLS, out, &|range, out: Rows<F>| {
        vectorised(
            #[inline(always)]
            || {
                for (row, &cell) in out.data.chunks_exact_mut(width).zip(&cells[range.clone()]) {
                    for (k, part) in row.chunks_mut(4 * LANES).enumerate() {
                        let first = (k * LANES) as u32;
                        let words = philox.blocks::<LANES>(key.stream, key.draw, cell, first);
                        for (i, four) in part.chunks_mut(4).enumerate() {
                            for (out, words) in four.iter_mut().zip(&words) {
                                *out = if words[i] < drop_below { F::ZERO } else { kept };
                            }
                        }
                    }
                }
            },
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: NoiseKey = NoiseKey { seed: 5, stream: 1, draw: 2 };

    #[test]
    fn a_cell_keeps_its_noise_in_another_minibatch() {
        let (mut a, mut b) = (vec![0f32; 3 * 7], vec![0f32; 2 * 7]);
        normal_noise_cpu(KEY, &[4, 9, 2], 7, &mut a);
        normal_noise_cpu(KEY, &[2, 4], 7, &mut b);
        assert_eq!(a[14..], b[..7]);
        assert_eq!(a[..7], b[7..]);
        assert!(a.iter().all(|v| v.is_finite()));
    }

    #[test]
    fn dropout_keeps_its_share_and_its_mean() {
        let cells: Vec<u32> = (0..200).collect();
        let mut out = vec![0f32; 200 * 101];
        dropout_noise_cpu(KEY, &cells, 101, 0.3, &mut out);
        let kept = out.iter().filter(|&&v| v > 0.0).count() as f64 / out.len() as f64;
        let standard_error = (0.3f64 * 0.7 / out.len() as f64).sqrt();
        assert!((kept - 0.7).abs() < 4.0 * standard_error);
        assert!(out.iter().all(|&v| v == 0.0 || v == (1.0 / 0.7) as f32));
    }

    #[test]
    fn dropout_takes_the_words_of_its_cell_in_their_order() {
        let (cells, width, rate) = ([3u32, 70_000], 4 * LANES * 2 + 7, 0.4);
        let mut out = vec![0f64; cells.len() * width];
        dropout_noise_cpu(KEY, &cells, width, rate, &mut out);
        let philox = Philox::new(KEY.seed);
        for (row, &cell) in out.chunks_exact(width).zip(&cells) {
            for (i, &factor) in row.iter().enumerate() {
                let word = philox.block(KEY.stream, KEY.draw, cell, (i / 4) as u32)[i % 4];
                let dropped = (word as f64) < (rate * 2f64.powi(32)).floor();
                assert_eq!(factor, if dropped { 0.0 } else { 1.0 / (1.0 - rate) }, "number {i}");
            }
        }
    }

    #[test]
    fn threads_do_not_show_in_dropout() {
        let cells: Vec<u32> = (0..77).rev().collect();
        crate::testing::same_in_every_pool(|| {
            let mut out = vec![0f32; 77 * 13];
            dropout_noise_cpu(KEY, &cells, 13, 0.3, &mut out);
            out
        });
    }
}
