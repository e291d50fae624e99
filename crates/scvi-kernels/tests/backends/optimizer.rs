//! Optimizer steps and clipping.

use proptest::prelude::*;
use scvi_kernels::ops::adam::AdamRule;
use scvi_kernels::{AdamIo, Backend};

use crate::common::{Case, Parameter, Results};

fn adam<B: Backend>(b: &B, seed: u64, n: usize) -> Results {
    let mut case = Case::new(b, seed);
    let mut parameter = case.random_parameter(n);
    let (start, masked) = (case.below(n), case.coin());
    let end = start + case.below(n - start + 1);
    let rule = AdamRule { lr: case.within(0.001, 0.5), ..AdamRule::default() };
    let step = rule.at_step(1 + seed % 7);
    let Parameter { value, grad, m, v, mask, .. } = &mut parameter;
    let mask = masked.then_some(&*mask);
    b.adam(AdamIo { value, grad, m, v, mask, step }, start..end);
    vec![("adam", case.read_parameter(&parameter))]
}

fn clipping<B: Backend>(b: &B, seed: u64, n: usize) -> Results {
    let mut case = Case::new(b, seed);
    let [mut by_norm, mut by_value] = [(); 2].map(|()| case.normal(n));
    let mut sum = case.out(1);
    b.sum_of_squares(&by_norm, n, &mut sum, false);
    let bound = case.within(0.1, 2.0) * (n as f64).sqrt();
    b.clip_by_norm(&mut by_norm, n, &sum, bound);
    let limit = case.within(0.1, 2.0);
    b.clip_by_value(&mut by_value, n, limit);
    vec![("clip_by_norm", case.read(&by_norm, n)), ("clip_by_value", case.read(&by_value, n))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn adam_agrees(seed in any::<u64>(), n in 1usize..40_000) {
        hold_to_reference!(adam, seed, n);
    }

    #[test]
    fn clipping_agrees(seed in any::<u64>(), n in 1usize..40_000) {
        hold_to_reference!(clipping, seed, n);
    }
}
