//! Random numbers of one cell and gene.

use std::convert::Infallible;

use rand_chacha::rand_core::{TryRng, utils};
use scvi_kernels::{Philox, Stream};

/// A generator whose numbers belong to (seed, draw, cell, gene), and to nothing else: a count drawn
/// with it does not depend on its minibatch, on the order of cells and genes, or on threads.
///
/// The numbers are the words of [`Philox`] under the purpose [`Stream::Counts`].
#[derive(Debug, Clone)]
pub struct NoiseRng {
    philox: Philox,
    stream: u32,
    draw: u32,
    cell: u32,
    /// The block to ask for next.
    block: u32,
    words: [u32; 4],
    /// How many of `words` are taken.
    taken: usize,
}

impl NoiseRng {
    /// The noise of one cell and gene; `draw` tells repetitions apart. Genes are below 2³¹.
    pub fn new(seed: u64, draw: u32, cell: u32, gene: u32) -> Self {
        Self::of_stream(seed, Stream::Counts as u32 | gene, draw, cell)
    }

    /// The noise of another purpose.
    pub(crate) fn of_stream(seed: u64, stream: u32, draw: u32, cell: u32) -> Self {
        Self { philox: Philox::new(seed), stream, draw, cell, block: 0, words: [0; 4], taken: 4 }
    }
}

impl TryRng for NoiseRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        if self.taken == self.words.len() {
            self.words = self.philox.block(self.stream, self.draw, self.cell, self.block);
            self.block = self.block.wrapping_add(1);
            self.taken = 0;
        }
        self.taken += 1;
        Ok(self.words[self.taken - 1])
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        utils::next_u64_via_u32(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(bytes, || self.try_next_u32())
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::Rng;

    use super::*;

    #[test]
    fn words_are_those_of_philox_in_order() {
        let (seed, draw, cell, gene) = (9, 2, 5, 77);
        let stream = Stream::Counts as u32 + gene;
        let want: Vec<u32> =
            (0..3).flat_map(|block| Philox::new(seed).block(stream, draw, cell, block)).collect();
        let mut rng = NoiseRng::new(seed, draw, cell, gene);
        let got: Vec<u32> = (0..12).map(|_| rng.next_u32()).collect();
        assert_eq!(got, want);
        let mut rng = NoiseRng::new(seed, draw, cell, gene);
        assert_eq!(rng.next_u64(), want[0] as u64 | (want[1] as u64) << 32);
    }

    #[test]
    fn every_coordinate_has_noise_of_its_own() {
        let first = |seed, draw, cell, gene| NoiseRng::new(seed, draw, cell, gene).next_u64();
        let mut seen: Vec<u64> = (0..256)
            .map(|i| first(i & 3, (i >> 2 & 3) as u32, (i >> 4 & 3) as u32, (i >> 6) as u32))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 256);
    }
}
