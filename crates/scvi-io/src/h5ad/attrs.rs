//! Attributes of an HDF5 file as those of any AnnData.

use std::collections::HashMap;

use hdf5_pure::AttrValue;

use crate::anndata::{Attr, Attrs, MAX_WHOLE};

/// Takes over what the readers know to use.
pub(super) fn attrs_of(attrs: HashMap<String, AttrValue>) -> Attrs {
    let known = attrs.into_iter().filter_map(|(key, value)| {
        let texts = || value.as_strings().map(|texts| Attr::Texts(texts.to_vec()));
        Some((key, integers(&value).map(Attr::Integers).or_else(texts)?))
    });
    Attrs(known.collect())
}

/// Whole numbers, which some programs write as floats.
fn integers(value: &AttrValue) -> Option<Vec<i64>> {
    let whole =
        |number: f64| (number.fract() == 0.0 && number.abs() < MAX_WHOLE).then_some(number as i64);
    value.to_i64s().or_else(|| value.to_f64s()?.into_iter().map(whole).collect())
}
