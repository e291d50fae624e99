//! A file that appears whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::check::{check_output, parent, prefix};
use crate::IoError;

/// A file being written under a temporary name; [`AtomicFile::finish`] gives it its own.
///
/// Dropped unfinished, it is deleted and whatever stood at the path stays.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    temp: NamedTempFile,
    overwrite: bool,
}

impl AtomicFile {
    /// Starts a file.
    ///
    /// # Errors
    /// As [`check_output`], or where the temporary file cannot be created.
    pub fn create(path: impl AsRef<Path>, overwrite: bool) -> Result<Self, IoError> {
        let path = path.as_ref();
        check_output(path, overwrite)?;
        // A link keeps pointing where it does: its target is what is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temp = builder
            .prefix(&prefix(&path))
            .suffix(".tmp")
            .tempfile_in(parent(&path))
            .map_err(|e| IoError::os("create", &path, e))?;
        Ok(Self { path, temp, overwrite })
    }

    /// The path that it will have.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The temporary path, for writers that take one.
    pub fn temp_path(&self) -> &Path {
        self.temp.path()
    }

    /// Flushes the file to disk and gives it its name.
    ///
    /// # Errors
    /// [`IoError`] where the disk is full, or the path was taken in the meantime.
    pub fn finish(self) -> Result<(), IoError> {
        let Self { path, temp, overwrite } = self;
        // Opened anew: a writer that took the path may have put another file there.
        fs::File::open(temp.path())
            .and_then(|f| f.sync_all())
            .map_err(|e| IoError::os("write", &path, e))?;
        let renamed = if overwrite { temp.persist(&path) } else { temp.persist_noclobber(&path) };
        renamed.map_err(|e| match e.error.kind() {
            io::ErrorKind::AlreadyExists => IoError::Exists { path: path.clone() },
            _ => IoError::os("write", &path, e.error),
        })?;
        sync_dir(&parent(&path));
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temp.flush()
    }
}

/// Makes a rename durable, as far as the system can.
pub(super) fn sync_dir(dir: &Path) {
    #[cfg(unix)]
    if let Ok(dir) = fs::File::open(dir) {
        // Some file systems refuse this; the file itself is on disk.
        let _ = dir.sync_all();
    }
    #[cfg(not(unix))]
    let _ = dir;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appears_when_finished() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        let mut file = AtomicFile::create(&path, false).unwrap();
        file.write_all(b"new").unwrap();
        assert!(!path.exists());
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(AtomicFile::create(&path, false).is_err());

        let mut dropped = AtomicFile::create(&path, true).unwrap();
        dropped.write_all(b"other").unwrap();
        drop(dropped);
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn loses_no_race() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        let file = AtomicFile::create(&path, false).unwrap();
        fs::write(&path, "from elsewhere").unwrap();
        assert!(matches!(file.finish(), Err(IoError::Exists { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"from elsewhere");
    }

    #[cfg(unix)]
    #[test]
    fn can_be_read_by_others_and_follows_links() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("a.txt"), dir.path().join("link"));
        AtomicFile::create(&path, false).unwrap().finish().unwrap();
        fs::write(dir.path().join("plain"), "").unwrap();
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&dir.path().join("plain")));

        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut file = AtomicFile::create(&link, true).unwrap();
        file.write_all(b"through").unwrap();
        file.finish().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"through");
    }
}
