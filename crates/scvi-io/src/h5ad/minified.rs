//! A copy of an `.h5ad` file in the minified form.

use std::ops::Range;
use std::path::Path;

use hdf5_pure::{AttrValue, Error as H5Error, File};
use scvi::module::{MinifiedDataType, PosteriorRows};

use super::edited_copy::{Touched, copy_and_edit, copy_without, open_or_create, remove};
use super::store::{Node, Store};
use super::write_attrs::encoding;
use crate::IoError;
use crate::anndata::encodings::{ARRAY, CSR_MATRIX, STRING};
use crate::anndata::{AnnDataFile, PosteriorKeys, TYPE};
use crate::output::AtomicFile;

/// Writes a copy of an `.h5ad` file in scvi-tools' minified form, as
/// [`write_minified`](crate::anndata::write_minified) says; what is written has been checked.
pub(crate) fn write_minified(
    h5ad: &AnnDataFile,
    output: &Path,
    posterior: (&PosteriorRows<f32>, PosteriorKeys),
    kind: MinifiedDataType,
    overwrite: bool,
) -> Result<(), IoError> {
    let temp = AtomicFile::create(output, overwrite)?;
    copy_minified(h5ad, temp.temp_path(), &[], posterior, kind)?;
    let written = AnnDataFile::open(temp.temp_path())?;
    if written.minified_data_type()? != Some(kind)
        || written.posterior(posterior.1)? != *posterior.0
    {
        let problem = "its posteriors came out as others".to_owned();
        return Err(IoError::CannotCopy { path: h5ad.path(), problem });
    }
    drop(written);
    temp.finish()
}

/// Copies the file to `temp`, but for the bytes in `holes`, and brings the copy into the minified form.
pub(super) fn copy_minified(
    h5ad: &AnnDataFile,
    temp: &Path,
    holes: &[Range<u64>],
    posterior: (&PosteriorRows<f32>, PosteriorKeys),
    kind: MinifiedDataType,
) -> Result<(), IoError> {
    let input = &h5ad.path();
    let store = Store::open(input)?;
    let mut touched = Touched::default();
    let [mean, var, size] = posterior.1.names();
    touched.add(&store, "obsm", [mean, var])?;
    touched.add(&store, "obs", [size])?;
    touched.add(&store, "uns", [TYPE])?;
    let edit = |file: &File| edit(file, h5ad, &touched, posterior, kind);
    match kind {
        MinifiedDataType::LatentPosteriorParameters => {
            copy_without(input, temp, &counts_places(&store)?, &edit)
        }
        MinifiedDataType::LatentPosteriorParametersWithCounts => {
            copy_and_edit(input, temp, holes, &touched, &edit).map(drop)
        }
    }
}

/// Everything in the file that counts may be in.
fn counts_places(store: &Store) -> Result<Vec<String>, IoError> {
    let layers = store.members("layers")?;
    let mut places: Vec<String> = layers.iter().map(|layer| format!("layers/{layer}")).collect();
    for place in ["X", "raw", "raw.X", "raw.var", "raw.varm"] {
        if !matches!(store.node(place)?, Node::Missing) {
            places.push(place.to_owned());
        }
    }
    Ok(places)
}

fn edit(
    file: &File,
    from: &AnnDataFile,
    touched: &Touched,
    (posterior, keys): (&PosteriorRows<f32>, PosteriorKeys),
    kind: MinifiedDataType,
) -> Result<(), H5Error> {
    let shape = [from.n_obs(), from.n_vars()];
    if kind == MinifiedDataType::LatentPosteriorParameters {
        write_zeros(file, "X", shape)?;
        for layer in from.layers() {
            write_zeros(file, &format!("layers/{layer}"), shape)?;
        }
    }
    let [mean, var, size] = keys.names();
    let obsm = open_or_create(file, touched.path("obsm"))?;
    let n_obs = from.n_obs() as u64;
    for (name, values) in [(mean, &posterior.qz_m), (var, &posterior.qz_v)] {
        remove(&obsm, name)?;
        let width = (values.len() as u64).checked_div(n_obs).unwrap_or(0);
        obsm.create_dataset(name, |dataset| {
            dataset.with_f32_data(values).with_shape(&[n_obs, width]);
            encoding(ARRAY).into_iter().for_each(|(key, value)| _ = dataset.set_attr(key, value));
        })?;
    }
    let obs = file.group(touched.path("obs"))?;
    if !remove(&obs, size)? {
        let order = from.obs_columns().iter().cloned().chain([size.to_owned()]).collect();
        obs.set_attr("column-order", AttrValue::VarLenStringArray(order))?;
    }
    obs.create_dataset(size, |dataset| {
        dataset.with_f32_data(&posterior.observed_lib_size);
        encoding(ARRAY).into_iter().for_each(|(key, value)| _ = dataset.set_attr(key, value));
    })?;
    let uns = open_or_create(file, touched.path("uns"))?;
    remove(&uns, TYPE)?;
    uns.create_dataset(TYPE, |dataset| {
        dataset.with_vlen_strings(&[kind.name()]).with_shape(&[]);
        encoding(STRING).into_iter().for_each(|(key, value)| _ = dataset.set_attr(key, value));
    })?;
    Ok(())
}

/// A sparse matrix without a number, `(cells, genes)`.
fn write_zeros(file: &File, place: &str, shape: [usize; 2]) -> Result<(), H5Error> {
    file.root().create_group_with(place, |group| {
        for (key, value) in encoding(CSR_MATRIX) {
            group.set_attr(key, value);
        }
        let shape = shape.map(|n| n as i64);
        group.set_attr("shape", AttrValue::I64Array(shape.to_vec()));
        group.create_dataset("data", |dataset| _ = dataset.with_f32_data(&[]));
        group.create_dataset("indices", |dataset| _ = dataset.with_i32_data(&[]));
        let indptr = vec![0; shape[0] as usize + 1];
        group.create_dataset("indptr", |dataset| _ = dataset.with_i32_data(&indptr));
    })?;
    Ok(())
}
