//! Counter-based noise: every random number belongs to a seed, a purpose, a draw and a cell.
//!
//! Philox 4x32 with 10 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
//! 1, 2, 3", SC 2011). A number does not depend on which thread asks for it, nor on what was asked
//! for before: the same seed gives the same model for any number of threads and any chunking.

/// What a random number is for. Two purposes never share a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
#[non_exhaustive]
pub enum Stream {
    /// The draw of z from its posterior.
    Latent = 1,
    /// Dropout of the encoder's first hidden layer; layer i uses `Dropout + i`.
    Dropout = 0x100,
    /// The order of cells within an epoch.
    Shuffle = 2,
    /// The order of blocks of cells within an epoch.
    Blocks = 9,
    /// The split into training and validation cells.
    Split = 3,
    /// Initial weights.
    Init = 4,
    /// Simulated data.
    Simulate = 5,
    /// The draw of an inferred library from its posterior.
    Library = 6,
    /// Dropout of the library's encoder; layer i uses `LibraryDropout + i`.
    LibraryDropout = 0x200,
    /// The draw of z2 from its posterior, for each label; as wide as all of them.
    SecondLevel = 10,
    /// Dropout of z2's encoder; layer i uses `SecondLevelDropout + i`.
    SecondLevelDropout = 0x300,
    /// Dropout of the classifier on z; layer i uses `ClassifierDropout + i`.
    ClassifierDropout = 0x400,
    /// Dropout of the encoder on labelled cells; layer i uses `LabelledDropout + i`.
    LabelledDropout = 0x500,
    /// Dropout of the classifier on labelled cells; layer i uses `LabelledClassifierDropout + i`.
    LabelledClassifierDropout = 0x600,
    /// Cells that are chosen at random.
    Chosen = 7,
    /// Draws of components and of their distribution, from an aggregated posterior.
    Posterior = 8,
    /// The cells that samples of a group are drawn from.
    Select = 0x20,
    /// Pairs of samples that are compared.
    Pairs = 0x21,
    /// Samples drawn again by their weights.
    Resample = 0x22,
    /// Cells that samples are weighed by.
    Anchors = 0x23,
    /// Where the search for outliers starts.
    Outliers = 0x24,
    /// Where a layout in the plane starts (draw 0), and whom cells are pushed from in each epoch.
    Layout = 0x25,
    /// Draws of counts; gene g uses `Counts + g`, for g below 2³¹.
    Counts = 0x8000_0000,
}

/// The generator: a pure function of key and counter.
#[derive(Debug, Clone, Copy)]
pub struct Philox {
    key: [u32; 2],
}

