//! Counts: which matrix, in which form.

use scvi::data::CsrMatrix;

use super::dense::read_dense;
use super::sparse::{Sparse, read_csc, read_csr};
use super::store::{Node, Store};
use crate::IoError;

/// Where the counts lie.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum CountsKey {
    /// In `X`.
    #[default]
    X,
    /// In the layer of this name.
    Layer(String),
}

impl CountsKey {
    /// Path inside the file.
    pub fn place(&self) -> String {
        match self {
            Self::X => "X".into(),
            Self::Layer(name) => format!("layers/{name}"),
        }
    }
}

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

/// Reads the counts; `None` where there is no matrix at that place.
pub(crate) fn read_counts(
    store: &Store,
    source: &CountsKey,
    cells: &[String],
    genes: &[String],
) -> Result<Option<CsrMatrix>, IoError> {
    let place = source.place();
    let target = Target { store, place: &place, cells, genes };
    match store.node(&place)? {
        Node::Missing => return Ok(None),
        Node::Array(array) => {
            // anndata writes an X that is None as an empty array of encoding "null".
            if array.attrs()?.encoding() == Some("null") {
                return Ok(None);
            }
            return read_dense(&target, &array).map(Some);
        }
        Node::Group => {}
    }
    let attrs = store.attrs(&place)?;
    // `h5sparse_format` and `h5sparse_shape` are what anndata wrote before 0.7.
    let format = attrs.encoding().or(attrs.text("h5sparse_format"));
    let format = format.unwrap_or("nothing of the kind");
    let Some(shape) = attrs.shape("shape").or(attrs.shape("h5sparse_shape")) else {
        return Err(store.structure(&place, "an attribute 'shape' of two numbers", "none"));
    };
    target.check_shape(&shape)?;
    let arrays = Sparse::open(&target)?;
    match format {
        "csr_matrix" | "csr" => read_csr(&target, &arrays).map(Some),
        "csc_matrix" | "csc" => read_csc(&target, &arrays).map(Some),
        other => Err(store.structure(&place, "encoding-type csr_matrix or csc_matrix", other)),
    }
}
