//! Random numbers.

use super::Device;

/// Which noise: with the cells it fixes every number. See [`crate::Philox`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoiseKey {
    /// Seed of the run.
    pub seed: u64,
    /// What the noise is for.
    pub stream: u32,
    /// Which repetition (an epoch, a sample).
    pub draw: u32,
}

/// Noise of the cells of a minibatch.
pub trait NoiseOps: Device {
    /// Standard normal noise of the minibatch's cells: `out` is `(cells, width)`.
    /// See [`crate::ops::noise`].
    fn normal_noise(&self, key: NoiseKey, cells: &Self::Ids, dims: [usize; 2], out: &mut Self::Buf);
    /// Dropout factors, 0 or 1/(1-p): `out` is `(cells, width)`. See [`crate::ops::noise`].
    fn dropout_noise(
        &self,
        key: NoiseKey,
        cells: &Self::Ids,
        dims: [usize; 2],
        rate: f64,
        out: &mut Self::Buf,
    );
}
