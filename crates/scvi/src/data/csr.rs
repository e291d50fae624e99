//! Counts in compressed sparse row form.

use std::collections::TryReserveError;

use thiserror::Error;

/// A sparse matrix of counts, `(cells, genes)`, one row a cell.
///
/// Within a row the gene indices rise strictly and every stored value is positive and finite:
/// [`CsrMatrix::new`] sees to both, so that kernels may trust them.
#[derive(Debug, Clone, PartialEq)]
pub struct CsrMatrix {
    n_genes: usize,
    indptr: Vec<u64>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

/// What may be wrong with the three arrays of a compressed sparse matrix.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum CsrError {
    /// `indptr` is empty, does not start at 0, falls, or does not end at the number of values.
    #[error("indptr is not a rising sequence from 0 to {n_values} (wrong at position {position})")]
    Indptr {
        /// Where in `indptr` the first fault lies.
        position: usize,
        /// How many values are stored.
        n_values: usize,
    },
    /// `indices` and `values` differ in length.
    #[error("{indices} indices for {values} values")]
    Lengths {
        /// Length of `indices`.
        indices: usize,
        /// Length of `values`.
        values: usize,
    },
    /// A gene index is past the last gene.
    #[error("gene index {index} of cell {cell} is out of range ({n_genes} genes)")]
    Index {
        /// Row of the fault.
        cell: usize,
        /// The index found.
        index: u32,
        /// Number of columns.
        n_genes: usize,
    },
    /// A value is negative, NaN or infinite.
    #[error("value {value} of cell {cell}, gene {gene}: counts must be finite and not negative")]
    Value {
        /// Row of the fault.
        cell: usize,
        /// Column of the fault.
        gene: usize,
        /// The value found.
        value: f32,
    },
}

impl CsrError {
    /// The same fault in a matrix of which the faulty one is the rows from `first` on.
    #[must_use]
    pub fn in_rows_from(mut self, first: usize) -> Self {
        if let Self::Index { cell, .. } | Self::Value { cell, .. } = &mut self {
            *cell += first;
        }
        self
    }
}

impl CsrMatrix {
    /// No cells yet.
    pub fn empty(n_genes: usize) -> Self {
        Self { n_genes, indptr: vec![0], indices: Vec::new(), values: Vec::new() }
    }

    /// Reserves space for `cells` and `nnz` counts in all, those that are there included.
    ///
    /// # Errors
    /// Where there is not so much memory.
    pub fn try_reserve(&mut self, cells: usize, nnz: usize) -> Result<(), TryReserveError> {
        self.indptr.try_reserve_exact((cells + 1).saturating_sub(self.indptr.len()))?;
        let more = nnz.saturating_sub(self.nnz());
        self.indices.try_reserve_exact(more)?;
        self.values.try_reserve_exact(more)
    }

    /// Adds the cells of another matrix.
    ///
    /// # Panics
    /// If it has other genes.
    pub fn append(&mut self, other: &Self) {
        assert_eq!(self.n_genes, other.n_genes, "the same genes");
        let nnz = self.nnz() as u64;
        self.indptr.extend(other.indptr[1..].iter().map(|end| nnz + end));
        self.indices.extend_from_slice(&other.indices);
        self.values.extend_from_slice(&other.values);
    }

    /// Gives back memory that it has no use for.
    pub fn shrink_to_fit(&mut self) {
        self.indices.shrink_to_fit();
        self.values.shrink_to_fit();
    }

    /// Takes the three arrays of a CSR matrix, sorts each row by gene, sums the values of a gene
    /// that is stored several times, as scipy's `toarray` does, and drops stored zeros.
    ///
    /// # Errors
    /// [`CsrError`] where the arrays contradict each other, an index is out of range, or a value
    /// or sum is negative or not finite.
    pub fn new(
        n_genes: usize,
        indptr: Vec<u64>,
        mut indices: Vec<u32>,
        mut values: Vec<f32>,
    ) -> Result<Self, CsrError> {
        check_indptr(&indptr, values.len())?;
        if indices.len() != values.len() {
            return Err(CsrError::Lengths { indices: indices.len(), values: values.len() });
        }
        let mut entries: Vec<(u32, f32)> = Vec::new();
        for cell in 0..indptr.len() - 1 {
            let row = indptr[cell] as usize..indptr[cell + 1] as usize;
            let (genes, counts) = (&mut indices[row.clone()], &mut values[row]);
            check_row(cell, n_genes, genes, counts)?;
            if genes.is_sorted_by(|a, b| a < b) {
                continue;
            }
            entries.clear();
            entries.extend(genes.iter().copied().zip(counts.iter().copied()));
            sum_repeated(&mut entries);
            // What is left of the row becomes zeros, which are dropped below.
            counts.fill(0.0);
            for (k, &(gene, value)) in entries.iter().enumerate() {
                (genes[k], counts[k]) = (gene, value);
            }
            check_row(cell, n_genes, genes, counts)?;
        }
        let mut matrix = Self { n_genes, indptr, indices, values };
        matrix.drop_zeros();
        Ok(matrix)
    }

