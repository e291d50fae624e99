//! Copies of an input with results added.

use std::path::Path;

use scvi::listed;
use scvi_io::IoError;
use scvi_io::anndata::{AnnDataFile, CopyRows, Extras, NewRows};

use crate::args::Common;
use crate::log::note;

/// Starts a copy of `input`, and tells which results of another run it does not take over.
pub fn create_copy(
    input: &Path,
    output: &Path,
    matrices: &[NewRows],
    extras: Extras,
    overwrite: bool,
    common: &Common,
) -> Result<CopyRows, IoError> {
    let replaced = AnnDataFile::open(input)?.replaced(matrices, &extras)?;
    let copy = CopyRows::create(input, output, matrices, extras, overwrite)?;
    tell_replaced(input, output, &replaced, common);
    Ok(copy)
}

/// Tells which parts of `input` are others in its copy.
pub fn tell_replaced(input: &Path, output: &Path, replaced: &[String], common: &Common) {
    if replaced.is_empty() {
        return;
    }
    let (input, output, parts) = (input.display(), output.display(), listed(replaced));
    let told = match input.to_string() == output.to_string() {
        true => format!("replaced in {output}: {parts}"),
        false => format!("{output} has a new {parts}; {input} keeps its own"),
    };
    note(common, &told);
}
