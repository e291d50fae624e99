//! Numbers in device memory, and their ways in and out.

use crate::counts::CsrRows;
use crate::real::Real;

/// A device's memory: where numbers live, and how they come to it and back.
pub trait Device: Send + Sync {
    /// The number type.
    type Elem: Real;
    /// Numbers in device memory.
    type Buf: Clone + Send + Sync;
    /// Row numbers in device memory.
    type Ids: Send + Sync;
    /// A minibatch of counts in device memory.
    type Counts: Send + Sync;

    /// `len` zeros.
    fn zeros(&self, len: usize) -> Self::Buf;
    /// Writes the front of a buffer.
    fn upload(&self, buf: &mut Self::Buf, values: &[Self::Elem]);
    /// Copies the first `len` numbers on the device.
    fn copy(&self, from: &Self::Buf, to: &mut Self::Buf, len: usize);
    /// to += from over the first `len` numbers.
    fn add(&self, from: &Self::Buf, to: &mut Self::Buf, len: usize);
    /// Reads the first `len` numbers.
    fn download(&self, buf: &Self::Buf, len: usize) -> Vec<Self::Elem>;
    /// Sum of the first `len` numbers, in double precision.
    fn sum(&self, buf: &Self::Buf, len: usize) -> f64;
    /// Whether the first `len` numbers are all finite.
    fn is_finite(&self, buf: &Self::Buf, len: usize) -> bool;
    /// Buffer for `len` row numbers.
    fn ids(&self, len: usize) -> Self::Ids;
    /// Writes the front of a list of row numbers.
    fn upload_ids(&self, ids: &mut Self::Ids, values: &[u32]);
    /// Buffers for a minibatch of up to `dims` = cells, counts and genes. A gradient and a likelihood
    /// read the counts by gene, a forward pass only by cell.
    fn counts(&self, dims: [usize; 3], by_gene: bool) -> Self::Counts;
    /// Takes a minibatch in; see [`crate::CountsBatch::load`].
    fn load_counts(&self, counts: &mut Self::Counts, rows: &CsrRows, log_variational: bool);
    /// Observed library sizes of the minibatch, ln Σ_g x: `(cells)`.
    fn library<'a>(&self, counts: &'a Self::Counts) -> &'a Self::Buf;
}