    /// Number of rows.
    pub fn n_cells(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Number of columns.
    pub fn n_genes(&self) -> usize {
        self.n_genes
    }

    /// Number of stored (all non-zero) values.
    pub fn nnz(&self) -> usize {
        self.values.len()
    }

    /// Start of each row in [`Self::indices`] and [`Self::values`], and their length: `(cells + 1)`.
    pub fn indptr(&self) -> &[u64] {
        &self.indptr
    }

    /// Gene of each stored value.
    pub fn indices(&self) -> &[u32] {
        &self.indices
    }

    /// The stored values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Genes and values of one cell.
    ///
    /// # Panics
    /// If `cell` is not below [`Self::n_cells`].
    pub fn row(&self, cell: usize) -> (&[u32], &[f32]) {
        let row = self.indptr[cell] as usize..self.indptr[cell + 1] as usize;
        (&self.indices[row.clone()], &self.values[row])
    }

    /// The given cells, in the given order.
    ///
    /// # Panics
    /// If a cell is not below [`Self::n_cells`].
    pub fn select_cells(&self, cells: &[usize]) -> Self {
        let mut indptr = Vec::with_capacity(cells.len() + 1);
        indptr.push(0);
        let (mut indices, mut values) = (Vec::new(), Vec::new());
        for &cell in cells {
            let (genes, counts) = self.row(cell);
            indices.extend_from_slice(genes);
            values.extend_from_slice(counts);
            indptr.push(values.len() as u64);
        }
        Self { n_genes: self.n_genes, indptr, indices, values }
    }

    /// The same counts with gene `g` in column `places[g]` of `n_genes`, or left out where it has no
    /// place; columns that no gene is put in are zero, and take no memory.
    ///
    /// # Panics
    /// If `places` is not one a gene, or puts two in one column or one outside.
    pub fn place_genes(self, places: &[Option<u32>], n_genes: usize) -> Self {
        assert_eq!(places.len(), self.n_genes, "one place a gene");
        let (mut indices, mut values) = (self.indices, self.values);
        let mut indptr = self.indptr;
        let (mut start, mut kept) = (0, 0);
        for end in &mut indptr[1..] {
            for k in start..*end as usize {
                if let Some(place) = places[indices[k] as usize] {
                    (indices[kept], values[kept]) = (place, values[k]);
                    kept += 1;
                }
            }
            start = *end as usize;
            *end = kept as u64;
        }
        indices.truncate(kept);
        values.truncate(kept);
        Self::new(n_genes, indptr, indices, values).expect("a column for each gene")
    }

    /// Whether every value is a whole number.
    pub fn is_integral(&self) -> bool {
        self.first_fraction().is_none()
    }

    /// The first value that is not a whole number, with its cell and gene.
    pub(super) fn first_fraction(&self) -> Option<(usize, u32, f32)> {
        let at = self.values.iter().position(|value| value.fract() != 0.0)?;
        let cell = self.indptr.partition_point(|&end| end <= at as u64) - 1;
        Some((cell, self.indices[at], self.values[at]))
    }

    fn drop_zeros(&mut self) {
        if !self.values.contains(&0.0) {
            return;
        }
        let mut kept = 0;
        let mut start = 0;
        for cell in 0..self.n_cells() {
            let end = self.indptr[cell + 1] as usize;
            for k in start..end {
                if self.values[k] != 0.0 {
                    self.indices[kept] = self.indices[k];
                    self.values[kept] = self.values[k];
                    kept += 1;
                }
            }
            start = end;
            self.indptr[cell + 1] = kept as u64;
        }
        self.indices.truncate(kept);
        self.values.truncate(kept);
    }
}

fn check_indptr(indptr: &[u64], n_values: usize) -> Result<(), CsrError> {
    let fault = |position| CsrError::Indptr { position, n_values };
    if indptr.first() != Some(&0) {
        return Err(fault(0));
    }
    if let Some(k) = indptr.windows(2).position(|w| w[0] > w[1]) {
        return Err(fault(k + 1));
    }
    if indptr[indptr.len() - 1] != n_values as u64 {
        return Err(fault(indptr.len() - 1));
    }
    Ok(())
}

fn check_row(cell: usize, n_genes: usize, genes: &[u32], values: &[f32]) -> Result<(), CsrError> {
    if let Some(&index) = genes.iter().find(|&&gene| gene as usize >= n_genes) {
        return Err(CsrError::Index { cell, index, n_genes });
    }
    match values.iter().position(|v| !(v.is_finite() && *v >= 0.0)) {
        Some(k) => Err(CsrError::Value { cell, gene: genes[k] as usize, value: values[k] }),
        None => Ok(()),
    }
}

/// Sorts the entries of a row by gene, and sums the values of each gene in the order in which they
/// are stored.
pub fn sum_repeated(entries: &mut Vec<(u32, f32)>) {
    // Stable, so that a sum does not depend on how the row was cut out of a file.
    entries.sort_by_key(|&(gene, _)| gene);
    let mut kept = 0;
    let mut start = 0;
    while start < entries.len() {
        let gene = entries[start].0;
        let n = entries[start..].iter().take_while(|entry| entry.0 == gene).count();
        let of_gene = &entries[start..start + n];
        // In f64, so that whole numbers are exact as far as f32 holds their sum.
        let sum: f64 = of_gene.iter().map(|&(_, value)| f64::from(value)).sum();
        entries[kept] = (gene, sum as f32);
        kept += 1;
        start += n;
    }
    entries.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::super::Survey;
    use super::*;

    #[test]
    fn sorts_rows_and_drops_zeros() {
        let m = CsrMatrix::new(4, vec![0, 3, 3, 4], vec![3, 0, 2, 1], vec![1.0, 2.0, 0.0, 5.0])
            .unwrap();
        assert_eq!(m.row(0), (&[0, 3][..], &[2.0, 1.0][..]));
        assert_eq!(Survey::of(&m).empty_cells, [1]);
        assert_eq!(m.select_cells(&[2, 0]).indptr(), [0, 1, 3]);
    }

    #[test]
    fn sums_what_is_stored_several_times() {
        let indices = vec![2, 0, 2, 2, 1, 1, 3];
        let values = vec![1.0, 5.0, 2.0, 4.0, 16_777_216.0, 3.0, 0.0];
        let m = CsrMatrix::new(4, vec![0, 4, 4, 7], indices, values).unwrap();
        assert_eq!(m.indptr(), [0, 2, 2, 3]);
        assert_eq!(m.row(0), (&[0, 2][..], &[5.0, 7.0][..]));
        assert_eq!(m.row(2), (&[1][..], &[16_777_220.0][..]));
    }

    #[test]
    fn places_genes_and_leaves_out_those_without_a_place() {
        let (indices, values) = (vec![0, 1, 3, 1, 0, 2], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let m = CsrMatrix::new(4, vec![0, 3, 4, 6], indices, values).unwrap();
        let placed = m.clone().place_genes(&[Some(4), None, Some(0), Some(1)], 6);
        assert_eq!((placed.n_genes(), placed.indptr()), (6, &[0, 2, 2, 4][..]));
        assert_eq!(placed.row(0), (&[1, 4][..], &[3.0, 1.0][..]));
        assert_eq!(placed.row(2), (&[0, 4][..], &[6.0, 5.0][..]));
        assert_eq!(m.clone().place_genes(&[0, 1, 2, 3].map(Some), 4), m);
    }

    #[test]
    fn blocks_of_rows_make_the_matrix() {
        let (indices, values) = (vec![0, 1, 3, 1, 0, 2], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let m = CsrMatrix::new(4, vec![0, 3, 3, 4, 6], indices, values).unwrap();
        let mut all = CsrMatrix::empty(4);
        for cells in [[0, 1], [2, 3]] {
            all.try_reserve(4, 6).unwrap();
            all.append(&m.select_cells(&cells));
        }
        assert_eq!(all, m);
        assert!(all.try_reserve(4, usize::MAX).is_err());
    }

    #[test]
    fn refuses_contradictions() {
        let new = |indptr: &[u64], indices: &[u32], values: &[f32]| {
            CsrMatrix::new(3, indptr.to_vec(), indices.to_vec(), values.to_vec()).unwrap_err()
        };
        assert!(matches!(new(&[], &[], &[]), CsrError::Indptr { position: 0, .. }));
        assert!(matches!(new(&[0, 2, 1], &[0], &[1.0]), CsrError::Indptr { position: 2, .. }));
        assert!(matches!(new(&[0, 2], &[0], &[1.0]), CsrError::Indptr { position: 1, .. }));
        assert!(matches!(new(&[0, 1], &[3], &[1.0]), CsrError::Index { index: 3, .. }));
        assert!(matches!(new(&[0, 2], &[1, 4], &[1.0, 1.0]), CsrError::Index { index: 4, .. }));
        // A sum is held to what a value is held to, and a value of it too.
        let both = [f32::MAX, f32::MAX];
        assert!(matches!(new(&[0, 2], &[1, 1], &both), CsrError::Value { gene: 1, .. }));
        assert!(matches!(new(&[0, 2], &[1, 1], &[3.0, -1.0]), CsrError::Value { .. }));
        assert!(matches!(new(&[0, 1], &[1], &[f32::NAN]), CsrError::Value { gene: 1, .. }));
        assert!(matches!(new(&[0, 1], &[1], &[-1.0]), CsrError::Value { .. }));
    }
}
