//! Minified data: cells by their stored posterior instead of their counts.

use std::path::Path;

use hdf5_pure::{AttrValue, Error as H5Error, File};
use scvi::module::{MinifiedDataType, PosteriorRows};

use super::array::Kind;
use super::edited_copy::{copy_and_edit, open_or_create, remove};
use super::file::H5ad;
use super::store::{Node, Store};
use super::write_attrs::{ARRAY, CSR_MATRIX, STRING, encoding};
use crate::IoError;
use crate::output::AtomicFile;

/// The entry of uns that makes a file minified.
pub(super) const TYPE: &str = "_scvi_adata_minify_type";
/// Means and variances in obsm, and sizes in obs; scvi-tools before 1.2 put an `_scvi_` or `_`
/// before these names.
const NAMES: [[&str; 3]; 2] = [
    ["scvi_latent_qzm", "scvi_latent_qzv", "observed_lib_size"],
    ["_scvi_latent_qzm", "_scvi_latent_qzv", "_scvi_observed_lib_size"],
];

impl H5ad {
    /// What the file still holds of its cells where it is minified; `None` where it is not.
    ///
    /// # Errors
    /// [`IoError`] where the entry of uns is none that scvi-tools writes.
    pub fn minified_data_type(&self) -> Result<Option<MinifiedDataType>, IoError> {
        let place = format!("uns/{TYPE}");
        let Node::Array(array) = self.store().node(&place)? else { return Ok(None) };
        let word = array.strings()?.into_iter().next().unwrap_or_default();
        let known = MinifiedDataType::from_name(&word);
        known.map(Some).ok_or_else(|| {
            let all = MinifiedDataType::ALL.map(MinifiedDataType::name).join(" or ");
            self.store().structure(&place, all, format!("'{word}'"))
        })
    }

    /// The stored posteriors of a minified file's cells.
    ///
    /// # Errors
    /// [`IoError`] where a part of them is missing or does not fit the cells.
    pub fn posterior(&self) -> Result<PosteriorRows<f32>, IoError> {
        let is_there = |names: &&[&str; 3]| self.obsm_keys().iter().any(|key| key == names[0]);
        let [mean, var, size] = NAMES.iter().find(is_there).unwrap_or(&NAMES[0]);
        let column = self.obs_column(size)?;
        let sizes = column.to_numbers().ok_or_else(|| {
            self.store().structure(&format!("obs/{size}"), "numbers", "something else")
        })?;
        Ok(PosteriorRows {
            qz_m: self.obsm(mean)?,
            qz_v: self.obsm(var)?,
            observed_lib_size: sizes.into_iter().map(|size| size as f32).collect(),
        })
    }

    /// A dense array of obsm, a row a cell.
    fn obsm(&self, key: &str) -> Result<Vec<f32>, IoError> {
        let array = self.store().array(&format!("obsm/{key}"))?;
        let n_obs = self.n_obs();
        if array.shape().len() != 2 || array.shape()[0] != n_obs as u64 {
            let expected = format!("{n_obs} rows, one per cell");
            return Err(array.structure(expected, format!("shape {:?}", array.shape())));
        }
        let mut values = Vec::new();
        if array.kind() == Kind::Single {
            array.each_f32(|_, block| {
                values.extend(block);
                Ok(())
            })?;
        } else {
            array.each_f64(|_, block| {
                values.extend(block.into_iter().map(|value| value as f32));
                Ok(())
            })?;
        }
        Ok(values)
    }
}

