//! No text makes the reader of queries over obs panic or hang; what is a query answers for every
//! cell, or names a column that holds something else.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scvi_io::anndata::Column;
use scvi_io::obs_query::{QueryMismatch, matching, parse};

/// A column of some kind, by the length of its name.
fn column(name: &str) -> Result<Column, QueryMismatch> {
    let texts = ["a", "b"].map(|text| Some(text.to_owned()));
    Ok(match name.len() % 3 {
        0 => Column::Bools(vec![Some(true), None]),
        1 => Column::Floats(vec![1.0, f64::NAN]),
        _ => Column::Strings(texts.into()),
    })
}

fuzz_target!(|text: &str| {
    let Ok(query) = parse(text) else { return };
    if let Ok(holds) = matching(&query, &column) {
        assert_eq!(holds.len(), 2);
    }
});
