//! Sparse matrices of counts: `data`, `indices` and `indptr` in a group.

use scvi::data::CsrMatrix;

use super::array::{Array, Kind};
use super::counts::{Target, is_count};
use crate::IoError;

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
    fn read_indptr(&self, lines: usize) -> Result<Vec<u64>, IoError> {
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

    /// Reads `indices` block by block, each checked to be below `bound`.
    fn each_index(
        &self,
        bound: usize,
        mut f: impl FnMut(usize, &[i64]) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        self.indices.each_i64(|start, block| {
            let in_range = |v: &i64| usize::try_from(*v).is_ok_and(|v| v < bound);
            if let Some(k) = block.iter().position(|v| !in_range(v)) {
                let found = format!("{} at position {}", block[k], start + k as u64);
                return Err(self.indices.structure(format!("indices below {bound}"), found));
            }
            f(start as usize, &block)
        })
    }

    /// Reads `data` block by block as 4-byte floats; `Err` holds position and value of the first
    /// that is no count.
    fn each_value(
        &self,
        mut f: impl FnMut(usize, &[f32]),
    ) -> Result<Result<(), (usize, f64)>, IoError> {
        let mut bad = None;
        let note = |bad: &mut Option<(usize, f64)>, start: u64, found: Option<(usize, f64)>| {
            *bad = bad.or(found.map(|(k, v)| (start as usize + k, v)));
        };
        if self.data.kind() == Kind::Single {
            self.data.each_f32(|start, block| {
                let wide = block.iter().map(|&v| f64::from(v));
                note(&mut bad, start, wide.enumerate().find(|(_, v)| !is_count(*v)));
                f(start as usize, &block);
                Ok(())
            })?;
        } else {
            self.data.each_f64(|start, block| {
                let found = block.iter().copied().enumerate().find(|(_, v)| !is_count(*v));
                note(&mut bad, start, found);
                let block: Vec<f32> = block.iter().map(|&v| v as f32).collect();
                f(start as usize, &block);
                Ok(())
            })?;
        }
        Ok(bad.map_or(Ok(()), Err))
    }
}

/// The line (row or column) that the value at `position` belongs to.
fn line_of(indptr: &[u64], position: usize) -> usize {
    indptr.partition_point(|&start| start <= position as u64).saturating_sub(1)
}

/// Reads a matrix whose lines are cells.
pub(crate) fn read_csr(target: &Target<'_>, arrays: &Sparse) -> Result<CsrMatrix, IoError> {
    let indptr = arrays.read_indptr(target.cells.len())?;
    let mut indices: Vec<u32> = Vec::new();
    arrays.each_index(target.genes.len(), |_, block| {
        arrays.indices.reserve(&mut indices, arrays.nnz)?;
        indices.extend(block.iter().map(|&v| v as u32));
        Ok(())
    })?;
    let mut values: Vec<f32> = Vec::new();
    let checked = arrays.each_value(|_, block| {
        if values.is_empty() {
            values.reserve_exact(arrays.nnz);
        }
        values.extend_from_slice(block);
    })?;
    if let Err((at, value)) = checked {
        let (row, column) = (line_of(&indptr, at), indices[at] as usize);
        return Err(target.bad_count(arrays.data.place(), row, column, value));
    }
    target.matrix(indptr, indices, values)
}

/// Reads a matrix whose lines are genes, and turns it by a counting sort: once through `indices`
/// to count each cell's values, once more to put them in place.
pub(crate) fn read_csc(target: &Target<'_>, arrays: &Sparse) -> Result<CsrMatrix, IoError> {
    let n_cells = target.cells.len();
    let by_gene = arrays.read_indptr(target.genes.len())?;
    let mut indptr = vec![0_u64; n_cells + 1];
    arrays.each_index(n_cells, |_, block| {
        block.iter().for_each(|&cell| indptr[cell as usize + 1] += 1);
        Ok(())
    })?;
    for cell in 0..n_cells {
        indptr[cell + 1] += indptr[cell];
    }

    // Where each value of the file goes: first as an order of the positions, then as the genes.
    let mut next = indptr.clone();
    let mut slots: Vec<u32> = Vec::new();
    let mut indices: Vec<u32> = Vec::new();
    arrays.indices.reserve(&mut indices, arrays.nnz)?;
    indices.resize(arrays.nnz, 0);
    let too_many =
        || arrays.data.structure(format!("at most {} values in a csc_matrix", u32::MAX), "more");
    let nnz = u32::try_from(arrays.nnz).map_err(|_| too_many())?;
    arrays.each_index(n_cells, |start, block| {
        arrays.indices.reserve(&mut slots, nnz as usize)?;
        let mut gene = line_of(&by_gene, start);
        for (k, &cell) in block.iter().enumerate() {
            while by_gene[gene + 1] <= (start + k) as u64 {
                gene += 1;
            }
            let slot = next[cell as usize];
            // A file that changes while it is read could overrun what was counted.
            if slot >= u64::from(nnz) {
                return Err(arrays.indices.structure("the same indices when read again", "others"));
            }
            next[cell as usize] += 1;
            indices[slot as usize] = gene as u32;
            slots.push(slot as u32);
        }
        Ok(())
    })?;

    let mut values = vec![0.0_f32; arrays.nnz];
    let checked = arrays.each_value(|start, block| {
        for (&slot, &value) in slots[start..].iter().zip(block) {
            values[slot as usize] = value;
        }
    })?;
    if let Err((at, value)) = checked {
        let row = line_of(&indptr, slots[at] as usize);
        return Err(target.bad_count(arrays.data.place(), row, line_of(&by_gene, at), value));
    }
    target.matrix(indptr, indices, values)
}
