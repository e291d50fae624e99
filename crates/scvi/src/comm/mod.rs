//! Workers that train one model together.
//!
//! A minibatch falls into leaves, and each worker has a run of them. What a worker computes of its
//! leaves goes to the others as bytes; sums over all leaves are formed by whoever receives their
//! terms, in a binary tree over the leaves. So their bits depend neither on the number of workers nor
//! on the order in which a library would add.

mod exchange;
mod leaf_run;
mod leaf_share;
mod solo;
mod threads;

pub(crate) use exchange::{exchange, gather};
pub(crate) use leaf_run::{LeafRun, tree_sum};
pub use leaf_share::LeafShare;
pub use solo::Solo;
pub use threads::Threads;

/// One of the workers that train a model together, and its way to the others.
///
/// All workers make the same calls in the same order, and know the lengths of what they send and
/// receive.
pub trait Comm: Send + Sync {
    /// Number of this worker, from 0.
    fn rank(&self) -> usize;

    /// Number of workers.
    fn size(&self) -> usize;

    /// Sends `sent[w]` to each worker w, to itself as well, and receives what worker w sent to this
    /// one into `received[w]`.
    ///
    /// # Panics
    /// If another worker has ended, or sent another length: the run that they share cannot go on.
    fn exchange(&self, sent: &[&[u8]], received: &mut [&mut [u8]]);
}
