//! Rows of Python's counts for the engine, each checked as it is read.

use std::io;
use std::sync::Arc;

use numpy::ToPyArray;
use pyo3::prelude::*;
use scvi::data::{CountSource, CsrError, sum_repeated};
use scvi_kernels::CsrRows;

use super::numbers::{List, ListView, MatrixView};

/// Counts that Python holds, as a [`CountSource`].
pub struct Source<'a> {
    rows: Rows<'a>,
    n_cells: usize,
    n_genes: usize,
    max_nnz: usize,
    /// The model's gene of each column; `u32::MAX` where it has none.
    places: Option<Arc<[u32]>>,
}

/// Where rows come from.
pub enum Rows<'a> {
    /// Compressed sparse rows.
    Csr {
        /// Start of each row: `(cells + 1)`.
        indptr: ListView<'a>,
        /// Gene of each value.
        indices: ListView<'a>,
        /// The values.
        data: ListView<'a>,
    },
    /// A matrix, `(cells, genes)`.
    Dense(MatrixView<'a>),
    /// A function of Python's.
    Callback(&'a Py<PyAny>),
}

impl<'a> Source<'a> {
    pub(super) fn new(
        rows: Rows<'a>,
        n_cells: usize,
        n_genes: usize,
        max_nnz: usize,
        places: Option<Arc<[u32]>>,
    ) -> Self {
        Self { rows, n_cells, n_genes, max_nnz, places }
    }

    /// Ends a row whose genes and counts were added from `start` on: they are put in order, values
    /// of one gene are summed, zeros are dropped, and everything else that is no count is an error.
    fn end_row(&self, cell: u32, start: usize, rows: &mut CsrRows) -> Result<(), CsrError> {
        if let Some(places) = &self.places {
            // A gene that is none stays so.
            let place = |gene: u32| places.get(gene as usize).copied().unwrap_or(u32::MAX - 1);
            rows.genes[start..].iter_mut().for_each(|gene| *gene = place(*gene));
        }
        let (genes, counts) = (&rows.genes[start..], &rows.counts[start..]);
        let is_sorted = genes.windows(2).all(|w| w[0] < w[1]);
        let is_inside = genes.last().is_none_or(|&gene| (gene as usize) < self.n_genes);
        // Of NaN this is false.
        let is_positive = counts.iter().all(|&x| x > 0.0 && x < f32::INFINITY);
        if !(is_sorted && is_inside && is_positive) {
            self.mend_row(cell, start, rows)?;
        }
        rows.indptr.push(rows.counts.len());
        Ok(())
    }

    fn mend_row(&self, cell: u32, start: usize, rows: &mut CsrRows) -> Result<(), CsrError> {
        let cell = cell as usize;
        let mut row: Vec<(u32, f32)> = Vec::with_capacity(rows.genes.len() - start);
        for (&gene, &value) in rows.genes[start..].iter().zip(&rows.counts[start..]) {
            if self.places.is_some() && gene == u32::MAX {
                continue;
            }
            let (n_genes, index) = (self.n_genes, gene);
            if gene as usize >= n_genes {
                return Err(CsrError::Index { cell, index, n_genes });
            }
            if !(0.0..f32::INFINITY).contains(&value) {
                return Err(CsrError::Value { cell, gene: gene as usize, value });
            }
            if value > 0.0 {
                row.push((gene, value));
            }
        }
        sum_repeated(&mut row);
        if let Some(&(gene, value)) = row.iter().find(|(_, sum)| sum.is_infinite()) {
            return Err(CsrError::Value { cell, gene: gene as usize, value });
        }
        rows.genes.truncate(start);
        rows.counts.truncate(start);
        rows.genes.extend(row.iter().map(|&(gene, _)| gene));
        rows.counts.extend(row.iter().map(|&(_, value)| value));
        Ok(())
    }

    fn read_csr(
        &self,
        numbers: impl Iterator<Item = (u32, usize)>,
        [indptr, indices, data]: [&ListView; 3],
        rows: &mut CsrRows,
    ) -> io::Result<()> {
        let n_values = data.len().min(indices.len());
        for (cell, row) in numbers {
            let (from, to) = (indptr.place(row), indptr.place(row + 1));
            let Some((from, to)) = from.zip(to).filter(|&(from, to)| from <= to && to <= n_values)
            else {
                return Err(fault(CsrError::Indptr { position: row, n_values }));
            };
            let start = rows.counts.len();
            indices.add_genes(from..to, &mut rows.genes);
            data.add_counts(from..to, &mut rows.counts);
            self.end_row(cell, start, rows).map_err(fault)?;
            let nnz = rows.counts.len() - start;
            if nnz > self.max_nnz {
                return Err(io::Error::other(format!(
                    "cell {cell} has {nnz} values, and had at most {}: counts must not change \
                     while a model works on them",
                    self.max_nnz
                )));
            }
        }
        Ok(())
    }

    /// Asks Python for rows, holding the interpreter's lock.
    fn call(&self, read: &Py<PyAny>, cells: &[u32], rows: &mut CsrRows) -> io::Result<()> {
        Python::attach(|py| {
            let answer = read.bind(py).call1((cells.to_pyarray(py),)).map_err(io::Error::other)?;
            let lists: [Bound<PyAny>; 3] = answer.extract().map_err(io::Error::other)?;
            let lists = lists.each_ref().map(|list| List::new("a list of rows", list));
            let [indptr, indices, data] = lists;
            let (indptr, indices, data) = (
                indptr.map_err(io::Error::other)?,
                indices.map_err(io::Error::other)?,
                data.map_err(io::Error::other)?,
            );
            let guard = |list: &List| list.guard(py).map_err(io::Error::other);
            let (indptr, indices, data) = (guard(&indptr)?, guard(&indices)?, guard(&data)?);
            let numbers = cells.iter().copied().zip(0..);
            self.read_csr(numbers, [&indptr.view(), &indices.view(), &data.view()], rows)
        })
    }
}

fn fault(error: CsrError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl CountSource for Source<'_> {
    fn n_cells(&self) -> usize {
        self.n_cells
    }

    fn n_genes(&self) -> usize {
        self.n_genes
    }

    fn max_nnz_per_cell(&self) -> usize {
        self.max_nnz
    }

    fn read(&self, cells: &[u32], rows: &mut CsrRows) -> io::Result<()> {
        match &self.rows {
            Rows::Csr { indptr, indices, data } => {
                let numbers = cells.iter().map(|&cell| (cell, cell as usize));
                self.read_csr(numbers, [indptr, indices, data], rows)
            }
            Rows::Dense(matrix) => {
                for &cell in cells {
                    let start = rows.counts.len();
                    matrix.add_row(cell as usize, &mut rows.genes, &mut rows.counts);
                    self.end_row(cell, start, rows).map_err(fault)?;
                }
                Ok(())
            }
            Rows::Callback(read) => self.call(read, cells, rows),
        }
    }
}
