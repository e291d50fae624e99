//! Noise that belongs to the cell.

use super::Reference;
use crate::backend::{NoiseKey, NoiseOps};
use crate::real::Real;
use crate::rng::Philox;

impl<F: Real> NoiseOps for Reference<F> {
    /// Number j of a cell is number j mod 2 of its pair j/2.
    fn normal_noise(
        &self,
        key: NoiseKey,
        cells: &Vec<u32>,
        [n, width]: [usize; 2],
        out: &mut Vec<F>,
    ) {
        let philox = Philox::new(key.seed);
        for c in 0..n {
            for j in 0..width {
                let pair = philox.normal_pair(key.stream, key.draw, cells[c], (j / 2) as u32);
                out[c * width + j] = F::of(pair[j % 2]);
            }
        }
    }

    /// Number j of a cell is 0 if word j mod 4 of its block j/4 is below p 2³², else 1/(1-p).
    fn dropout_noise(
        &self,
        key: NoiseKey,
        cells: &Vec<u32>,
        [n, width]: [usize; 2],
        rate: f64,
        out: &mut Vec<F>,
    ) {
        let philox = Philox::new(key.seed);
        let bound = (rate * 2f64.powi(32)).floor();
        for c in 0..n {
            for j in 0..width {
                let words = philox.block(key.stream, key.draw, cells[c], (j / 4) as u32);
                let is_dropped = f64::from(words[j % 4]) < bound;
                out[c * width + j] = F::of(if is_dropped { 0.0 } else { 1.0 / (1.0 - rate) });
            }
        }
    }
}
