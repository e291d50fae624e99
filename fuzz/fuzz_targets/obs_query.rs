//! No text makes the reader of queries over obs panic or hang; what is a query answers for every
//! cell, or names a column that holds something else.

#![no_main]

use libfuzzer_sys::fuzz_target;
use scvi_io::anndata::{Categorical, Column};
use scvi_io::obs_query::{QueriedColumn, QueryMismatch, matching, parse};

/// A column of some kind, by the length of its name.
fn column(name: &str) -> Result<QueriedColumn, QueryMismatch> {
    let texts = ["a", "b"].map(|text| Some(text.to_owned()));
    let values = match name.len() % 6 {
        0 => Column::Bools(vec![Some(true), None]),
        1 => Column::Floats(vec![1.0, f64::NAN]),
        2 => Column::Integers(vec![Some(i64::MIN), None]),
        3 => Column::Categorical(Column::Integers(vec![Some(1), Some(2)]).to_categorical()),
        4 => {
            let found = Column::Strings(texts.into()).to_categorical();
            Column::Categorical(Categorical { ordered: true, ..found })
        }
        _ => Column::Strings(texts.into()),
    };
    Ok(QueriedColumn { values, is_nullable: name.len() % 2 == 0 })
}

fuzz_target!(|text: &str| {
    let Ok(query) = parse(text) else { return };
    if let Ok(holds) = matching(&query, &column) {
        assert_eq!(holds.len(), 2);
    }
});
