//! Broken zarr stores give errors, the same values, or other valid ones: no panic, no endless loop,
//! no memory for what is not there, and nothing from outside the store.

mod common;
mod limit;
mod mix;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use common::stores::{STORES, store_files, write_store};
use limit::{alone, within_limit};
use mix::Mix;
use scvi_io::IoError;
use scvi_io::anndata::{AnnDataFile, MatrixKey};
use tempfile::tempdir;

type Files = BTreeMap<String, Vec<u8>>;

/// Mutations of each store; `SCVI_MUTATIONS` asks for more.
fn rounds() -> usize {
    std::env::var("SCVI_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(25)
}

/// Reads all there is; whatever matrix comes is valid. How much could be read.
fn read_all(path: &Path, what: &str) -> Result<usize, IoError> {
    let file = AnnDataFile::open(path)?;
    let mut n_read = 0;
    for key in file.matrices() {
        let _ = file.stored_counts(&key).and_then(|stored| stored.summary());
        let Ok(counts) = file.counts(&key) else { continue };
        n_read += 1;
        let n_vars = file.genes_of(&key)?.len();
        assert_eq!((counts.n_cells(), counts.n_genes()), (file.n_obs(), n_vars), "{what}");
        for cell in 0..counts.n_cells() {
            let (genes, values) = counts.row(cell);
            assert!(genes.is_sorted_by(|a, b| a < b), "{what}: cell {cell}");
            assert!(genes.iter().all(|&gene| (gene as usize) < n_vars), "{what}");
            assert!(values.iter().all(|v| v.is_finite() && *v >= 0.0), "{what}: cell {cell}");
        }
    }
    for key in file.obs_columns() {
        let Ok(column) = file.obs_column(key) else { continue };
        n_read += 1;
        assert_eq!(column.len(), file.n_obs(), "{what}: {key}");
    }
    let _ = file.minified_data_type();
    Ok(n_read)
}

/// Reads a store that was written with these files, within time and memory.
fn read(files: &Files, what: &str) -> Result<usize, IoError> {
    let dir = tempdir().unwrap();
    write_store(dir.path(), files);
    let size = files.values().map(Vec::len).sum();
    let start = Instant::now();
    let read =
        catch_unwind(AssertUnwindSafe(|| within_limit(size, what, || read_all(dir.path(), what))));
    assert!(start.elapsed() < Duration::from_secs(20), "{what}: {:?}", start.elapsed());
    read.unwrap_or_else(|_| panic!("panic: {what}"))
}

impl Mix {
    /// Changes a file: a bit, a huge number in its text or its bytes, an end, a piece of another.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = self.below(bytes.len());
        match self.below(7) {
            0 | 1 => bytes[at] ^= 1 << self.below(8),
            2 => bytes.truncate(at),
            3 => {
                let width = 4.min(bytes.len() - at);
                let huge = [u32::MAX, i32::MAX as u32, 99_999_999, 0][self.below(4)];
                bytes[at..at + width].copy_from_slice(&huge.to_le_bytes()[..width]);
            }
            4 => bytes.insert(at, self.next() as u8),
            _ => {
                let digits = (0..bytes.len()).filter(|&k| bytes[k].is_ascii_digit());
                let digits: Vec<usize> = digits.collect();
                let Some(&start) = digits.get(self.below(digits.len().max(1))) else { return };
                let n = bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
                let huge = ["18446744073709551615", "4294967296", "99999999", "-1", "0", "[]"];
                bytes.splice(start..start + n, huge[self.below(huge.len())].bytes());
            }
        }
    }
}

#[test]
fn files_changed_anywhere() {
    let _alone = alone();
    let (mut errors, mut read_some) = (0, 0);
    for (k, name) in STORES.into_iter().enumerate() {
        let whole = store_files(name);
        assert!(read(&whole, name).unwrap() > 8);
        let paths: Vec<&String> = whole.keys().collect();
        let mut mix = Mix(k as u64);
        for round in 0..rounds() {
            let mut files = whole.clone();
            let mut changed = Vec::new();
            for _ in 0..=mix.below(3) {
                let path = paths[mix.below(paths.len())].clone();
                if mix.below(10) == 0 {
                    files.remove(&path);
                } else if let Some(bytes) = files.get_mut(&path) {
                    mix.mutate(bytes);
                }
                changed.push(path);
            }
            let what = format!("{name}, round {round}: {changed:?}");
            match read(&files, &what) {
                Err(_) => errors += 1,
                Ok(n) => read_some += usize::from(n > 0),
            }
        }
    }
    println!("{errors} could not be opened, {read_some} could be read in part");
    assert!(errors > 0 && read_some > 0);
}

