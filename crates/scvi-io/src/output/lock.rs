//! One run at a time writes an output.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::check::{check_parent, with_ending};
use crate::IoError;

/// How much of a lock file is read: one line that says who holds it.
const MAX_HOLDER: u64 = 200;

/// An output that no other run may write while this lives.
///
/// It is a file beside the output, `PATH.lock`, with an advisory lock of the operating system. The
/// system gives the lock up when the process ends, however it ends: a file that a killed run left
/// behind is locked by nobody, and the next run takes it over. The file is deleted on drop.
///
/// ```
/// use scvi_io::IoError;
/// use scvi_io::output::OutputLock;
///
/// let folder = tempfile::tempdir()?;
/// let model = folder.path().join("model");
/// let lock = OutputLock::acquire(&model)?;
/// assert!(matches!(OutputLock::acquire(&model), Err(IoError::InUse { .. })));
/// drop(lock);
/// OutputLock::acquire(&model)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct OutputLock {
    path: PathBuf,
    /// Holds the lock while it is open.
    _file: File,
}

impl OutputLock {
    /// Locks an output, without waiting.
    ///
    /// # Errors
    /// [`IoError::InUse`] where another process holds the lock, [`IoError::BadOutput`] where the
    /// output cannot be written, and [`IoError::Os`] where the file system has no locks.
    pub fn acquire(output: impl AsRef<Path>) -> Result<Self, IoError> {
        let output = output.as_ref();
        check_parent(output)?;
        let path = with_ending(output, ".lock");
        let os = |e| IoError::os("lock", &path, e);
        loop {
            let mut file = open(&path).map_err(os)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let (path, holder) = (output.to_owned(), holder(&mut file));
                    return Err(IoError::InUse { path, holder });
                }
                Err(TryLockError::Error(error)) => {
                    let _ = fs::remove_file(&path);
                    return Err(os(error));
                }
            }
            // Between opening and locking, the run before may have deleted it: then the lock is on
            // a file that nobody else will find.
            if is_at(&file, &path) {
                // Only a message to others depends on it.
                let _ = sign(&mut file);
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for OutputLock {
    fn drop(&mut self) {
        // While it is still locked, so that it is this run's own.
        let _ = fs::remove_file(&self.path);
    }
}

fn open(path: &Path) -> io::Result<File> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    match opened {
        // What another user's run left behind may be locked, if not signed.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => File::open(path),
        opened => opened,
    }
}

/// Whether this is the file at the path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |meta: fs::Metadata| (meta.dev(), meta.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => id(open) == id(there),
        _ => false,
    }
}

/// Where an open file cannot be deleted by another process, it is.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Says in the file who holds it.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    let process = format!("process {}", std::process::id());
    match host() {
        Some(host) => writeln!(file, "{process} on {host}"),
        None => writeln!(file, "{process}"),
    }
}

#[cfg(target_os = "linux")]
fn host() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(not(target_os = "linux"))]
fn host() -> Option<String> {
    None
}

/// Who holds a lock, if the file says so: the holder may not have come to that.
fn holder(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.take(MAX_HOLDER).read_to_string(&mut text).ok()?;
    let line = text.lines().next()?;
    let is_plain = line.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    (is_plain && line.starts_with("process ")).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_left_behind_is_taken_over_and_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let (model, left) = (dir.path().join("m"), dir.path().join("m.lock"));
        fs::write(&left, "process 1 on another host").unwrap();
        let lock = OutputLock::acquire(&model).unwrap();
        let own = format!("process {}", std::process::id());
        assert!(fs::read_to_string(&left).unwrap().starts_with(&own));
        let error = OutputLock::acquire(dir.path().join("m/")).unwrap_err();
        let IoError::InUse { holder: Some(holder), .. } = error else { panic!("{error}") };
        assert!(holder.starts_with(&own), "{holder}");
        OutputLock::acquire(dir.path().join("m2")).unwrap();
        drop(lock);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let error = OutputLock::acquire(dir.path().join("none/m")).unwrap_err();
        assert!(error.to_string().contains("there is no folder"), "{error}");
    }

    #[test]
    fn what_a_file_says_is_shown_only_where_a_run_wrote_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.lock");
        for (text, wanted) in [
            ("", None),
            ("process 7", Some("process 7")),
            ("process 7 on a.b\nmore", Some("process 7 on a.b")),
            ("process 7\u{1b}[2J", None),
            ("anything", None),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(holder(&mut File::open(&path).unwrap()).as_deref(), wanted);
        }
    }

    /// However many begin at one moment, and whenever those before them end, one at a time holds it.
    #[test]
    fn one_of_many_holds_it() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let dir = tempfile::tempdir().unwrap();
        let (path, holders, acquired) =
            (dir.path().join("m"), AtomicUsize::new(0), AtomicUsize::new(0));
        let contend = || {
            for _ in 0..200 {
                let Ok(_lock) = OutputLock::acquire(&path) else { continue };
                assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two hold it");
                acquired.fetch_add(1, Ordering::SeqCst);
                std::thread::yield_now();
                holders.fetch_sub(1, Ordering::SeqCst);
            }
        };
        std::thread::scope(|scope| (0..8).for_each(|_| _ = scope.spawn(contend)));
        assert!(acquired.load(Ordering::SeqCst) > 0);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
