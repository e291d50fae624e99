//! How much memory a save may ask for.

use std::cell::Cell;

use super::SaveError;

/// What is granted on top, for what is small in the file and large in memory.
const BASE: usize = 32 << 20;

/// Memory that the values of a save may take: twice the file and a constant.
///
/// Asked before memory is taken. A save whose tensors are 4-byte floats, as scvi-tools writes
/// them, takes about its own size; one of 2-byte floats takes twice that. A file that refers to
/// the same part again and again, or declares sizes it does not have, runs out.
#[derive(Debug)]
pub(super) struct Budget {
    total: usize,
    left: Cell<usize>,
}

impl Budget {
    pub(super) fn for_file(len: usize) -> Self {
        let total = len.saturating_mul(2).saturating_add(BASE);
        Self { total, left: Cell::new(total) }
    }

    /// Grants `count` items of `size` bytes, or refuses.
    pub(super) fn take(&self, count: usize, size: usize, what: &str) -> Result<(), SaveError> {
        let left = count.checked_mul(size).and_then(|n| self.left.get().checked_sub(n));
        let Some(left) = left else {
            return Err(SaveError::TooLarge {
                what: format!("{what} ({count} times {size} bytes)"),
                limit: format!("{} bytes for a file of this size", self.total),
            });
        };
        self.left.set(left);
        Ok(())
    }
}
