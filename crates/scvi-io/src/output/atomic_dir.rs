//! A folder that appears whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::atomic_file::sync_dir;
use super::check::{check_output_dir, parent, prefix};
use crate::IoError;

/// A folder being filled under a temporary name; [`AtomicDir::finish`] gives it its own.
///
/// An existing folder is exchanged for the new one in one step where the system can (Linux), so
/// that at no moment there is neither; elsewhere the old one is moved aside first.
#[derive(Debug)]
pub struct AtomicDir {
    path: PathBuf,
    temp: TempDir,
}

impl AtomicDir {
    /// Starts a folder; `marker` is the file by which one that may be replaced is known.
    ///
    /// # Errors
    /// As [`check_output_dir`], or where the temporary folder cannot be created.
    pub fn create(path: impl AsRef<Path>, marker: &str, overwrite: bool) -> Result<Self, IoError> {
        let path = path.as_ref();
        check_output_dir(path, marker, overwrite)?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let temp = builder
            .prefix(&prefix(path))
            .suffix(".tmp")
            .tempdir_in(parent(path))
            .map_err(|e| IoError::os("create", path, e))?;
        Ok(Self { path: path.into(), temp })
    }

    /// Where to write the folder's files.
    pub fn temp_path(&self) -> &Path {
        self.temp.path()
    }

    /// Flushes the folder's files to disk and gives it its name.
    ///
    /// # Errors
    /// [`IoError`] where the disk is full or the folder cannot be renamed.
    pub fn finish(self) -> Result<(), IoError> {
        let Self { path, temp } = self;
        let os = |e| IoError::os("write", &path, e);
        sync_all(temp.path()).map_err(os)?;
        if path.symlink_metadata().is_err() {
            let temp = temp.keep();
            fs::rename(&temp, &path).map_err(|e| {
                let _ = fs::remove_dir_all(&temp);
                os(e)
            })?;
        } else if exchange(temp.path(), &path).is_ok() {
            // The old folder has the temporary name now.
            temp.close().map_err(os)?;
        } else {
            replace(temp, &path).map_err(os)?;
        }
        sync_dir(&parent(&path));
        Ok(())
    }
}

/// Flushes the files of a folder, and of those in it, to disk.
fn sync_all(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        match path.is_dir() {
            true => sync_all(&path)?,
            false => fs::File::open(path)?.sync_all()?,
        }
    }
    sync_dir(dir);
    Ok(())
}

/// Swaps two folders in one step.
#[cfg(target_os = "linux")]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Moves the old folder aside, the new one in its place, and deletes the old one.
fn replace(temp: TempDir, path: &Path) -> io::Result<()> {
    let old =
        tempfile::Builder::new().prefix(&prefix(path)).suffix(".old").tempdir_in(parent(path))?;
    let aside = old.path().join("old");
    fs::rename(path, &aside)?;
    let temp = temp.keep();
    if let Err(error) = fs::rename(&temp, path) {
        // Back to how it was; should that fail as well, the old folder must not be deleted.
        if fs::rename(&aside, path).is_err() {
            let _ = old.keep();
        }
        let _ = fs::remove_dir_all(&temp);
        return Err(error);
    }
    old.close()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str, overwrite: bool) -> Result<(), IoError> {
        let dir = AtomicDir::create(path, "marker", overwrite)?;
        fs::write(dir.temp_path().join("marker"), text).unwrap();
        dir.finish()
    }

    #[test]
    fn appears_and_is_exchanged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model");
        let marker = || fs::read_to_string(path.join("marker")).unwrap();
        write(&path, "one", false).unwrap();
        assert_eq!(marker(), "one");
        assert!(matches!(write(&path, "two", false), Err(IoError::Exists { .. })));
        assert_eq!(marker(), "one");
        fs::write(path.join("stale"), "").unwrap();
        write(&path, "two", true).unwrap();
        assert_eq!(marker(), "two");
        assert!(!path.join("stale").exists());
        drop(AtomicDir::create(&path, "marker", true).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn replaces_where_the_system_cannot_exchange() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model");
        write(&path, "one", false).unwrap();
        let new = AtomicDir::create(&path, "marker", true).unwrap();
        fs::write(new.temp_path().join("marker"), "two").unwrap();
        replace(new.temp, &path).unwrap();
        assert_eq!(fs::read_to_string(path.join("marker")).unwrap(), "two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
