//! Numbers as bytes on their way between workers.

use bytemuck::{Pod, cast_slice, cast_slice_mut};

use super::Comm;

/// Sends `sent[w]` to each worker w; what each of them sent to this one, in their order: worker w
/// sent `lengths[w]` numbers.
pub(crate) fn exchange<E: Pod>(comm: &dyn Comm, sent: &[&[E]], lengths: &[usize]) -> Vec<E> {
    let mut all = vec![E::zeroed(); lengths.iter().sum()];
    let mut rest = &mut all[..];
    let mut received: Vec<&mut [u8]> = Vec::with_capacity(lengths.len());
    for &length in lengths {
        let (part, behind) = rest.split_at_mut(length);
        received.push(cast_slice_mut(part));
        rest = behind;
    }
    let sent: Vec<&[u8]> = sent.iter().map(|numbers| cast_slice(numbers)).collect();
    comm.exchange(&sent, &mut received);
    all
}

/// What each worker has, in their order, for every worker: worker w has `lengths[w]` numbers.
pub(crate) fn gather<E: Pod>(comm: &dyn Comm, mine: &[E], lengths: &[usize]) -> Vec<E> {
    exchange(comm, &vec![mine; comm.size()], lengths)
}
