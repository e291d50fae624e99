//! Memory that begins with a cache line.

use aligned_vec::{AVec, ConstAlign};

use crate::CACHE_LINE;
use crate::real::Real;

/// Numbers from the start of a cache line on: a vector that lies across two of them takes twice as
/// long to read, and rows of whole vectors never do.
pub type Aligned<F> = AVec<F, ConstAlign<CACHE_LINE>>;

/// `len` zeros.
pub(crate) fn aligned<F: Real>(len: usize) -> Aligned<F> {
    let mut zeros = Aligned::with_capacity(CACHE_LINE, len);
    zeros.resize(len, F::ZERO);
    zeros
}
