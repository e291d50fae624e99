//! What must not show: the number of threads, and what a workspace held before.

use super::{Case, LIKELIHOODS, Outcome};
use crate::testing::{Mode, bits, same_in_every_pool};
use crate::{Backend, Cpu};

fn numbers(out: &Outcome<f32>) -> Vec<f32> {
    let gradients = out.parameters.iter().flat_map(|p| p.grad.iter().copied());
    out.nll.iter().chain(&out.dh).copied().chain(gradients).collect()
}

#[test]
fn threads_do_not_show() {
    for (likelihood, groups) in LIKELIHOODS.into_iter().flat_map(|l| [(l, 1), (l, 3)]) {
        for shape in [[37, 1000, 9], [3, 64 * 128 + 1, 2]] {
            let case = Case::new(shape, likelihood, groups, 1);
            same_in_every_pool(|| numbers(&case.run(Mode::Store)));
        }
    }
}

/// 40 cells, then 13 in the same workspace, are the same bits as 13 in a fresh one.
#[test]
fn a_larger_minibatch_before_does_not_show() {
    for (likelihood, groups) in LIKELIHOODS.into_iter().flat_map(|l| [(l, 1), (l, 3)]) {
        let large = Case::new([40, 300, 5], likelihood, groups, 2);
        for cells in [1, 13, 16, 33] {
            let small = Case::new([cells, 300, 5], likelihood, groups, 3);
            let (mut head, mut batch) = (large.head::<f32>(), large.batch());
            large.run_in(&mut head, &mut batch, &mut large.parameters(), Mode::Store);
            let mut parameters = small.parameters();
            let (nll, dh) = small.run_in(&mut head, &mut batch, &mut parameters, Mode::Store);
            let used = Outcome { nll, dh, parameters };
            let fresh = small.run(Mode::Store);
            assert_eq!(bits(&numbers(&used)), bits(&numbers(&fresh)), "{}", small.name());
            let shares = |head| bits(&Cpu::new().head_scale(head, small.dims));
            let mut fresh_head = small.head();
            let mut parameters = small.parameters();
            small.run_in(&mut fresh_head, &mut small.batch(), &mut parameters, Mode::Store);
            assert_eq!(shares(&head), shares(&fresh_head), "{}", small.name());
        }
    }
}
