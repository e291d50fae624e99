//! What is to be added to a copy of a file.

use super::{AnnDataFile, Categorical, check_name};
use crate::IoError;

/// Where a new array goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// `obsm`: any number of columns.
    Obsm,
    /// `layers`: one column per gene.
    Layers,
}

impl Slot {
    /// The group's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Obsm => "obsm",
            Self::Layers => "layers",
        }
    }
}

/// A matrix that is to be added to a file: a row per cell of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRows<'a> {
    /// Where it goes.
    pub slot: Slot,
    /// Its name there; an existing one of that name is replaced.
    pub key: &'a str,
    /// Number of columns.
    pub columns: usize,
}

/// Small things to add beside matrices; what has the same name is replaced.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras<'a> {
    /// Entries of `uns`.
    pub uns: &'a [(&'a str, UnsValue)],
    /// Columns of `obs`, a number per cell.
    pub obs: &'a [(&'a str, &'a [f32])],
    /// Categorical columns of `obs`, a category or none per cell.
    pub labels: &'a [(&'a str, &'a Categorical)],
    /// Columns of `var`, a number per gene.
    pub var: &'a [(&'a str, &'a [f32])],
}

/// An entry of `uns`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum UnsValue {
    /// A string.
    Text(String),
    /// A list of strings.
    Texts(Vec<String>),
    /// A whole number.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A list of floats.
    Floats(Vec<f64>),
}

impl AnnDataFile {
    /// Parts of this file that a copy with additions does not take over, because it gets others of
    /// the same name: `obsm/X_scVI`.
    ///
    /// # Errors
    /// [`IoError`] where the file cannot be read.
    pub fn replaced(
        &self,
        matrices: &[NewRows<'_>],
        extras: &Extras<'_>,
    ) -> Result<Vec<String>, IoError> {
        let uns = self.store().members("uns")?;
        let matrices = matrices.iter().map(|matrix| match matrix.slot {
            Slot::Obsm => (matrix.slot.name(), matrix.key, self.obsm_keys()),
            Slot::Layers => (matrix.slot.name(), matrix.key, self.layers()),
        });
        let obs = extras.obs.iter().map(|(key, _)| ("obs", *key, self.obs_columns()));
        let labels = extras.labels.iter().map(|(key, _)| ("obs", *key, self.obs_columns()));
        let var = extras.var.iter().map(|(key, _)| ("var", *key, self.var_columns()));
        let uns = extras.uns.iter().map(|(key, _)| ("uns", *key, &uns[..]));
        let all = matrices.chain(obs).chain(labels).chain(var).chain(uns);
        let replaced = all.filter(|(_, key, there)| there.iter().any(|name| name == key));
        Ok(replaced.map(|(group, key, _)| format!("{group}/{key}")).collect())
    }
}

/// Checks that everything fits the file; its number of cells.
pub(crate) fn check_additions(
    file: &AnnDataFile,
    matrices: &[NewRows<'_>],
    extras: &Extras<'_>,
) -> Result<usize, IoError> {
    let mut seen = std::collections::BTreeSet::new();
    let mut name = |group: &'static str, key: &str| -> Result<(), IoError> {
        let bad = |expected: &str, found: String| IoError::BadInput {
            what: format!("{group}['{key}']"),
            expected: expected.into(),
            found,
        };
        check_name(key).map_err(|found| bad("a name", found))?;
        match seen.insert((group, key.to_owned())) {
            true => Ok(()),
            false => Err(bad("one entry of a name", "two".into())),
        }
    };
    let length = |group: &str, key: &str, expected: usize, found: usize| {
        if expected == found {
            return Ok(());
        }
        let (what, found) = (format!("{group}['{key}']"), found.to_string());
        Err(IoError::BadInput { what, expected: format!("{expected} columns or values"), found })
    };
    for matrix in matrices {
        name(matrix.slot.name(), matrix.key)?;
        if matrix.slot == Slot::Layers {
            length("layers", matrix.key, file.n_vars(), matrix.columns)?;
        }
    }
    for (key, _) in extras.uns {
        name("uns", key)?;
    }
    let frames = [("obs", extras.obs, file.n_obs()), ("var", extras.var, file.n_vars())];
    for (frame, columns, n) in frames {
        for (key, values) in columns {
            name(frame, key)?;
            length(frame, key, n, values.len())?;
        }
    }
    for (key, labels) in extras.labels {
        name("obs", key)?;
        length("obs", key, file.n_obs(), labels.codes.len())?;
    }
    Ok(file.n_obs())
}
