//! The attributes by which anndata knows what it reads.

use hdf5_pure::AttrValue;

use crate::anndata::encodings::Encoding;

/// The two attributes of an encoding.
pub(super) fn encoding((name, version): Encoding) -> [(&'static str, AttrValue); 2] {
    [
        ("encoding-type", AttrValue::VarLenString(name.into())),
        ("encoding-version", AttrValue::VarLenString(version.into())),
    ]
}
