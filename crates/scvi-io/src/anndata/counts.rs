//! Counts of a matrix, in whatever form it has.

use std::borrow::Cow;

use scvi::data::{CsrMatrix, MatrixKey, Survey};

use super::by_gene::ByGene;
use super::count_matrix::Matrix;
use super::count_rows::{CountRows, Lines};
use super::file::AnnDataFile;
use super::target::Target;
use crate::IoError;

impl AnnDataFile {
    /// The counts of a matrix, as floats whatever type the file has.
    ///
    /// # Errors
    /// [`IoError`] where there are none, the shape differs from the names of cells and genes, the
    /// sparse arrays contradict each other, or a value is negative or not finite.
    pub fn counts(&self, key: &MatrixKey) -> Result<CsrMatrix, IoError> {
        Ok(self.stored_counts(key)?.load()?.0)
    }

    /// The counts of a matrix, found and not read yet.
    ///
    /// # Errors
    /// [`IoError`] where there are none, or the shape differs from the names of cells and genes.
    pub fn stored_counts(&self, key: &MatrixKey) -> Result<StoredCounts<'_>, IoError> {
        let stored = if self.has(key) { StoredCounts::find(self, key)? } else { None };
        stored.ok_or_else(|| self.no_counts(key))
    }
}

/// Counts of an open file, not read yet.
pub struct StoredCounts<'a> {
    pub(super) file: &'a AnnDataFile,
    place: String,
    /// Names of the matrix' genes.
    pub(super) genes: Cow<'a, [String]>,
    pub(super) matrix: Matrix,
    /// Column of each gene, and how many columns there are, where these are not the file's.
    columns: Option<(&'a [Option<u32>], usize)>,
}

/// Values of a dense matrix that tell how many are not zero.
const SAMPLED: usize = 1 << 20;

impl<'a> StoredCounts<'a> {
    /// A bound for [`for_each_block`](Self::for_each_block) that suits most machines: counts of
    /// 8 bytes each.
    pub const TURNED: u64 = 1 << 25;

    /// Finds the counts; `None` where there are none at that place.
    pub(super) fn find(file: &'a AnnDataFile, key: &MatrixKey) -> Result<Option<Self>, IoError> {
        let (place, genes) = (key.to_string(), file.genes_of(key)?);
        let matrix = Matrix::find(&target(file, &place, &genes))?;
        Ok(matrix.map(|matrix| Self { file, place, genes, matrix, columns: None }))
    }

    /// The same counts with gene `g` in column `places[g]` of `n_genes`, as
    /// [`CsrMatrix::place_genes`] puts them.
    #[must_use]
    pub fn place_genes(self, places: &'a [Option<u32>], n_genes: usize) -> Self {
        Self { columns: Some((places, n_genes)), ..self }
    }

    /// Number of genes, once placed.
    pub fn n_genes(&self) -> usize {
        self.columns.map_or(self.genes.len(), |(_, n_genes)| n_genes)
    }

    /// Whether they are stored gene by gene (csc): then no cell can be read alone.
    pub fn is_by_gene(&self) -> bool {
        matches!(self.matrix, Matrix::Csc(_))
    }

    /// Counts that are stored; an estimate from the first cells where the matrix is dense.
    ///
    /// # Errors
    /// [`IoError`] where these cannot be read.
    pub fn nnz(&self) -> Result<usize, IoError> {
        let Matrix::Dense(array) = &self.matrix else {
            return Ok(self.matrix.nnz().unwrap_or_default());
        };
        let (n_cells, n_genes) = (self.file.n_obs(), self.genes.len());
        if n_cells == 0 || n_genes == 0 {
            return Ok(0);
        }
        let sampled = (SAMPLED / n_genes).clamp(1, n_cells);
        let values = array.rows_f64(0, sampled as u64)?;
        let nnz = values.iter().filter(|&&value| value != 0.0).count();
        Ok((nnz as f64 / sampled as f64 * n_cells as f64).ceil() as usize)
    }

    /// Reads them into memory, with what a look at them tells.
    ///
    /// # Errors
    /// As [`AnnDataFile::counts`].
    pub fn load(self) -> Result<(CsrMatrix, Survey), IoError> {
        let (n_cells, nnz) = (self.file.n_obs(), self.matrix.nnz().unwrap_or(0));
        let (store, place) = (self.file.store(), self.place.clone());
        let mut counts = CsrMatrix::empty(self.n_genes());
        let survey = self.for_each_block(u64::MAX, &mut |block| {
            // After a block came: a size that cannot be served costs nothing.
            counts.try_reserve(n_cells, nnz).map_err(|_| {
                store.structure(&place, "values that fit into memory", format!("{nnz} values"))
            })?;
            counts.append(block);
            Ok(())
        })?;
        counts.shrink_to_fit();
        Ok((counts, survey))
    }

    /// Reads them once, in the order of cells, in blocks of bounded memory; what a look at them
    /// tells. Of counts that are stored gene by gene at most `max_nnz` are in memory at a time,
    /// and each so many take a pass over the file.
    ///
    /// # Errors
    /// As [`AnnDataFile::counts`], and what `f` returns.
    pub fn for_each_block(
        self,
        max_nnz: u64,
        f: &mut dyn FnMut(&CsrMatrix) -> Result<(), IoError>,
    ) -> Result<Survey, IoError> {
        let Self { file, place, genes, matrix, columns } = self;
        let target = target(file, &place, &genes);
        match Lines::new(&target, matrix, columns)? {
            Lines::Cells(rows) => rows.survey(target.cells, target.genes, f),
            Lines::Genes(arrays) => {
                let mut survey = Survey::default();
                ByGene::new(target, arrays)?.each_run(max_nnz, |counts| {
                    let placed = columns.map(|(places, n)| counts.clone().place_genes(places, n));
                    let counts = placed.as_ref().unwrap_or(counts);
                    survey.add(counts);
                    f(counts)
                })?;
                Ok(survey)
            }
        }
    }

    /// Leaves them where they are, after a look at all of them; `None` where they are stored gene
    /// by gene.
    ///
    /// # Errors
    /// As [`AnnDataFile::counts`].
    pub fn rows(self) -> Result<Option<(CountRows, Survey)>, IoError> {
        let target = target(self.file, &self.place, &self.genes);
        let Lines::Cells(rows) = Lines::new(&target, self.matrix, self.columns)? else {
            return Ok(None);
        };
        let survey = rows.survey(target.cells, target.genes, &mut |_| Ok(()))?;
        Ok(Some((rows, survey)))
    }
}

fn target<'a>(file: &'a AnnDataFile, place: &'a str, genes: &'a [String]) -> Target<'a> {
    Target { store: file.store(), place, cells: file.obs_names(), genes }
}
