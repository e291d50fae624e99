//! Counts of a matrix, in whatever form it has.

use std::borrow::Cow;

use scvi::data::{CsrMatrix, MatrixKey, Survey};

use super::array::Array;
use super::by_gene::ByGene;
use super::count_rows::{CountRows, Lines};
use super::file::AnnDataFile;
use super::sparse::Sparse;
use super::store::{Node, Store};
use crate::IoError;

/// What a reader of counts needs to know.
pub(crate) struct Target<'a> {
    /// The file.
    pub(crate) store: &'a Store,
    /// Path of the matrix inside the file.
    pub(crate) place: &'a str,
    /// Names of the cells.
    pub(crate) cells: &'a [String],
    /// Names of the genes.
    pub(crate) genes: &'a [String],
}

impl Target<'_> {
    /// The error for a value that is no count.
    pub(crate) fn bad_count(&self, place: &str, row: usize, column: usize, value: f64) -> IoError {
        IoError::BadCount {
            path: self.store.path().into(),
            place: place.into(),
            cell: self.cells.get(row).cloned().unwrap_or_default(),
            row,
            gene: self.genes.get(column).cloned().unwrap_or_default(),
            column,
            value,
        }
    }

    /// Checks rows and columns against the names of cells and genes.
    pub(crate) fn check_shape(&self, shape: &[u64]) -> Result<(), IoError> {
        let expected = [self.cells.len() as u64, self.genes.len() as u64];
        if shape == expected {
            return Ok(());
        }
        Err(self.store.structure(
            self.place,
            format!("shape {expected:?} (obs x var)"),
            format!("shape {shape:?}"),
        ))
    }

    /// The matrix of three checked arrays.
    pub(crate) fn matrix(
        &self,
        indptr: Vec<u64>,
        indices: Vec<u32>,
        values: Vec<f32>,
    ) -> Result<CsrMatrix, IoError> {
        CsrMatrix::new(self.genes.len(), indptr, indices, values).map_err(|source| {
            IoError::BadMatrix { path: self.store.path().into(), place: self.place.into(), source }
        })
    }
}

/// Whether a value can be a count in a 4-byte float.
pub(crate) fn is_count(value: f64) -> bool {
    value >= 0.0 && value <= f64::from(f32::MAX)
}

/// A matrix of counts that was found in the file, and is not read yet.
pub(crate) enum Matrix {
    /// Lines are cells.
    Csr(Box<Sparse>),
    /// Lines are genes.
    Csc(Box<Sparse>),
    /// Every value, `(cells, genes)`.
    Dense(Box<Array>),
}

impl Matrix {
    /// Finds the counts; `None` where there is no matrix at that place.
    pub(crate) fn find(target: &Target<'_>) -> Result<Option<Self>, IoError> {
        let Target { store, place, .. } = *target;
        match store.node(place)? {
            Node::Missing => return Ok(None),
            Node::Array(array) => {
                target.check_shape(array.shape())?;
                return Ok(Some(Self::Dense(Box::new(array))));
            }
            Node::Group => {}
        }
        let attrs = store.attrs(place)?;
        // `h5sparse_format` and `h5sparse_shape` are what anndata wrote before 0.7.
        let format = attrs.encoding().or(attrs.text("h5sparse_format"));
        let format = format.unwrap_or("nothing of the kind");
        let Some(shape) = attrs.shape("shape").or(attrs.shape("h5sparse_shape")) else {
            return Err(store.structure(place, "an attribute 'shape' of two numbers", "none"));
        };
        target.check_shape(&shape)?;
        let arrays = Box::new(Sparse::open(target)?);
        match format {
            "csr_matrix" | "csr" => Ok(Some(Self::Csr(arrays))),
            "csc_matrix" | "csc" => Ok(Some(Self::Csc(arrays))),
            other => Err(store.structure(place, "encoding-type csr_matrix or csc_matrix", other)),
        }
    }

    /// Values that are stored; of a dense matrix it is not known how many are not zero.
    fn nnz(&self) -> Option<usize> {
        match self {
            Self::Csr(arrays) | Self::Csc(arrays) => Some(arrays.nnz()),
            Self::Dense(_) => None,
        }
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
