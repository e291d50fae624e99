//! What a killed run was writing.

use std::fs;
use std::path::Path;

use super::check::{parent, prefix};

/// Deletes what runs that were killed had begun to write for `path`, as far as it can: it lies
/// beside it under a temporary name. No other run may be writing there.
pub fn remove_unfinished(path: impl AsRef<Path>) {
    let path = path.as_ref();
    let Ok(entries) = fs::read_dir(parent(path)) else { return };
    for entry in entries.flatten() {
        if is_temporary(&entry.file_name().to_string_lossy(), &prefix(path)) {
            let of = entry.path();
            let _ = if of.is_dir() { fs::remove_dir_all(of) } else { fs::remove_file(of) };
        }
    }
}

/// Whether a name is `prefix`, six letters or digits, and `.tmp`: another path's temporary name has
/// more between its ends.
fn is_temporary(name: &str, prefix: &str) -> bool {
    let middle = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".tmp"));
    middle.is_some_and(|m| m.len() == 6 && m.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::super::{AtomicDir, AtomicFile};
    use super::*;

    #[test]
    fn deletes_temporary_names_of_this_path_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let file = AtomicFile::create(path("m"), false).unwrap();
        let folder = AtomicDir::create(path("m"), "marker", false).unwrap();
        let other = AtomicFile::create(path("m.v2"), false).unwrap();
        fs::write(path("m"), "").unwrap();
        fs::write(path(".m.notes.tmp"), "").unwrap();
        let temporary = [file.temp_path().to_owned(), folder.temp_path().to_owned()];
        assert!(temporary.iter().all(|t| t.exists()));
        remove_unfinished(path("m"));
        assert!(temporary.iter().all(|t| !t.exists()));
        assert!(other.temp_path().exists());
        assert!(path("m").exists() && path(".m.notes.tmp").exists());
    }
}
