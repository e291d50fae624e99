//! Attributes of an HDF5 file as those of any AnnData.

use std::collections::HashMap;

use hdf5_pure::AttrValue;

use crate::anndata::{Attr, Attrs};

/// Takes over what the readers know to use.
pub(super) fn attrs_of(attrs: HashMap<String, AttrValue>) -> Attrs {
    let known = attrs.into_iter().filter_map(|(key, value)| {
        let texts = || value.as_strings().map(|texts| Attr::Texts(texts.to_vec()));
        Some((key, value.to_i64s().map(Attr::Integers).or_else(texts)?))
    });
    Attrs(known.collect())
}
