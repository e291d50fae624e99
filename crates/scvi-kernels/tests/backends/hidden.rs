//! Normalisation and activation of hidden layers.

use proptest::prelude::*;
use scvi_kernels::ops::activation::Activation;
use scvi_kernels::{Backend, BatchNormEval, BatchNormKept, BatchNormState, LayerNormKept};

use crate::common::{Case, Results};

fn batch_norm<B: Backend>(b: &B, seed: u64, [cells, features]: [usize; 2]) -> Results {
    let (mut case, n) = (Case::new(b, seed), cells * features);
    let [mut gamma, mut beta] = [(); 2].map(|()| case.random_parameter(features));
    let (mut running_mean, mut running_var) = (case.normal(features), case.positive(features));
    let (mut x, mut dy, mut eval) = (case.normal(n), case.normal(n), case.normal(n));
    let (mut normalised, mut inv_std) = (case.out(n), case.out(features));
    let state = BatchNormState {
        gamma: &gamma.value,
        beta: &beta.value,
        running_mean: &mut running_mean,
        running_var: &mut running_var,
        momentum: 0.1,
        eps: 1e-3,
        normalised: &mut normalised,
        inv_std: &mut inv_std,
    };
    b.batch_norm_train(state, [cells, features], &mut x);
    let (running_mean, running_var) = (&running_mean, &running_var);
    let affine = BatchNormEval {
        gamma: &gamma.value,
        beta: &beta.value,
        running_mean,
        running_var,
        eps: 1e-3,
    };
    b.batch_norm_eval(affine, [cells, features], &mut eval);
    let kept = BatchNormKept { normalised: &normalised, inv_std: &inv_std };
    b.batch_norm_grad(kept, [cells, features], &mut dy, gamma.sink(), beta.sink());
    vec![
        ("train", case.read(&x, n)),
        ("eval", case.read(&eval, n)),
        ("dx", case.read(&dy, n)),
        ("running_mean", case.read(running_mean, features)),
        ("running_var", case.read(running_var, features)),
        ("gamma", case.read_parameter(&gamma)),
        ("beta", case.read_parameter(&beta)),
    ]
}

/// Batch normalisation of two leaves of one minibatch.
fn leaf_norm<B: Backend>(b: &B, seed: u64, cells: [usize; 2], features: usize) -> Results {
    let mut case = Case::new(b, seed);
    let [gamma, beta] = [(); 2].map(|()| case.normal(features));
    let (mut running_mean, mut running_var) = (case.normal(features), case.positive(features));
    let mut x = cells.map(|cells| case.normal(cells * features));
    let mut dy = cells.map(|cells| case.normal(cells * features));
    let mut moments = [(); 2].map(|()| [(); 2].map(|()| case.out(features)));
    for (leaf, [mean, squares]) in moments.iter_mut().enumerate() {
        b.batch_norm_moments(&x[leaf], [cells[leaf], features], [mean, squares]);
    }
    let [[mean, squares], others] = &mut moments;
    b.combine_moments([mean, squares], others.each_ref(), cells, features);
    let [mean, squares] = &moments[0];
    let n = cells[0] + cells[1];
    let mut kept = cells.map(|cells| (case.out(cells * features), case.out(features)));
    for (leaf, (normalised, inv_std)) in kept.iter_mut().enumerate() {
        let state = BatchNormState {
            gamma: &gamma,
            beta: &beta,
            running_mean: &mut running_mean,
            running_var: &mut running_var,
            // They move once in a step.
            momentum: if leaf == 0 { 0.1 } else { 0.0 },
            eps: 1e-3,
            normalised,
            inv_std,
        };
        let dims = [cells[leaf], features];
        b.batch_norm_by_moments(state, [mean, squares], n, dims, &mut x[leaf]);
    }
    let mut results = vec![
        ("mean", case.read(mean, features)),
        ("squares", case.read(squares, features)),
        ("running_mean", case.read(&running_mean, features)),
        ("running_var", case.read(&running_var, features)),
    ];
    for (leaf, (normalised, inv_std)) in kept.iter().enumerate() {
        let kept = || BatchNormKept { normalised, inv_std };
        let dims = [cells[leaf], features];
        let [mut dgamma, mut dbeta] = [(); 2].map(|()| case.out(features));
        b.batch_norm_sums(kept(), dims, &dy[leaf], [&mut dgamma, &mut dbeta]);
        b.batch_norm_grad_by_sums(kept(), &gamma, [&dgamma, &dbeta], n, dims, &mut dy[leaf]);
        let len = cells[leaf] * features;
        results.extend([
            ("x", case.read(&x[leaf], len)),
            ("dgamma", case.read(&dgamma, features)),
            ("dbeta", case.read(&dbeta, features)),
            ("dx", case.read(&dy[leaf], len)),
        ]);
    }
    results
}

fn layer_norm<B: Backend>(b: &B, seed: u64, [cells, features]: [usize; 2]) -> Results {
    let (mut case, n) = (Case::new(b, seed), cells * features);
    let (mut x, mut dy) = (case.normal(n), case.normal(n));
    let (mut normalised, mut inv_std) = (case.out(n), case.out(cells));
    b.layer_norm(&mut x, [cells, features], &mut normalised, &mut inv_std);
    let kept = LayerNormKept { normalised: &normalised, inv_std: &inv_std };
    b.layer_norm_grad(kept, [cells, features], &mut dy);
    vec![("x", case.read(&x, n)), ("dx", case.read(&dy, n))]
}

const ACTIVATIONS: [Activation; 8] = [
    Activation::Relu,
    Activation::LeakyRelu,
    Activation::Elu,
    Activation::Gelu,
    Activation::Silu,
    Activation::Tanh,
    Activation::Softplus,
    Activation::Identity,
];

fn activation<B: Backend>(b: &B, seed: u64, n: usize, function: Activation) -> Results {
    let mut case = Case::new(b, seed);
    let wide: Vec<f64> = case.normals(n).iter().map(|v| 6.0 * v).collect();
    let (mut x, factors, mut dy) = (case.buf(&wide), case.positive(n), case.normal(n));
    let (mut gate, dropout) = (case.out(n), case.coin());
    b.activate(&mut x, function, dropout.then_some(&factors), &mut gate, n);
    b.gate_grad(&mut dy, &gate, n);
    vec![("x", case.read(&x, n)), ("gate", case.read(&gate, n)), ("dx", case.read(&dy, n))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn batch_norm_agrees(seed in any::<u64>(), dims in [1usize..90, 1usize..90]) {
        hold_to_reference!(batch_norm, seed, dims);
    }

    #[test]
    fn leaf_norm_agrees(
        seed in any::<u64>(), cells in [1usize..90, 1usize..90], features in 1usize..90,
    ) {
        hold_to_reference!(leaf_norm, seed, cells, features);
    }

    #[test]
    fn layer_norm_agrees(seed in any::<u64>(), dims in [1usize..90, 1usize..90]) {
        hold_to_reference!(layer_norm, seed, dims);
    }

    #[test]
    fn activations_agree(seed in any::<u64>(), n in 1usize..2000) {
        for function in ACTIVATIONS {
            hold_to_reference!(activation, seed, n, function);
        }
    }
}