/// The error that reading a layer of a changed store ends with.
fn refusal(name: &str, layer: &str, change: impl FnOnce(&mut Files)) -> String {
    let _alone = alone();
    let dir = tempdir().unwrap();
    let mut files = store_files(name);
    change(&mut files);
    write_store(dir.path(), &files);
    let size = files.values().map(Vec::len).sum();
    let key = MatrixKey::Layer(layer.into());
    let counts = || AnnDataFile::open(dir.path()).and_then(|file| file.counts(&key));
    within_limit(size, layer, counts).unwrap_err().to_string()
}

fn replace(files: &mut Files, path: &str, from: &str, to: &str) {
    let text: String = String::from_utf8(files[path].clone()).unwrap();
    let text: String = text.split_whitespace().collect();
    assert!(text.contains(from), "{text}");
    files.insert(path.into(), text.replace(from, to).into());
}

#[test]
fn sizes_that_the_store_does_not_hold() {
    for (name, file) in [("codecs_v2.zarr", ".zarray"), ("codecs_v3.zarr", "zarr.json")] {
        for rows in ["1000000000", "18446744073709551615"] {
            let error = refusal(name, "gzip", |files| {
                let path = format!("layers/gzip/{file}");
                replace(files, &path, "[40,600]", &format!("[{rows},600]"));
            });
            assert!(error.contains("an array that its chunks can hold"), "{name}: {error}");
        }
        // A chunk that its file cannot unpack to.
        let error = refusal(name, "none", |files| {
            replace(files, &format!("layers/none/{file}"), "[16,400]", "[160000,400000]");
        });
        assert!(error.contains("expected an array") || error.contains("cannot hold"), "{error}");
    }
}

#[test]
fn chunks_that_unpack_to_more_than_they_say() {
    use std::io::Write;
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..200).for_each(|_| bomb.write_all(&[0; 1 << 20]).unwrap());
    let bomb = bomb.finish().unwrap();
    let error = refusal("codecs_v2.zarr", "gzip", |files| {
        files.insert("layers/gzip/0.0".into(), bomb);
    });
    assert!(error.contains("layers/gzip: a chunk unpacks to more than its 25600 bytes"), "{error}");
    // A header of blosc that claims four gigabytes.
    let error = refusal("codecs_v2.zarr", "blosc_lz4_1", |files| {
        let chunk = files.get_mut("layers/blosc_lz4_1/0.0").unwrap();
        chunk[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    });
    assert!(error.contains("unpacks to more than its 25600 bytes"), "{error}");
}

#[cfg(unix)]
#[test]
fn nothing_from_outside_the_store() {
    let dir = tempdir().unwrap();
    let root = dir.path().join("in.zarr");
    let files = store_files("codecs_v2.zarr");
    write_store(&root, &files);
    let outside = dir.path().join("outside");
    std::fs::rename(root.join("layers/none/0.0"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, root.join("layers/none/0.0")).unwrap();
    let read = || {
        let file = AnnDataFile::open(&root).unwrap();
        file.counts(&MatrixKey::Layer("none".into()))
    };
    let error = read().unwrap_err().to_string();
    assert!(error.contains("expected files within the store"), "{error}");
    // Within the store a link is as good as a file.
    std::fs::rename(&outside, root.join("kept")).unwrap();
    std::fs::remove_file(root.join("layers/none/0.0")).unwrap();
    std::os::unix::fs::symlink("../../kept", root.join("layers/none/0.0")).unwrap();
    read().unwrap();
    // A name is no path.
    let file = AnnDataFile::open(&root).unwrap();
    for key in ["../X", "/etc", "..", "a/b"] {
        assert!(file.obs_column(key).is_err(), "{key}");
    }
}
