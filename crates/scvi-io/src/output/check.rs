//! Questions to ask before the work, not after it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::IoError;

/// Checks that a file can be written at `path`: its folder is there and can be written to, and
/// nothing is overwritten unasked.
///
/// # Errors
/// [`IoError::Exists`] without `overwrite`, [`IoError::BadOutput`] otherwise.
pub fn check_output(path: impl AsRef<Path>, overwrite: bool) -> Result<(), IoError> {
    let path = path.as_ref();
    if path.is_dir() {
        return Err(bad(path, "it is a folder"));
    }
    check_parent(path)?;
    match path.symlink_metadata() {
        Ok(_) if !overwrite => Err(IoError::Exists { path: path.into() }),
        _ => Ok(()),
    }
}

/// Checks that a folder can be written at `path`; an existing one is replaced only where it is
/// empty or holds a file named `marker`, so that no folder of another kind is ever deleted.
///
/// # Errors
/// [`IoError::Exists`] without `overwrite`, [`IoError::BadOutput`] otherwise.
pub fn check_output_dir(
    path: impl AsRef<Path>,
    marker: &str,
    overwrite: bool,
) -> Result<(), IoError> {
    let path = path.as_ref();
    check_parent(path)?;
    let Ok(meta) = path.symlink_metadata() else { return Ok(()) };
    if !overwrite {
        return Err(IoError::Exists { path: path.into() });
    }
    if meta.is_symlink() {
        return Err(bad(path, "it is a symbolic link"));
    }
    if !meta.is_dir() {
        return Err(bad(path, "it is a file, where a folder is to be written"));
    }
    let mut entries = fs::read_dir(path).map_err(|e| IoError::os("read", path, e))?;
    if entries.next().is_some() && !path.join(marker).is_file() {
        return Err(bad(path, &format!("it is a folder with other things in it (no {marker})")));
    }
    Ok(())
}

/// The folder a path lies in.
pub(super) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.into(),
        _ => ".".into(),
    }
}

/// The path of a file beside another, whose name has an ending more: of `model/`, `model.lock`.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    // By way of its parts: `model/` is `model`.
    let mut name = path.components().as_path().as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A path beside another that nothing has: of `model` `model.1` and so on, of a file with
/// `has_ending` such as `out.csv` `out.1.csv`.
pub fn free_name(path: impl AsRef<Path>, has_ending: bool) -> PathBuf {
    let path = path.as_ref();
    let ending = path.extension().filter(|_| has_ending);
    let numbered = |n: u32| match ending {
        Some(ending) => path.with_extension(format!("{n}.{}", ending.to_string_lossy())),
        None => with_ending(path, &format!(".{n}")),
    };
    let mut free = (1..).map(numbered).filter(|path| path.symlink_metadata().is_err());
    free.next().unwrap_or_else(|| path.to_owned())
}

/// Start of the temporary name for a path.
pub(super) fn prefix(path: &Path) -> String {
    format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy())
}

pub(super) fn check_parent(path: &Path) -> Result<(), IoError> {
    if path.file_name().is_none() {
        return Err(bad(path, "it names no file"));
    }
    let parent = parent(path);
    if !parent.is_dir() {
        return Err(bad(path, &format!("there is no folder {}", parent.display())));
    }
    match tempfile::Builder::new().prefix(&prefix(path)).suffix(".tmp").tempfile_in(&parent) {
        Ok(_) => Ok(()),
        Err(e) => Err(bad(path, &format!("folder {} cannot be written: {e}", parent.display()))),
    }
}

fn bad(path: &Path, problem: &str) -> IoError {
    IoError::BadOutput { path: path.into(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("out.csv");
        check_output(&file, false).unwrap();
        assert!(!file.exists());
        fs::write(&file, "").unwrap();
        assert!(matches!(check_output(&file, false), Err(IoError::Exists { .. })));
        check_output(&file, true).unwrap();
        let says = |path: &Path, text: &str| {
            let error = check_output(path, true).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        };
        says(dir.path(), "is a folder");
        says(&dir.path().join("no/out.csv"), "there is no folder");
        says(&file.join("out.csv"), "there is no folder");
        says(Path::new("/"), "folder");
    }

    #[test]
    fn names_that_are_free() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let free = |name: &str, has_ending| free_name(path(name), has_ending);
        assert_eq!(free("m.v2", false), path("m.v2.1"));
        assert_eq!(free("o.h5ad", true), path("o.1.h5ad"));
        assert_eq!(free("o", true), path("o.1"));
        for name in ["m.1", "m.3", "o.1.h5ad"] {
            fs::write(path(name), "").unwrap();
        }
        assert_eq!(free("m/", false), path("m.2"));
        assert_eq!(free("o.h5ad", true), path("o.2.h5ad"));
    }

    #[test]
    fn folders() {
        let dir = tempfile::tempdir().unwrap();
        let model = dir.path().join("model");
        let check = |overwrite| check_output_dir(&model, "model.json", overwrite);
        check(false).unwrap();
        fs::create_dir(&model).unwrap();
        assert!(matches!(check(false), Err(IoError::Exists { .. })));
        check(true).unwrap();
        fs::write(model.join("thesis.tex"), "").unwrap();
        assert!(check(true).unwrap_err().to_string().contains("other things"));
        fs::write(model.join("model.json"), "").unwrap();
        check(true).unwrap();
        fs::remove_dir_all(&model).unwrap();
        fs::write(&model, "").unwrap();
        assert!(check(true).unwrap_err().to_string().contains("is a file"));
    }
}