impl Philox {
    /// A generator for one seed.
    pub fn new(seed: u64) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32] }
    }

    /// Four independent 32-bit words for one counter.
    #[inline(always)]
    pub fn words(&self, counter: [u32; 4]) -> [u32; 4] {
        self.lanes(counter.map(|word| [word])).map(|[word]| word)
    }

    /// The words of several counters side by side, whose arithmetic vectorises.
    #[inline(always)]
    fn lanes<const N: usize>(&self, mut words: [[u32; N]; 4]) -> [[u32; N]; 4] {
        let mut k = self.key;
        for _ in 0..10 {
            let [a, b, c, d] = &mut words;
            for i in 0..N {
                let p0 = 0xD251_1F53u64 * a[i] as u64;
                let p1 = 0xCD9E_8D57u64 * c[i] as u64;
                a[i] = (p1 >> 32) as u32 ^ b[i] ^ k[0];
                b[i] = p1 as u32;
                c[i] = (p0 >> 32) as u32 ^ d[i] ^ k[1];
                d[i] = p0 as u32;
            }
            k = [k[0].wrapping_add(0x9E37_79B9), k[1].wrapping_add(0xBB67_AE85)];
        }
        words
    }

    /// The words of `(stream, draw, item)`, four for each `block`.
    ///
    /// `item` is a cell, a gene or a position; `draw` tells repeated draws for it apart (an epoch,
    /// a sample).
    #[inline(always)]
    pub fn block(&self, stream: u32, draw: u32, item: u32, block: u32) -> [u32; 4] {
        self.words([block, item, draw, stream])
    }

    /// The words of `N` blocks from `first` on: word `w` of block `first + i` is `[w][i]`.
    #[inline(always)]
    pub(crate) fn blocks<const N: usize>(
        &self,
        stream: u32,
        draw: u32,
        item: u32,
        first: u32,
    ) -> [[u32; N]; 4] {
        let block = std::array::from_fn(|i| first.wrapping_add(i as u32));
        self.lanes([block, [item; N], [draw; N], [stream; N]])
    }

    /// A uniform number in [0, 1) with 53 bits.
    pub fn uniform(&self, stream: u32, draw: u32, item: u32, block: u32) -> f64 {
        let w = self.block(stream, draw, item, block);
        ((w[0] as u64) << 21 | (w[1] as u64) >> 11) as f64 * 2f64.powi(-53)
    }

    /// Two independent standard normal numbers (Box and Muller 1958).
    #[inline(always)]
    pub fn normal_pair(&self, stream: u32, draw: u32, item: u32, block: u32) -> [f64; 2] {
        let w = self.block(stream, draw, item, block);
        // (0, 1], so that the logarithm is finite
        let u = (w[0] as f64 + 1.0) * 2f64.powi(-32);
        let radius = (-2.0 * u.ln()).sqrt();
        let (sin, cos) = (w[1] as f64 * 2f64.powi(-32) * std::f64::consts::TAU).sin_cos();
        [radius * cos, radius * sin]
    }

    /// A uniformly random order of `0..n` (Fisher and Yates), for one stream and draw.
    pub fn permutation(&self, stream: Stream, draw: u32, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        self.shuffle(stream, draw, &mut order);
        order
    }

    /// Brings `items` into a uniformly random order (Fisher and Yates), for one stream and draw.
    pub fn shuffle<T>(&self, stream: Stream, draw: u32, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let u = self.uniform(stream as u32, draw, i as u32, 0);
            // u < 1 and i + 1 < 2^53, so the product is below i + 1
            items.swap(i, (u * (i + 1) as f64) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers published with the Random123 library.
    #[test]
    fn agrees_with_the_published_known_answers() {
        let zero = Philox::new(0).words([0; 4]);
        assert_eq!(zero, [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let ones = Philox::new(u64::MAX).words([u32::MAX; 4]);
        assert_eq!(ones, [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let pi = Philox { key: [0xa409_3822, 0x299f_31d0] };
        let words = pi.words([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344]);
        assert_eq!(words, [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
    }

    #[test]
    fn normal_numbers_have_their_moments() {
        let g = Philox::new(7);
        let n = 40_000;
        let x: Vec<f64> = (0..n).flat_map(|i| g.normal_pair(1, 0, i, 0)).collect();
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let var = x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64;
        let kurtosis = x.iter().map(|v| v.powi(4)).sum::<f64>() / x.len() as f64;
        // four standard errors
        assert!(mean.abs() < 4.0 / (2.0 * n as f64).sqrt());
        assert!((var - 1.0).abs() < 4.0 * (2.0 / (2.0 * n as f64)).sqrt());
        assert!((kurtosis - 3.0).abs() < 4.0 * (96.0 / (2.0 * n as f64)).sqrt());
    }

    #[test]
    fn a_permutation_holds_every_item_once_and_changes_with_the_draw() {
        let g = Philox::new(3);
        let a = g.permutation(Stream::Shuffle, 0, 1000);
        let mut sorted = a.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(i, &v)| i == v as usize));
        assert_ne!(a, g.permutation(Stream::Shuffle, 1, 1000));
        assert_eq!(a, g.permutation(Stream::Shuffle, 0, 1000));
    }
}
