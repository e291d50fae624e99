//! A matrix of counts in whatever form it is stored.

use super::array::Array;
use super::sparse::Sparse;
use super::store::Node;
use super::target::Target;
use crate::IoError;

/// A matrix of counts that was found in the file, and is not read yet.
pub(super) enum Matrix {
    /// Lines are cells.
    Csr(Box<Sparse>),
    /// Lines are genes.
    Csc(Box<Sparse>),
    /// Every value, `(cells, genes)`.
    Dense(Box<Array>),
}

impl Matrix {
    /// Finds the counts; `None` where there is no matrix at that place.
    pub(super) fn find(target: &Target<'_>) -> Result<Option<Self>, IoError> {
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
    pub(super) fn nnz(&self) -> Option<usize> {
        match self {
            Self::Csr(arrays) | Self::Csc(arrays) => Some(arrays.nnz()),
            Self::Dense(_) => None,
        }
    }
}
