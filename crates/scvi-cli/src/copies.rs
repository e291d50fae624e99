//! Copies of an input with results added.

use std::path::Path;

use scvi::listed;
use scvi_io::IoError;
use scvi_io::anndata::{AnnDataFile, CopyRows, Extras, NewRows};

use crate::args::Common;
use crate::input::Prepared;
use crate::log::note;

/// Starts a copy of the input with the rows of outputs, and tells which results of another run it
/// does not take over.
pub fn create_copy(
    prepared: &Prepared,
    output: &Path,
    matrices: &[NewRows],
    extras: Extras,
    overwrite: bool,
    common: &Common,
) -> Result<CopyRows, IoError> {
    let replaced = AnnDataFile::open(&prepared.path)?.replaced(matrices, &extras)?;
    let copied = prepared.copied(output)?;
    let copy = CopyRows::create(copied, output, matrices, extras, overwrite)?;
    tell_replaced(&prepared.path, output, &replaced, common);
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