/// Writes a copy of `input` in scvi-tools' minified form: the posteriors of its cells, and X and
/// every layer all zero and raw gone unless the counts are to be kept.
///
/// | where | what |
/// |---|---|
/// | `obsm["scvi_latent_qzm"]`, `obsm["scvi_latent_qzv"]` | mean and variance: `(cells, n_latent)` |
/// | `obs["observed_lib_size"]` | Σ_g x of each cell, in counts |
/// | `uns["_scvi_adata_minify_type"]` | which of the two kinds it is |
///
/// Whatever else the file holds is copied as it is. The room that counts took is free: they are
/// not copied and then deleted.
///
/// Source: scvi-tools 1.4.2, `model/base/_base_model.py`, `minify_adata`;
/// `model/utils/_minification.py`.
///
/// # Errors
/// [`IoError`] where the posterior does not fit the input, or the input cannot be copied or the
/// output written.
pub fn write_minified(
    input: impl AsRef<Path>,
    output: impl AsRef<Path>,
    posterior: &PosteriorRows<f32>,
    kind: MinifiedDataType,
    overwrite: bool,
) -> Result<(), IoError> {
    let input = input.as_ref();
    let h5ad = H5ad::open(input)?;
    check(&h5ad, posterior)?;
    let dropped = match kind {
        MinifiedDataType::LatentPosteriorParameters => counts_places(h5ad.store())?,
        MinifiedDataType::LatentPosteriorParametersWithCounts => Vec::new(),
    };
    let temp = AtomicFile::create(output, overwrite)?;
    copy_and_edit(input, temp.temp_path(), &dropped, &|file| edit(file, &h5ad, posterior, kind))?;
    let written = H5ad::open(temp.temp_path())?;
    if written.minified_data_type()? != Some(kind) || written.posterior()? != *posterior {
        let problem = "its posteriors came out as others".to_owned();
        return Err(IoError::CannotCopy { path: input.to_owned(), problem });
    }
    drop(written);
    temp.finish()
}

fn check(file: &H5ad, posterior: &PosteriorRows<f32>) -> Result<(), IoError> {
    let PosteriorRows { qz_m, qz_v, observed_lib_size } = posterior;
    let n = file.n_obs();
    let fits = qz_m.len() == qz_v.len()
        && observed_lib_size.len() == n
        && qz_m.len().checked_rem(n).is_none_or(|rest| rest == 0);
    if fits {
        return Ok(());
    }
    Err(IoError::BadInput {
        what: "the posteriors".to_owned(),
        expected: format!("means, variances and sizes of {n} cells"),
        found: format!("{}, {} and {}", qz_m.len(), qz_v.len(), observed_lib_size.len()),
    })
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
    from: &H5ad,
    posterior: &PosteriorRows<f32>,
    kind: MinifiedDataType,
) -> Result<(), H5Error> {
    let shape = [from.n_obs(), from.n_vars()];
    if kind == MinifiedDataType::LatentPosteriorParameters {
        write_zeros(file, "X", shape)?;
        for layer in from.layers() {
            write_zeros(file, &format!("layers/{layer}"), shape)?;
        }
    }
    let [mean, var, size] = NAMES[0];
    let obsm = open_or_create(file, "obsm")?;
    let n_obs = from.n_obs() as u64;
    for (name, values) in [(mean, &posterior.qz_m), (var, &posterior.qz_v)] {
        remove(&obsm, name)?;
        let width = (values.len() as u64).checked_div(n_obs).unwrap_or(0);
        obsm.create_dataset(name, |dataset| {
            dataset.with_f32_data(values).with_shape(&[n_obs, width]);
            encoding(ARRAY).into_iter().for_each(|(key, value)| _ = dataset.set_attr(key, value));
        })?;
    }
    let obs = file.group("obs")?;
    if !remove(&obs, size)? {
        let order = from.obs_columns().iter().cloned().chain([size.to_owned()]).collect();
        obs.set_attr("column-order", AttrValue::VarLenStringArray(order))?;
    }
    obs.create_dataset(size, |dataset| {
        dataset.with_f32_data(&posterior.observed_lib_size);
        encoding(ARRAY).into_iter().for_each(|(key, value)| _ = dataset.set_attr(key, value));
    })?;
    let uns = open_or_create(file, "uns")?;
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
