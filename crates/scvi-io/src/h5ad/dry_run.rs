//! A dry run: whether results can be added to a copy of a file, found out before they are computed.
//!
//! Whether the HDF5 library can edit a file depends on the file's structures, not on the values of
//! its arrays. The dry run therefore edits a sparse copy, in which long runs of values are holes that
//! take no space on the disk, and deletes it.

use std::ops::Range;
use std::path::Path;

use scvi::module::{MinifiedDataType, PosteriorRows};

use super::format::Target;
use super::minified::copy_minified;
use super::rows::H5adRows;
use super::store::{Node, Store};
use crate::IoError;
use crate::anndata::{AnnDataFile, Categorical, Extras, NewRows, PosteriorKeys, Slot, UnsValue};
use crate::output::AtomicFile;

/// Runs of fewer bytes are copied, because a hole is at least a block of the file system.
const MIN_HOLE: u64 = 4096;

/// Adds to obsm, layers, uns, obs and var of a copy without values, as results do.
///
/// # Errors
/// Those in which [`H5adRows::create`] would end.
pub(crate) fn dry_run_copy(
    file: &AnnDataFile,
    output: &Path,
    overwrite: bool,
) -> Result<(), IoError> {
    let input = file.path();
    let layers = NewRows { slot: Slot::Layers, key: "scvi_normalized", columns: file.n_vars() };
    let matrices = [NewRows { slot: Slot::Obsm, key: "X_scVI", columns: 1 }, layers];
    let (of_cells, of_genes) = (vec![0.0; file.n_obs()], vec![0.0; file.n_vars()]);
    let labels = Categorical { codes: vec![None; file.n_obs()], ..Categorical::default() };
    let extras = Extras {
        uns: &[("scvi_columns", UnsValue::Texts(vec![String::new()]))],
        obs: &[("scvi_library_size", &of_cells)],
        labels: &[("scanvi_prediction", &labels)],
        var: &[("scvi_dispersions", &of_genes)],
    };
    let holes = holes(&Store::open(&input)?)?;
    H5adRows::dry_run(&input, &holes, output, &matrices, extras, overwrite)
}

/// Writes the minified form of a file, and deletes it again.
///
/// # Errors
/// Those in which writing it would end.
pub(crate) fn dry_run_minified(
    file: &AnnDataFile,
    output: &Path,
    kind: MinifiedDataType,
    overwrite: bool,
) -> Result<(), IoError> {
    let zeros = vec![0.0; file.n_obs()];
    let (qz_m, qz_v) = (zeros.clone(), zeros.clone());
    let posterior = PosteriorRows { qz_m, qz_v, observed_lib_size: zeros };
    let holes = holes(&Store::open(&file.path())?)?;
    let temp = AtomicFile::create(output, overwrite)?;
    copy_minified(file, temp.temp_path(), &holes, (&posterior, PosteriorKeys::Scvi), kind)
}

/// Where the values of arrays lie, sorted and apart from each other.
fn holes(store: &Store) -> Result<Vec<Range<u64>>, IoError> {
    let mut ranges = Vec::new();
    for group in store.groups()?.into_keys() {
        for link in store.links(&group)?.iter() {
            let place = format!("{group}/{}", link.name);
            if !matches!(link.target, Target::Object(_)) {
                continue;
            }
            // What cannot be read is copied.
            if let Ok(Node::Array(array)) = store.node(&place) {
                ranges.extend(
                    array.stored_ranges().into_iter().filter(|r| r.end - r.start >= MIN_HOLE),
                );
            }
        }
    }
    ranges.sort_unstable_by_key(|range| range.start);
    let mut apart: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match apart.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    Ok(apart)
}
