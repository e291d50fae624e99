//! Transfers, sums and noise.

use proptest::prelude::*;
use scvi_kernels::{Backend, NoiseKey};

use crate::common::{Case, Results};

fn transfers<B: Backend>(b: &B, seed: u64, n: usize) -> Results {
    let mut case = Case::new(b, seed);
    let (x, mut y) = (case.normal(n), case.out(n));
    b.copy(&x, &mut y, n / 2);
    let finite = [b.is_finite(&y, n / 2), b.is_finite(&y, n)];
    let (mut sum, accumulate) = (case.normal(1), case.coin());
    b.sum_of_squares(&x, n, &mut sum, accumulate);
    vec![
        ("copy", case.read(&y, n)[..n / 2].to_vec()),
        ("sum", vec![b.sum(&x, n)]),
        ("is_finite", finite.map(|yes| f64::from(u8::from(yes))).to_vec()),
        ("sum_of_squares", case.read(&sum, 1)),
    ]
}

fn noise<B: Backend>(b: &B, seed: u64, [cells, width]: [usize; 2], rate: f64) -> Results {
    let mut case = Case::new(b, seed);
    let ids = case.ids(cells, 1 << 20);
    let key = NoiseKey { seed, stream: 5, draw: 9 };
    let [mut normal, mut dropout] = [(); 2].map(|()| case.out(cells * width));
    b.normal_noise(key, &ids, [cells, width], &mut normal);
    b.dropout_noise(key, &ids, [cells, width], rate, &mut dropout);
    vec![
        ("normal_noise", case.read(&normal, cells * width)),
        ("dropout_noise", case.read(&dropout, cells * width)),
    ]
}

fn library<B: Backend>(b: &B, seed: u64, [cells, genes]: [usize; 2]) -> Results {
    let mut case = Case::new(b, seed);
    let counts = case.counts(cells, genes, 0.2);
    let library = b.download(b.library(&counts), cells);
    vec![("library", library.iter().map(|v| scvi_kernels::Real::to_f64(*v)).collect())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn memory_agrees(seed in any::<u64>(), n in 1usize..40_000) {
        hold_to_reference!(transfers, seed, n);
    }

    #[test]
    fn noise_agrees(
        seed in any::<u64>(),
        dims in [1usize..70, 1usize..70],
        rate in 0.01..0.99,
    ) {
        hold_to_reference!(noise, seed, dims, rate);
    }

    #[test]
    fn libraries_agree(seed in any::<u64>(), dims in [1usize..70, 1usize..300]) {
        hold_to_reference!(library, seed, dims);
    }
}
