//! Noise.

use super::Cpu;
use crate::aligned::Aligned;
use crate::backend::{NoiseKey, NoiseOps};
use crate::ops::noise::{dropout_noise_cpu, normal_noise_cpu};
use crate::real::Real;

impl<F: Real> NoiseOps for Cpu<F> {
    fn normal_noise(
        &self,
        key: NoiseKey,
        cells: &Vec<u32>,
        dims: [usize; 2],
        out: &mut Aligned<F>,
    ) {
        normal_noise_cpu(key, &cells[..dims[0]], dims[1], out);
    }

    fn dropout_noise(
        &self,
        key: NoiseKey,
        cells: &Vec<u32>,
        dims: [usize; 2],
        rate: f64,
        out: &mut Aligned<F>,
    ) {
        dropout_noise_cpu(key, &cells[..dims[0]], dims[1], rate, out);
    }
}
