//! What must not show: the number of threads, and what a workspace held before.

use super::{Case, Kind, Outcome, read};
use crate::ops::count_head::{CountHead, HeadDims, HeadOutput};
use crate::testing::{Mode, bits, same_in_every_pool};
use crate::{Cpu, HeadOps};

fn numbers(out: &Outcome<f32>) -> Vec<f32> {
    let gradients = out.parameters.iter().flat_map(|p| p.grad.iter().copied());
    let cells = out.nll.iter().chain(&out.dh).chain(&out.d_library).copied();
    let running = out.running.iter().flatten().flatten().copied();
    cells.chain(gradients).chain(running).collect()
}

#[test]
fn threads_do_not_show() {
    for kind in Kind::all() {
        for shape in [[37, 1000, 9], [3, 64 * 256 + 1, 2]] {
            let case = Case::new(shape, kind, 1);
            same_in_every_pool(|| numbers(&case.run(Mode::Store)));
        }
    }
}

/// 40 cells, then 13 in the same workspace, are bit-identical to 13 in a fresh one.
#[test]
fn a_larger_minibatch_before_does_not_show() {
    for kind in Kind::all() {
        let large = Case::new([40, 300, 5], kind, 2);
        for cells in [1, 13, 16, 33] {
            let small = Case::new([cells, 300, 5], kind, 3);
            let (mut head, mut batch) = (large.head::<f32>(), large.batch());
            large.run_in(&mut head, &mut batch, large.fresh_parameters(), Mode::Store);
            let parameters = small.fresh_parameters();
            let used = small.run_in(&mut head, &mut batch, parameters, Mode::Store);
            let fresh = small.run(Mode::Store);
            assert_eq!(bits(&numbers(&used)), bits(&numbers(&fresh)), "{}", small.name());
            let shares = |head| bits(&read::<f32>(head, HeadOutput::Scale, small.dims));
            let mut fresh_head = small.head();
            let parameters = small.fresh_parameters();
            small.run_in(&mut fresh_head, &mut small.batch(), parameters, Mode::Store);
            assert_eq!(shares(&head), shares(&fresh_head), "{}", small.name());
        }
    }
}

/// px_scale is the same before the likelihood and after it, and of some genes in any order.
#[test]
fn px_scale_can_be_read_at_any_time() {
    for kind in Kind::all() {
        for cells in [1, 16, 21] {
            let case = Case::new([cells, 530, 5], kind, 4);
            let (mut decoded, mut evaluated) = (case.head::<f32>(), case.head());
            case.decode(&mut decoded);
            case.evaluate_in(&mut evaluated);
            let all = read(&decoded, HeadOutput::Scale, case.dims);
            let after = read(&evaluated, HeadOutput::Scale, case.dims);
            assert_eq!(bits(&all), bits(&after), "{}", case.name());
            let genes = [529, 0, 255, 256, 255, 17];
            let want: Vec<f32> =
                all.chunks(530).flat_map(|row| genes.map(|g| row[g as usize])).collect();
            for head in [&decoded, &evaluated] {
                let some = read_genes(head, &genes, case.dims);
                assert_eq!(bits(&some), bits(&want), "{}", case.name());
            }
        }
    }
}

fn read_genes(head: &CountHead<f32>, genes: &[u32], d: HeadDims) -> Vec<f32> {
    let mut out = vec![f32::NAN; d.cells * genes.len()];
    Cpu::new().head_read(head, HeadOutput::Scale, Some(genes), d, &mut out);
    out
}
