//! Memory that is needed soon, fetched while something else is computed.

use std::ops::Range;

use crate::CACHE_LINE;

/// Slices at most.
const SLICES: usize = 5;

/// Where slices lie that are read or written next; what stands there may change until then.
#[derive(Debug, Clone)]
pub(crate) struct Next<F> {
    slices: [Range<*const F>; SLICES],
    n: usize,
}

impl<F> Next<F> {
    /// Nothing.
    pub(crate) fn new() -> Self {
        Self { slices: [const { std::ptr::null()..std::ptr::null() }; SLICES], n: 0 }
    }

    /// A slice more.
    pub(crate) fn and(mut self, slice: &[F]) -> Self {
        self.slices[self.n] = slice.as_ptr_range();
        self.n += 1;
        self
    }

    /// As much as a slice holds, right after it in memory: what is read after the slice, but for the
    /// last one.
    pub(crate) fn and_after(self, slice: &[F]) -> Self {
        let mut next = self.and(slice);
        let Range { start, end } = &mut next.slices[next.n - 1];
        (*start, *end) = (*end, end.wrapping_add(slice.len()));
        next
    }
}

/// What will be read after the work at hand, for the second-level cache to have it by then.
pub(crate) struct Ahead<F> {
    /// what has not yet been asked for
    next: Next<F>,
    /// lines of each slice at a time
    lines: usize,
}

impl<F> Ahead<F> {
    const LINE: usize = CACHE_LINE / size_of::<F>();

    /// Slices side by side, in `n` calls of [`Ahead::fetch`].
    pub(crate) fn new(next: Next<F>, n: usize) -> Self {
        let bytes = next.slices.iter().map(|slice| slice.end as usize - slice.start as usize).max();
        Self { lines: bytes.unwrap_or(0).div_ceil(CACHE_LINE).div_ceil(n.max(1)), next }
    }

    /// Asks for the next share, without waiting for it.
    #[inline(always)]
    pub(crate) fn fetch(&mut self) {
        for slice in &mut self.next.slices[..self.next.n] {
            for _ in 0..self.lines {
                if slice.start < slice.end {
                    prefetch(slice.start);
                    slice.start = slice.start.wrapping_add(Self::LINE);
                }
            }
        }
    }
}

#[inline(always)]
#[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
fn prefetch<F>(address: *const F) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint, which every x86-64 has: it reads nothing that the program could see, and
        // no address is wrong for it.
        #[allow(unsafe_code)]
        unsafe {
            _mm_prefetch::<_MM_HINT_T1>(address.cast());
        }
    }
}
