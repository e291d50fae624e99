//! Work over genes or cells in a fixed partition, without allocation.

use std::cell::RefCell;
use std::thread::LocalKey;

use super::awake::join;
use crate::CACHE_LINE;
use crate::real::Real;

/// Something that falls into two parts at a unit (a gene, a cell).
pub(crate) trait Split: Sized + Send {
    /// Units before `mid`, and the rest.
    fn split(self, mid: usize) -> (Self, Self);
}

/// `width` numbers a unit, side by side.
pub(crate) struct Rows<'a, F> {
    pub(crate) data: &'a mut [F],
    pub(crate) width: usize,
}

impl<'a, F> Rows<'a, F> {
    pub(crate) fn new(data: &'a mut [F], width: usize) -> Self {
        Self { data, width }
    }
}

impl<F: Send> Split for Rows<'_, F> {
    fn split(self, mid: usize) -> (Self, Self) {
        // The last unit's row may be cut short, and a buffer may be empty altogether.
        let at = (mid * self.width).min(self.data.len());
        let (a, b) = self.data.split_at_mut(at);
        (Rows::new(a, self.width), Rows::new(b, self.width))
    }
}

impl<S: Split> Split for Option<S> {
    fn split(self, mid: usize) -> (Self, Self) {
        match self.map(|s| s.split(mid)) {
            Some((a, b)) => (Some(a), Some(b)),
            None => (None, None),
        }
    }
}

macro_rules! split_tuple {
    ($($name:ident),+) => {
        impl<$($name: Split),+> Split for ($($name,)+) {
            #[allow(non_snake_case)]
            fn split(self, mid: usize) -> (Self, Self) {
                let ($($name,)+) = self;
                $(let $name = $name.split(mid);)+
                (($($name.0,)+), ($($name.1,)+))
            }
        }
    };
}
split_tuple!(A, B);
split_tuple!(A, B, C);
split_tuple!(A, B, C, D);

/// Calls `work(first unit, its units' state)` for every `part` units of `0..total`, in parallel.
///
/// The partition depends on `total` and `part` alone, never on the number of threads.
pub(crate) fn in_parts<S: Split>(
    total: usize,
    part: usize,
    state: S,
    work: &(impl Fn(std::ops::Range<usize>, S) + Sync),
) {
    fn halve<S: Split>(
        units: std::ops::Range<usize>,
        part: usize,
        state: S,
        work: &(impl Fn(std::ops::Range<usize>, S) + Sync),
    ) {
        if units.len() <= part {
            return work(units, state);
        }
        let half = units.len().div_ceil(part) / 2 * part;
        let mid = units.start + half;
        let (left, right) = state.split(half);
        join(
            || halve(units.start..mid, part, left, work),
            || halve(mid..units.end, part, right, work),
        );
    }
    if total > 0 {
        halve(0..total, part, state, work);
    }
}

/// Runs `op` with `len` numbers of this thread's scratch memory, whose content is arbitrary and
/// which begins with a cache line. Inside `op` it can be asked for again.
pub(crate) fn scratch<F: Real, R>(len: usize, op: impl FnOnce(&mut [F]) -> R) -> R {
    let mut memory = F::scratch_pool().with_borrow_mut(|pool| pool.pop().unwrap_or_default());
    let line = CACHE_LINE / size_of::<F>();
    if memory.len() < len + line {
        memory.resize(len + line, F::ZERO);
    }
    let start = memory.as_ptr().align_offset(CACHE_LINE);
    let result = op(&mut memory[start..start + len]);
    F::scratch_pool().with_borrow_mut(|pool| pool.push(memory));
    result
}

/// Number types with scratch memory of their own on every thread.
pub trait Pooled: Sized + 'static {
    /// This type's scratch memory on the calling thread, a piece for each that may ask at a time.
    fn scratch_pool() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>>;
}

macro_rules! pooled {
    ($float:ty) => {
        impl Pooled for $float {
            fn scratch_pool() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>> {
                thread_local! {
                    static POOL: RefCell<Vec<Vec<$float>>> = const { RefCell::new(Vec::new()) };
                }
                &POOL
            }
        }
    };
}
pooled!(f32);
pooled!(f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_memory_can_be_asked_for_inside_itself() {
        for _ in 0..2 {
            scratch(3, |outer: &mut [f32]| {
                outer.fill(1.0);
                scratch(5, |inner: &mut [f32]| inner.fill(2.0));
                assert_eq!(outer, [1.0; 3]);
            });
        }
        assert_eq!(f32::scratch_pool().with_borrow(Vec::len), 2);
    }

    #[test]
    fn every_unit_is_visited_once_with_its_own_row() {
        for (total, part) in [(1, 4), (4, 4), (5, 4), (37, 3), (130, 16)] {
            let mut data = vec![0usize; total * 2];
            in_parts(total, part, Rows::new(&mut data, 2), &|units, rows: Rows<usize>| {
                assert!(units.start % part == 0 && units.len() <= part);
                assert_eq!(rows.data.len(), 2 * units.len());
                for (unit, row) in units.zip(rows.data.chunks_mut(2)) {
                    row.iter_mut().for_each(|v| *v += unit + 1);
                }
            });
            assert!(data.iter().enumerate().all(|(i, &v)| v == i / 2 + 1));
        }
    }
}
