//! Sparse matrices of counts: `data`, `indices` and `indptr` in a group.

use super::array::{Array, Kind};
use super::target::{Target, is_count};
use crate::IoError;

/// Counts, or place and value of the first that is none.
pub(crate) type Counted = Result<Vec<f32>, (usize, f64)>;

/// The three arrays, opened.
pub(crate) struct Sparse {
    data: Array,
    indices: Array,
    indptr: Array,
    nnz: usize,
}

impl Sparse {
    /// Opens the arrays of the matrix and compares their lengths.
    pub(crate) fn open(target: &Target<'_>) -> Result<Self, IoError> {
        let member = |name| target.store.array(&format!("{}/{name}", target.place));
        let (data, indices, indptr) = (member("data")?, member("indices")?, member("indptr")?);
        let nnz = data.len()?;
        if indices.len()? != nnz {
            let expected = format!("{nnz} values, as many as in data");
            return Err(indices.structure(expected, indices.len()?.to_string()));
        }
        Ok(Self { data, indices, indptr, nnz })
    }

    /// Reads `indptr`: `lines + 1` numbers rising from 0 to the number of values.
    pub(crate) fn read_indptr(&self, lines: usize) -> Result<Vec<u64>, IoError> {
        let expected = || format!("{} numbers rising from 0 to {}", lines + 1, self.nnz);
        if self.indptr.len()? != lines + 1 {
            return Err(self.indptr.structure(expected(), format!("{}", self.indptr.len()?)));
        }
        let mut indptr: Vec<u64> = Vec::new();
        self.indptr.each_i64(|start, block| {
            self.indptr.reserve(&mut indptr, lines + 1)?;
            for (k, v) in block.into_iter().enumerate() {
                let last = indptr.last().copied();
                let at_least = last.unwrap_or(0);
                let at_most = if last.is_none() { 0 } else { self.nnz as u64 };
                match u64::try_from(v) {
                    Ok(v) if (at_least..=at_most).contains(&v) => indptr.push(v),
                    _ => {
                        let found = format!("{v} at position {}", start + k as u64);
                        return Err(self.indptr.structure(expected(), found));
                    }
                }
            }
            Ok(())
        })?;
        if indptr.last() != Some(&(self.nnz as u64)) {
            return Err(self.indptr.structure(expected(), format!("{:?} last", indptr.last())));
        }
        Ok(indptr)
    }

    /// `n` of `indices` from `start` on, each checked to be below `bound`.
    pub(crate) fn indices_at(&self, bound: usize, start: u64, n: u64) -> Result<Vec<u32>, IoError> {
        let block = self.indices.rows_i64(start, n)?;
        self.check_indices(bound, start, &block)?;
        Ok(block.into_iter().map(|v| v as u32).collect())
    }

    /// `n` of `data` from `start` on; `Err` holds place among them and value of the first that is
    /// no count.
    pub(crate) fn values_at(&self, start: u64, n: u64) -> Result<Counted, IoError> {
        if self.data.kind() == Kind::Single {
            let values = self.data.rows_f32(start, n)?;
            return Ok(match values.iter().position(|&v| !is_count(v.into())) {
                Some(k) => Err((k, values[k].into())),
                None => Ok(values),
            });
        }
        let values = self.data.rows_f64(start, n)?;
        Ok(match values.iter().position(|&v| !is_count(v)) {
            Some(k) => Err((k, values[k])),
            None => Ok(values.into_iter().map(|v| v as f32).collect()),
        })
    }

    /// The values, whatever they are.
    pub(crate) fn data(&self) -> &Array {
        &self.data
    }

    /// Number of values.
    pub(crate) fn nnz(&self) -> usize {
        self.nnz
    }

    fn check_indices(&self, bound: usize, start: u64, block: &[i64]) -> Result<(), IoError> {
        let in_range = |v: &i64| usize::try_from(*v).is_ok_and(|v| v < bound);
        match block.iter().position(|v| !in_range(v)) {
            None => Ok(()),
            Some(k) => {
                let found = format!("{} at position {}", block[k], start + k as u64);
                Err(self.indices.structure(format!("indices below {bound}"), found))
            }
        }
    }
}
