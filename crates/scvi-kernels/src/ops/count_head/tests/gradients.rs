//! Every gradient of the mean loss against finite differences, and every way to take it.

use super::{Case, LIKELIHOODS, mean};
use crate::testing::{Mode, check_gradient, check_sinks};

/// Tries one input of a case after the other.
fn check(case: &Case) {
    let out = case.run::<f64>(Mode::Store);
    let loss = |set: &dyn Fn(&mut Case)| {
        let mut moved = case.clone();
        set(&mut moved);
        mean(&moved.evaluate::<f64>().0)
    };
    let input = |name: &str, x: &[f64], grad: &[f64], set: fn(&mut Case, Vec<f64>)| {
        let name = format!("{name}, {}", case.name());
        check_gradient(&name, x, grad, |x| loss(&|case| set(case, x.to_vec())));
    };
    input("h", &case.h, &out.dh, |c, x| c.h = x);
    let mut gradients = out.parameters.iter().map(|p| &p.grad);
    let mut next = || gradients.next().unwrap();
    input("scale weight", &case.scale[0], next(), |c, x| c.scale[0] = x);
    input("scale bias", &case.scale[1], next(), |c, x| c.scale[1] = x);
    if case.likelihood.has_theta() {
        input("px_r", &case.px_r, next(), |c, x| c.px_r = x);
    }
    if case.likelihood.has_pi() {
        input("dropout weight", &case.dropout[0], next(), |c, x| c.dropout[0] = x);
        input("dropout bias", &case.dropout[1], next(), |c, x| c.dropout[1] = x);
    }
}

#[test]
fn agree_with_differences() {
    Case::all().for_each(|case| check(&case));
}

/// Beyond 64 blocks a part takes several: 65 blocks fall into 33 parts.
#[test]
fn agree_with_differences_where_parts_have_several_blocks() {
    check(&Case::new([3, 64 * 128 + 1, 2], LIKELIHOODS[0], 3, 5));
}

#[test]
fn every_sink_gets_the_same_gradient() {
    for shape in [[1, 2, 3], [17, 129, 5], [15, 300, 3]] {
        for (likelihood, groups) in LIKELIHOODS.into_iter().flat_map(|l| [(l, 1), (l, 3)]) {
            let case = Case::new(shape, likelihood, groups, 6);
            check_sinks(&case.parameters(), |parameters, mode| {
                let (mut head, mut batch) = (case.head(), case.batch());
                let (nll, dh) = case.run_in(&mut head, &mut batch, parameters, mode);
                [nll, dh].concat()
            });
        }
    }
}
