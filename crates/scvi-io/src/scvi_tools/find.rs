//! Which file is meant.

use std::fs;
use std::path::{Path, PathBuf};

use super::SaveError;
use crate::IoError;
use crate::model_dir::{META_FILE, is_model_dir};
use crate::output::check_output_dir;

/// The end of every save's name.
pub(crate) const FILE: &str = "model.pt";
/// What scvi-tools wrote before 0.15, beside `attr.pkl` and `var_names.csv`.
pub(crate) const LEGACY_FILE: &str = "model_params.pt";

/// Names of the saves in a folder, sorted: `model.pt` with or without a prefix.
///
/// # Errors
/// [`IoError`] where the folder cannot be read.
pub fn saves_in(dir: impl AsRef<Path>) -> Result<Vec<String>, IoError> {
    let dir = dir.as_ref();
    let os = |e| IoError::os("read", dir, e);
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(os)? {
        let name = entry.map_err(os)?.file_name();
        if let Some(name) = name.to_str()
            && name.ends_with(FILE)
            && dir.join(name).is_file()
        {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Checks, before the work, that a save can be written into the folder `dir`.
///
/// # Errors
/// [`IoError::Exists`] where the folder is there, without `overwrite`; [`IoError::BadOutput`] where
/// it can hold no save, or holds other things: only an empty folder or one with a `model.pt` is
/// written to, and none that is a model of this program.
pub fn check_save_output(dir: impl AsRef<Path>, overwrite: bool) -> Result<(), IoError> {
    let dir = dir.as_ref();
    if overwrite && is_model_dir(dir) {
        let problem = format!("it is a model of this program (it holds a {META_FILE})");
        return Err(IoError::BadOutput { path: dir.into(), problem });
    }
    check_output_dir(dir, FILE, overwrite)
}

/// The path of the save with a prefix; without one, of the only save there is.
pub(super) fn find(dir: &Path, prefix: Option<&str>) -> Result<PathBuf, IoError> {
    let fault = |source| IoError::ScviTools { path: dir.to_owned(), source };
    let names = saves_in(dir)?;
    let name = match (prefix, &names[..]) {
        (None, [only]) => only.clone(),
        (None, [_, _, ..]) => return Err(fault(SaveError::Several { names })),
        (prefix, _) => format!("{}{FILE}", prefix.unwrap_or_default()),
    };
    if names.contains(&name) {
        return Ok(dir.join(name));
    }
    let legacy = format!("{}{LEGACY_FILE}", prefix.unwrap_or_default());
    if dir.join(legacy).is_file() {
        return Err(fault(SaveError::Legacy { format: "scvi-tools' of before 0.15" }));
    }
    Err(fault(SaveError::NoSave { wanted: name, available: names }))
}
