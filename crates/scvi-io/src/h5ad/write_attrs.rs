//! The attributes by which anndata knows what it reads.

use hdf5_pure::AttrValue;

/// Name and version of an encoding.
pub(super) type Encoding = (&'static str, &'static str);

pub(super) const ANNDATA: Encoding = ("anndata", "0.1.0");
pub(super) const ARRAY: Encoding = ("array", "0.2.0");
pub(super) const CATEGORICAL: Encoding = ("categorical", "0.2.0");
pub(super) const CSR_MATRIX: Encoding = ("csr_matrix", "0.1.0");
pub(super) const DATAFRAME: Encoding = ("dataframe", "0.2.0");
pub(super) const DICT: Encoding = ("dict", "0.1.0");
pub(super) const NULLABLE_BOOLEAN: Encoding = ("nullable-boolean", "0.1.0");
pub(super) const NULLABLE_INTEGER: Encoding = ("nullable-integer", "0.1.0");
pub(super) const NULLABLE_STRING: Encoding = ("nullable-string-array", "0.1.0");
pub(super) const NUMERIC_SCALAR: Encoding = ("numeric-scalar", "0.2.0");
pub(super) const STRING: Encoding = ("string", "0.2.0");
pub(super) const STRING_ARRAY: Encoding = ("string-array", "0.2.0");

/// The two attributes of an encoding.
pub(super) fn encoding((name, version): Encoding) -> [(&'static str, AttrValue); 2] {
    [
        ("encoding-type", AttrValue::VarLenString(name.into())),
        ("encoding-version", AttrValue::VarLenString(version.into())),
    ]
}
