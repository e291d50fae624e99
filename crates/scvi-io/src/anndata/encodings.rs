//! Names and versions of the encodings by which anndata knows what it reads.
//!
//! Source: AnnData's on-disk format.

/// Name and version of an encoding.
pub(crate) type Encoding = (&'static str, &'static str);

pub(crate) const ANNDATA: Encoding = ("anndata", "0.1.0");
pub(crate) const ARRAY: Encoding = ("array", "0.2.0");
pub(crate) const CATEGORICAL: Encoding = ("categorical", "0.2.0");
pub(crate) const CSR_MATRIX: Encoding = ("csr_matrix", "0.1.0");
pub(crate) const DATAFRAME: Encoding = ("dataframe", "0.2.0");
pub(crate) const DICT: Encoding = ("dict", "0.1.0");
pub(crate) const NULLABLE_BOOLEAN: Encoding = ("nullable-boolean", "0.1.0");
pub(crate) const NULLABLE_INTEGER: Encoding = ("nullable-integer", "0.1.0");
pub(crate) const NULLABLE_STRING: Encoding = ("nullable-string-array", "0.1.0");
pub(crate) const NUMERIC_SCALAR: Encoding = ("numeric-scalar", "0.2.0");
pub(crate) const STRING: Encoding = ("string", "0.2.0");
pub(crate) const STRING_ARRAY: Encoding = ("string-array", "0.2.0");
