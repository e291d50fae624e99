//! Memory that is needed soon, fetched while something else is computed.

use crate::CACHE_LINE;

/// What will be read after the work at hand, for the second-level cache to have it by then.
pub(super) struct Ahead<'a, F> {
    slices: [&'a [F]; 2],
    /// number in each slice up to which all has been asked for
    next: usize,
    /// lines of each slice at a time
    lines: usize,
}

impl<'a, F> Ahead<'a, F> {
    const LINE: usize = CACHE_LINE / size_of::<F>();

    /// Two slices side by side, in `n` calls of [`Ahead::fetch`].
    pub(super) fn new(slices: [&'a [F]; 2], n: usize) -> Self {
        let [a, b] = slices.map(|slice| slice.len().div_ceil(Self::LINE));
        Self { slices, next: 0, lines: a.max(b).div_ceil(n.max(1)) }
    }

    /// Asks for the next share, without waiting for it.
    #[inline(always)]
    pub(super) fn fetch(&mut self) {
        for _ in 0..self.lines {
            for slice in self.slices {
                if let Some(value) = slice.get(self.next) {
                    prefetch(value);
                }
            }
            self.next += Self::LINE;
        }
    }
}

#[inline(always)]
#[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
fn prefetch<F>(value: &F) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint, which every x86-64 has: it reads nothing that the program could see, and
        // the address is that of a reference.
        #[allow(unsafe_code)]
        unsafe {
            _mm_prefetch::<_MM_HINT_T1>(std::ptr::from_ref(value).cast());
        }
    }
}
