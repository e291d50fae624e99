//! Where the elements of an array lie.

/// Positions of elements in a buffer: `offset + sum of index * stride`, counted in elements.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

impl Layout {
    /// The last index runs fastest.
    pub(super) fn row_major(shape: Vec<usize>) -> Self {
        let mut strides = running_products(shape.iter().rev());
        strides.reverse();
        Self { offset: 0, shape, strides }
    }

    /// The first index runs fastest.
    pub(super) fn column_major(shape: Vec<usize>) -> Self {
        let strides = running_products(shape.iter());
        Self { offset: 0, shape, strides }
    }

    /// How many elements there are, if all of them lie among `available`.
    pub(super) fn count_within(&self, available: usize) -> Option<usize> {
        let count = self.shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d))?;
        if count == 0 {
            return Some(0);
        }
        let last = self
            .shape
            .iter()
            .zip(&self.strides)
            .try_fold(self.offset, |at, (&d, &s)| at.checked_add((d - 1).checked_mul(s)?))?;
        (last < available).then_some(count)
    }

    /// The positions in row-major order of the indices.
    pub(super) fn positions(&self, count: usize) -> impl Iterator<Item = usize> {
        let mut index = vec![0; self.shape.len()];
        let mut at = self.offset;
        (0..count).map(move |_| {
            let here = at;
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                at = at.wrapping_add(self.strides[axis]);
                if index[axis] < self.shape[axis] {
                    break;
                }
                at = at.wrapping_sub(self.strides[axis].wrapping_mul(index[axis]));
                index[axis] = 0;
            }
            here
        })
    }
}

/// Strides along axes of the given sizes, first the axis that runs fastest. Sizes whose product
/// overflows are caught by [`Layout::count_within`].
fn running_products<'a>(sizes: impl Iterator<Item = &'a usize>) -> Vec<usize> {
    sizes
        .scan(1_usize, |stride, &size| {
            let this = *stride;
            *stride = stride.saturating_mul(size);
            Some(this)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(layout: &Layout) -> Vec<usize> {
        layout.positions(layout.count_within(usize::MAX).unwrap()).collect()
    }

    #[test]
    fn orders() {
        assert_eq!(positions(&Layout::row_major(vec![2, 3])), [0, 1, 2, 3, 4, 5]);
        assert_eq!(positions(&Layout::column_major(vec![2, 3])), [0, 2, 4, 1, 3, 5]);
        let transposed = Layout { offset: 1, shape: vec![3, 2], strides: vec![1, 4] };
        assert_eq!(positions(&transposed), [1, 5, 2, 6, 3, 7]);
        assert_eq!(transposed.count_within(8), Some(6));
        assert_eq!(transposed.count_within(7), None);
        assert_eq!(positions(&Layout::row_major(vec![])), [0]);
        assert_eq!(positions(&Layout::row_major(vec![3, 0, 2])), [0; 0]);
    }

    #[test]
    fn sizes_that_overflow() {
        for shape in [vec![usize::MAX, 2], vec![1 << 40, 1 << 40]] {
            assert_eq!(Layout::row_major(shape).count_within(usize::MAX), None);
        }
        let far = Layout { offset: usize::MAX, shape: vec![2], strides: vec![1] };
        assert_eq!(far.count_within(usize::MAX), None);
    }
}
