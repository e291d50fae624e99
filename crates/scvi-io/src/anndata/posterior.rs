//! Minified data: cells by their stored posterior instead of their counts.

use scvi::module::{MinifiedDataType, PosteriorRows};

use super::additions::{Extras, NewRows, Slot};
use super::array::Kind;
use super::file::AnnDataFile;
use super::store::Node;
use crate::IoError;

/// The entry of uns that makes a file minified.
pub(crate) const TYPE: &str = "_scvi_adata_minify_type";
/// The class of model whose posteriors a minified file holds: each has names of its own for means
/// and variances in obsm, and sizes in obs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PosteriorKeys {
    /// `SCVI` and `LinearSCVI`.
    Scvi,
    /// `SCANVI`.
    Scanvi,
}

impl PosteriorKeys {
    /// The names; those of scvi-tools before 1.2 stand second.
    fn all(self) -> [[&'static str; 3]; 2] {
        match self {
            Self::Scvi => [
                ["scvi_latent_qzm", "scvi_latent_qzv", "observed_lib_size"],
                ["_scvi_latent_qzm", "_scvi_latent_qzv", "_scvi_observed_lib_size"],
            ],
            Self::Scanvi => [
                ["scanvi_latent_qzm", "scanvi_latent_qzv", "observed_lib_size"],
                ["_scanvi_latent_qzm", "_scanvi_latent_qzv", "_scanvi_observed_lib_size"],
            ],
        }
    }

    /// The names that are written.
    pub(crate) fn names(self) -> [&'static str; 3] {
        let [names, _] = self.all();
        names
    }
}

impl AnnDataFile {
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

    /// Parts of this file that its minified copy does not take over.
    ///
    /// # Errors
    /// [`IoError`] where the file cannot be read.
    pub fn replaced_when_minified(&self, keys: PosteriorKeys) -> Result<Vec<String>, IoError> {
        let [mean, var, size] = keys.names();
        let matrices = [mean, var].map(|key| NewRows { slot: Slot::Obsm, key, columns: 0 });
        let obs: [(&str, &[f32]); 1] = [(size, &[])];
        self.replaced(&matrices, &Extras { obs: &obs, ..Extras::default() })
    }

    /// The stored posteriors of a minified file's cells.
    ///
    /// # Errors
    /// [`IoError`] where a part of them is missing or does not fit the cells.
    pub fn posterior(&self, keys: PosteriorKeys) -> Result<PosteriorRows<f32>, IoError> {
        let is_there = |names: &[&str; 3]| self.obsm_keys().iter().any(|key| key == names[0]);
        let [mean, var, size] = keys.all().into_iter().find(is_there).unwrap_or(keys.names());
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
