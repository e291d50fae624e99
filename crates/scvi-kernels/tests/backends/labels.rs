//! Labels, known and unknown.

use proptest::prelude::*;
use scvi_kernels::ops::cross_entropy::CrossEntropy;
use scvi_kernels::ops::label_mixture::{LabelMixture, LabelMixtureGrad};
use scvi_kernels::ops::normal_log_prob::{NormalLogProb, NormalLogProbGrad};
use scvi_kernels::ops::repeat::RepeatDims;
use scvi_kernels::{Backend, Real};

use crate::common::{Case, Results};

fn repeat<B: Backend>(b: &B, seed: u64, [rows, times, width]: [usize; 3]) -> Results {
    let (mut case, dims) = (Case::new(b, seed), RepeatDims { rows, times, width });
    let (x, dy) = (case.normal(rows * width), case.normal(rows * times * width));
    let (mut y, mut dx) = (case.out(rows * times * width), case.normal(rows * width));
    b.repeat_rows(&x, &mut y, dims);
    b.repeat_rows_grad(&dy, &mut dx, dims);
    vec![("y", case.read(&y, rows * times * width)), ("dx", case.read(&dx, rows * width))]
}

fn log_prob<B: Backend>(b: &B, seed: u64, [rows, times, width]: [usize; 3]) -> Results {
    let (mut case, dims) = (Case::new(b, seed), RepeatDims { rows, times, width });
    let (own, n) = (rows * width, rows * times * width);
    let (x, mean, var) = (case.normal(own), case.normal(n), case.positive(n));
    let factors = case.normal(rows * times);
    let factored = case.coin();
    let mut log_prob = case.out(rows * times);
    let io = NormalLogProb { x: &x, mean: &mean, var: &var, log_prob: &mut log_prob };
    b.normal_log_prob(io, dims);
    let (mut dx, mut d_mean, mut d_var) = (case.normal(own), case.out(n), case.out(n));
    let io = NormalLogProbGrad {
        x: &x,
        mean: &mean,
        var: &var,
        weight: B::Elem::of(0.3),
        factors: factored.then_some(&factors),
        dx: &mut dx,
        d_mean: &mut d_mean,
        d_var: &mut d_var,
    };
    b.normal_log_prob_grad(io, dims);
    vec![
        ("log_prob", case.read(&log_prob, rows * times)),
        ("dx", case.read(&dx, own)),
        ("d_mean", case.read(&d_mean, n)),
        ("d_var", case.read(&d_var, n)),
    ]
}

fn mixture<B: Backend>(b: &B, seed: u64, dims: [usize; 2]) -> Results {
    let (mut case, [cells, labels]) = (Case::new(b, seed), dims);
    let n = cells * labels;
    let [logits, log_prob, kl] = [(); 3].map(|()| case.normal(n));
    let (log_q, prior) = (case.normal(cells), case.positive(labels));
    let (mut probabilities, mut d_logits) = (case.out(n), case.out(n));
    let (mut reconstruction_loss, mut kl_local) = (case.normal(cells), case.out(cells));
    let with_grad = case.coin();
    let grad = LabelMixtureGrad {
        weight: B::Elem::of(0.3),
        kl_weight: B::Elem::of(0.6),
        d_logits: &mut d_logits,
    };
    let io = LabelMixture {
        logits: &logits,
        log_prob: &log_prob,
        kl: &kl,
        log_q: &log_q,
        prior: &prior,
        probabilities: &mut probabilities,
        reconstruction_loss: &mut reconstruction_loss,
        kl_local: &mut kl_local,
        grad: with_grad.then_some(grad),
    };
    b.label_mixture(io, dims);
    let mut results = vec![
        ("probabilities", case.read(&probabilities, n)),
        ("reconstruction_loss", case.read(&reconstruction_loss, cells)),
        ("kl_local", case.read(&kl_local, cells)),
    ];
    if with_grad {
        results.push(("d_logits", case.read(&d_logits, n)));
    }
    results
}

fn cross_entropy<B: Backend>(b: &B, seed: u64, dims: [usize; 2]) -> Results {
    let (mut case, [cells, n_labels]) = (Case::new(b, seed), dims);
    let logits = case.normal(cells * n_labels);
    let codes: Vec<u32> = (0..cells).map(|_| case.below(n_labels) as u32).collect();
    let mut labels = b.ids(cells);
    b.upload_ids(&mut labels, &codes);
    let (mut losses, mut du) = (case.out(cells), case.out(cells * n_labels));
    let grad = Some((B::Elem::of(0.3), &mut du));
    let io = CrossEntropy { logits: &logits, labels: &labels, losses: &mut losses, grad };
    b.cross_entropy(io, dims);
    vec![("losses", case.read(&losses, cells)), ("du", case.read(&du, cells * n_labels))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn labels_agree(
        seed in any::<u64>(),
        dims in [1usize..40, 1usize..20],
        repeated in [1usize..30, 1usize..12, 1usize..20],
    ) {
        hold_to_reference!(repeat, seed, repeated);
        hold_to_reference!(log_prob, seed, repeated);
        hold_to_reference!(mixture, seed, dims);
        hold_to_reference!(cross_entropy, seed, dims);
    }
}
