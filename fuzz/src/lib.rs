//! What the targets share.

use std::fs;
use std::path::{Path, PathBuf};

use scvi_io::inputs::{Input, SampleOptions};
use tempfile::TempDir;

/// A folder for files that only a path can name; in memory where there is room for it.
pub struct Folder(TempDir);

impl Folder {
    /// An empty folder.
    ///
    /// # Panics
    /// Where none can be made.
    pub fn create() -> Self {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self(dir.expect("a temporary folder"))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file into it.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).expect("written");
        path
    }
}

/// Reads a sample, if it is one in a form of its own.
///
/// # Panics
/// Where the counts that come of it are not valid.
pub fn read_sample(path: &Path) {
    let Ok(Input::Other(mut sample)) = Input::open(path, &SampleOptions::default()) else { return };
    let Ok(counts) = sample.counts() else { return };
    assert_eq!((counts.n_cells(), counts.n_genes()), (sample.n_obs(), sample.var_names().len()));
    for cell in 0..counts.n_cells() {
        let (genes, values) = counts.row(cell);
        assert!(genes.is_sorted_by(|a, b| a < b));
        assert!(genes.iter().all(|&gene| (gene as usize) < counts.n_genes()));
        assert!(values.iter().all(|v| v.is_finite() && *v >= 0.0));
    }
}
