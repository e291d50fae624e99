//! A copy of an AnnData with some of its cells, as `adata[cells]` has them.

mod elements;
mod entries;
mod parts;

use std::path::Path;

use super::AnnDataFile;
use crate::{IoError, h5ad, zarr};

pub(crate) use parts::{SubsetArray, SubsetParts};

/// Writes a copy of `input` with the given rows, in rising order.
///
/// Every array with an axis of cells - in `X`, `layers`, `raw`, `obs`, `obsm` and `obsp` - has the
/// rows of these cells, uncompressed; whatever else the file holds is as it was. Memory holds a
/// block of values.
///
/// ```
/// use scvi::data::CsrMatrix;
/// use scvi_io::anndata::{AnnDataFile, write_subset};
/// use scvi_io::h5ad::{NewAnnData, write_h5ad};
///
/// let counts = CsrMatrix::new(2, vec![0, 1, 1, 2], vec![1, 0], vec![3.0, 1.0]).unwrap();
/// let names = |of: &str, n: usize| (0..n).map(|i| format!("{of}{i}")).collect::<Vec<_>>();
/// let folder = tempfile::tempdir()?;
/// let [all, some] = ["all.h5ad", "some.h5ad"].map(|name| folder.path().join(name));
/// write_h5ad(&all, &NewAnnData::new(&counts, names("cell", 3), names("gene", 2)), false)?;
/// write_subset(&all, &some, &[0, 2], false)?;
/// assert_eq!(AnnDataFile::open(&some)?.obs_names(), ["cell0", "cell2"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`IoError`] where the input is no AnnData, rows are not rising rows of it, a part of it cannot be
/// copied, or the output cannot be written.
pub fn write_subset(
    input: impl AsRef<Path>,
    output: impl AsRef<Path>,
    rows: &[usize],
    overwrite: bool,
) -> Result<(), IoError> {
    let (file, output) = (AnnDataFile::open(input)?, output.as_ref());
    let n_obs = file.n_obs();
    if !rows.is_sorted_by(|a, b| a < b) || rows.last().is_some_and(|&last| last >= n_obs) {
        return Err(IoError::BadInput {
            what: "the rows of a subset".into(),
            expected: format!("rising numbers below {n_obs}"),
            found: "others".into(),
        });
    }
    let parts = SubsetParts::find(file.store(), n_obs, rows)?;
    match file.kind() {
        "zarr" => zarr::subset::write_subset(&file.path(), output, &parts, overwrite),
        _ => h5ad::write_subset(&file.path(), output, &parts, overwrite),
    }
}
