//! Gradients of several workers added up.

use std::ops::Range;

use scvi_kernels::{Backend, Real};

use super::{Param, Slot};
use crate::comm::{LeafRun, LeafShare, exchange, gather, tree_sum};

/// Adds up what each parameter has staged on all workers; the parameters for which there is a sum,
/// which becomes their gradient on every worker.
///
/// Each worker forms the sums of one slice of all parameters: it receives that slice of the sums of
/// everyone's leaves, adds them up in the tree over all leaves, and sends the result to everyone.
pub(super) fn reduce<'a, B: Backend>(
    backend: &B,
    params: Vec<&'a mut Param<B>>,
    share: LeafShare,
) -> Vec<&'a mut Param<B>> {
    let mut params = staged_anywhere(params, share);
    let len: usize = params.iter().map(|param| param.len()).sum();
    let subtrees = subtrees(backend, &mut params, LeafRun::of(share.own()).widths().len());
    let comm = share.comm();
    let slice = |worker| LeafShare::run(len, worker, comm.size());
    let slices: Vec<_> = (0..comm.size()).map(slice).collect();
    let sum = sum_of_slice(&subtrees, &slices, share);
    let all = gather(comm, &sum, &slices.iter().map(Range::len).collect::<Vec<_>>());
    let mut rest = &all[..];
    for param in &mut params {
        let (gradient, behind) = rest.split_at(param.len());
        param.write(backend, Slot::Grad, gradient);
        rest = behind;
    }
    params
}

/// The parameters whose gradient some worker has staged: one without a leaf has staged none.
fn staged_anywhere<'a, B: Backend>(
    params: Vec<&'a mut Param<B>>,
    share: LeafShare,
) -> Vec<&'a mut Param<B>> {
    let staged: Vec<u8> = params.iter().map(|param| u8::from(param.is_staged())).collect();
    let all = gather(share.comm(), &staged, &vec![staged.len(); share.comm().size()]);
    let n = staged.len();
    let anywhere = |i: usize| all.iter().skip(i).step_by(n).any(|&staged| staged != 0);
    params.into_iter().enumerate().filter_map(|(i, param)| anywhere(i).then_some(param)).collect()
}

/// The sum over each of this worker's `n` subtrees, for all parameters behind each other.
fn subtrees<B: Backend>(backend: &B, params: &mut [&mut Param<B>], n: usize) -> Vec<Vec<B::Elem>> {
    let mut subtrees = vec![Vec::new(); n];
    for param in params {
        let sums = param.take_subtrees(backend);
        assert_eq!(sums.len(), n, "a gradient for each leaf");
        subtrees.iter_mut().zip(sums).for_each(|(all, sum)| all.extend(sum));
    }
    subtrees
}

/// The sum over all leaves of this worker's slice.
fn sum_of_slice<F: Real>(subtrees: &[Vec<F>], slices: &[Range<usize>], share: LeafShare) -> Vec<F> {
    let comm = share.comm();
    let sent: Vec<Vec<F>> = slices
        .iter()
        .map(|slice| subtrees.iter().flat_map(|sum| &sum[slice.clone()]).copied().collect())
        .collect();
    let sent: Vec<&[F]> = sent.iter().map(|numbers| &numbers[..]).collect();
    let len = slices[comm.rank()].len();
    let runs: Vec<LeafRun> = (0..comm.size()).map(|worker| LeafRun::of(share.of(worker))).collect();
    let lengths: Vec<usize> = runs.iter().map(|run| run.widths().len() * len).collect();
    let mut received = exchange(comm, &sent, &lengths);
    let widths = runs.iter().flat_map(|run| run.widths()).copied();
    // Of a slice without a number nothing is received, and nothing is its sum.
    let terms = widths.zip(received.chunks_exact_mut(len.max(1)));
    let sum = tree_sum(terms, |sum, others| {
        sum.iter_mut().zip(others).for_each(|(sum, other)| *sum += *other);
    });
    sum.map_or_else(Vec::new, |sum| sum.to_vec())
}
