//! Every gradient of the mean loss against finite differences, and every way to take it.

use super::{Case, Kind};
use crate::ops::count_head::GeneLikelihood;
use crate::testing::{Mode, assert_near, check_gradient, check_sinks, norm};

/// Tries one input of a case after the other.
fn check(case: &Case) {
    let out = case.run::<f64>(Mode::Store);
    let loss = |set: &dyn Fn(&mut Case)| {
        let mut moved = case.clone();
        set(&mut moved);
        moved.loss()
    };
    let check = |name: &str, x: &[f64], grad: &[f64], set: &dyn Fn(&mut Case, Vec<f64>)| {
        let name = format!("{name}, {}", case.name());
        check_gradient(&name, x, grad, |x| loss(&|case| set(case, x.to_vec())));
    };
    check("h", &case.h, &out.dh, &|c, x| c.h = x);
    check("library", &case.library, &out.d_library, &|c, x| c.library = x);
    for ((name, value), parameter) in case.parameters.iter().zip(&out.parameters) {
        let gradient = case.gradient(name, parameter);
        check(name, value, &gradient, &|c, x| *c.parameters.get_mut(name).unwrap() = x);
    }
}

#[test]
fn agree_with_differences() {
    Case::all().for_each(|case| check(&case));
}

/// Beyond 64 blocks a part takes several: 65 blocks fall into 33 parts.
#[test]
fn agree_with_differences_where_parts_have_several_blocks() {
    check(&Case::new([3, 64 * 256 + 1, 2], Kind::new(GeneLikelihood::Zinb), 5));
}

#[test]
fn every_sink_gets_the_same_gradient() {
    for [cells, genes, hidden] in [[1, 2, 3], [17, 129, 5], [15, 300, 3]] {
        // A bias before a normalisation has no gradient, and neither has anything that is
        // normalised over one cell.
        for kind in Kind::all().into_iter().map(|kind| Kind { bias: !kind.norm, ..kind }) {
            let cells = if kind.norm { cells + 2 } else { cells };
            let case = Case::new([cells, genes, hidden], kind, 6);
            check_sinks(&case.fresh_parameters(), |parameters, mode| {
                let out =
                    case.run_in(&mut case.head(), &mut case.batch(), parameters.to_vec(), mode);
                parameters.clone_from_slice(&out.parameters);
                [out.nll, out.dh, out.d_library].concat()
            });
        }
    }
}

#[test]
fn a_bias_before_a_normalisation_has_no_gradient() {
    let kind = Kind { norm: true, ..Kind::new(GeneLikelihood::Zinb) };
    let case = Case::new([17, 300, 5], kind, 7);
    for ((name, value), parameter) in
        case.parameters.iter().zip(case.run::<f32>(Mode::Store).parameters)
    {
        let none = parameter.grad.iter().all(|&g| g == 0.0);
        assert_eq!(none, name.ends_with("bias"), "{name}, {} numbers", value.len());
    }
}

#[test]
fn where_the_input_is_zero_its_gradient_can_be_left_out() {
    for shape in [[40, 300, 37], [129, 193, 64], [7, 20, 5]] {
        for kind in Kind::all() {
            let mut case = Case::new(shape, kind, 8);
            case.h.iter_mut().for_each(|v| *v = v.max(0.0));
            let all = case.run::<f64>(Mode::Store);
            case.kind.gated = true;
            let some = case.run::<f64>(Mode::Store);
            let pairs = case.h.iter().zip(all.dh.iter().zip(&some.dh));
            let wanted = pairs.filter(|(h, _)| **h != 0.0).map(|(_, (&all, &some))| [all, some]);
            let [all_dh, some_dh] =
                [0, 1].map(|i| wanted.clone().map(|pair| pair[i]).collect::<Vec<f64>>());
            assert_near(&format!("dh, {}", case.name()), &some_dh, &all_dh, 1e-12);
            for (all, some) in all.parameters.iter().zip(&some.parameters) {
                assert_eq!(all.grad, some.grad, "{}", case.name());
            }
            let single = case.run::<f32>(Mode::Store);
            let single: Vec<f64> = single.dh.iter().map(|&v| v as f64).collect();
            let near = norm(&some.dh) * 1e-4;
            let off: Vec<f64> = single.iter().zip(&some.dh).map(|(a, b)| a - b).collect();
            assert!(norm(&off) <= near, "{}: {} of {near}", case.name(), norm(&off));
        }
    }
}
