//! Broken `.h5ad` files give errors, the same values, or other valid ones: no panic, no endless
//! loop, no memory for what is not there.
//!
//! HDF5 has checksums in places only: around deflated chunks (zlib's own), chunks with the filter
//! fletcher32, and the structures of its newer format. A bit that flips there is found. Anywhere
//! else - the numbers of a plain data set, a name, the old format's headers - a changed byte can
//! make another file as good as the first, and no reader can know. What is promised of such a file
//! is that whatever is read from it is valid, as [`assert_valid`] spells out.

mod common;
mod limit;
mod mix;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use common::{assert_valid, fixture_bytes, readable_fixtures};
use limit::{alone, within_limit};
use mix::Mix;
use scvi_io::IoError;
use scvi_io::anndata::{AnnDataFile, Column, MatrixKey, Slot, check_copy};
use scvi_io::h5ad::{NewArray, write_with_arrays};
use tempfile::TempDir;

/// All that can be read from a file, by place; what cannot be read is left out.
fn reading(path: &Path, what: &str) -> Result<BTreeMap<String, String>, IoError> {
    let file = AnnDataFile::open(path)?;
    let mut parts = BTreeMap::new();
    for key in file.matrices() {
        if let Ok(summary) = file.stored_counts(&key).and_then(|stored| stored.summary()) {
            parts.insert(format!("summary of {key}"), format!("{summary:?}"));
        }
        if let Ok(matrix) = file.counts(&key) {
            let n_vars = file.genes_of(&key).unwrap().len();
            assert_valid(&matrix, file.n_obs(), n_vars, what);
            parts.insert(key.to_string(), format!("{matrix:?}"));
        }
    }
    for key in file.obs_columns() {
        let Ok(column) = file.obs_column(key) else { continue };
        assert_eq!(column.len(), file.n_obs(), "{what}: {key}");
        let categorical = column.to_categorical();
        let n = categorical.categories.len();
        assert!(categorical.codes.iter().flatten().all(|&code| (code as usize) < n), "{what}");
        // NaN is not itself: as text it is.
        parts.insert(format!("obs/{key}"), format!("{column:?}"));
        if let Column::Categorical(c) = column {
            assert_eq!(c, categorical, "{what}: {key}");
        }
    }
    parts.insert("names".into(), format!("{:?} {:?}", file.obs_names(), file.var_names()));
    parts.insert("lists".into(), format!("{:?} {:?}", file.obs_columns(), file.layers()));
    parts.insert("obsm".into(), format!("{:?}", file.obsm_keys()));
    Ok(parts)
}

/// A folder for broken files, and what became of them.
struct Bench {
    dir: TempDir,
    /// Files that could not be opened, files that read as before, and files that read otherwise.
    outcomes: [usize; 3],
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), outcomes: [0; 3] }
    }

    fn read(&self, bytes: &[u8], what: &str) -> Result<BTreeMap<String, String>, IoError> {
        let path = self.dir.path().join("broken.h5ad");
        fs::write(&path, bytes).unwrap();
        let start = Instant::now();
        let read = catch_unwind(AssertUnwindSafe(|| {
            within_limit(bytes.len(), what, || reading(&path, what))
        }));
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: {:?}", start.elapsed());
        read.unwrap_or_else(|_| panic!("panic: {what}"))
    }

    /// Copies the broken file with an array added, as a result would be.
    fn copy(&self, bytes: &[u8], what: &str) {
        let [input, output] = ["broken.h5ad", "out.h5ad"].map(|name| self.dir.path().join(name));
        fs::write(&input, bytes).unwrap();
        let Ok(n) = AnnDataFile::open(&input).map(|file| file.n_obs()) else { return };
        let values = vec![1.0; n];
        let array = NewArray { slot: Slot::Obsm, key: "X_scVI", values: &values, columns: 1 };
        let copied = catch_unwind(AssertUnwindSafe(|| {
            let tried = within_limit(bytes.len(), what, || check_copy(&input, &output, true));
            let add = || write_with_arrays(&input, &output, &[array], true);
            (tried, within_limit(bytes.len(), what, add))
        }));
        let (_tried, added) = copied.unwrap_or_else(|_| panic!("panic while copying: {what}"));
        let n_files = fs::read_dir(self.dir.path()).unwrap().count();
        assert_eq!(n_files, 1 + usize::from(added.is_ok()), "{what}");
        let _ = fs::remove_file(output);
    }

    /// Reads a broken file; whether all that could be read is as it was.
    fn is_same(&mut self, bytes: &[u8], intact: &BTreeMap<String, String>, what: &str) -> bool {
        let read = self.read(bytes, what);
        let same = read.as_ref().map_or(true, |parts| {
            parts.iter().all(|(place, value)| intact.get(place) == Some(value))
        });
        self.outcomes[if read.is_err() { 0 } else { 2 - usize::from(same) }] += 1;
        same
    }
}

/// Mutations of each file; `SCVI_MUTATIONS` asks for more.
fn rounds() -> usize {
    std::env::var("SCVI_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

impl Mix {
    /// Changes a file a few times, at places where there is something: most of it is padding.
    fn mutate(&mut self, bytes: &mut Vec<u8>, used: &[usize]) {
        if self.below(12) == 0 {
            bytes.truncate(self.below(bytes.len()));
            return;
        }
        for _ in 0..=self.below(4) {
            let at = (used[self.below(used.len())] + self.below(16)).min(bytes.len() - 1);
            match self.below(5) {
                0 | 1 => bytes[at] ^= 1 << self.below(8),
                2 => bytes[at] = [0, 0xff, self.next() as u8][self.below(3)],
                // A size, an address or a count of 2, 4 or 8 bytes.
                3 => {
                    let width = [2, 4, 8][self.below(3)].min(bytes.len() - at);
                    let huge = [u64::MAX, i64::MAX as u64, 1 << 32, 99_999_999][self.below(4)];
                    bytes[at..at + width].copy_from_slice(&huge.to_le_bytes()[..width]);
                }
                _ => {
                    let to = self.below(bytes.len());
                    let n = self.below(40).min(bytes.len() - at.max(to));
                    bytes.copy_within(at..at + n, to);
                }
            }
        }
    }
}

#[test]
fn bytes_changed_anywhere() {
    let _alone = alone();
    let mut bench = Bench::new();
    for (k, name) in readable_fixtures().iter().enumerate() {
        let whole = fixture_bytes(name);
        let intact = bench.read(&whole, name).unwrap();
        let used: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] != 0).collect();
        let mut mix = Mix(k as u64);
        for round in 0..rounds() {
            let mut broken = whole.clone();
            mix.mutate(&mut broken, &used);
            let what = format!("{name}, round {round}");
            bench.is_same(&broken, &intact, &what);
            if round % 4 == 0 {
                bench.copy(&broken, &what);
            }
        }
    }
    let [errors, same, others] = bench.outcomes;
    println!("{errors} errors, {same} the same, {others} others that are valid");
    assert!(errors > 0 && same > 0);
}

/// Flips bits of a file, one at a time: each must be found, or of no consequence.
fn assert_found(name: &str, whole: &[u8], bits: impl Iterator<Item = usize>) {
    let mut bench = Bench::new();
    let intact = bench.read(whole, name).unwrap();
    for bit in bits {
        let mut broken = whole.to_vec();
        broken[bit / 8] ^= 1 << (bit % 8);
        let what = format!("{name}, bit {} of byte {}", bit % 8, bit / 8);
        assert!(bench.is_same(&broken, &intact, &what), "{what}: other values");
    }
    assert!(bench.outcomes[0] + bench.outcomes[1] > 0, "{name}: nothing to flip");
}

#[test]
fn chunks_with_checksums() {
    let _alone = alone();
    // A few bits of each chunk, or every one.
    let step = if rounds() >= 1000 { 1 } else { 37 };
    let sparse = &["X/data", "X/indices", "X/indptr"][..];
    for (name, sets) in [
        ("csr_gzip.h5ad", sparse),
        ("csc_gzip.h5ad", sparse),
        ("dense_gzip.h5ad", &["X"]),
        ("filters.h5ad", &["X"]),
    ] {
        let whole = fixture_bytes(name);
        let file = hdf5_pure::File::from_bytes(whole.clone()).unwrap();
        let chunks = sets.iter().flat_map(|set| file.dataset(set).unwrap().chunks().unwrap());
        let bits = chunks.flat_map(|c| 8 * c.address..8 * (c.address + c.storage_size));
        assert_found(name, &whole, bits.step_by(step).map(|bit| bit as usize));
    }
}

/// Where the object headers of HDF5's newer format lie, their checksum at the end included (File
/// Format Specification 3.0, section IV.A.1.b).
fn object_headers(file: &[u8]) -> Vec<std::ops::Range<usize>> {
    let starts = file.windows(4).enumerate().filter(|(_, w)| w == b"OHDR").map(|(at, _)| at);
    let range = |start: usize| {
        let flags = file[start + 5];
        let times = if flags & 0x20 == 0 { 0 } else { 16 };
        let phases = if flags & 0x10 == 0 { 0 } else { 4 };
        let (at, width) = (start + 6 + times + phases, 1 << (flags & 3));
        let size = file[at..at + width].iter().rev().fold(0, |n, &b| n << 8 | usize::from(b));
        start..at + width + size + 4
    };
    starts.map(range).collect()
}

#[test]
fn headers_with_checksums() {
    let _alone = alone();
    for (k, name) in ["everything_latest.h5ad", "many_obsm_latest.h5ad"].into_iter().enumerate() {
        let whole = fixture_bytes(name);
        let headers = object_headers(&whole);
        assert!(!headers.is_empty(), "{name}");
        let mut mix = Mix(k as u64);
        let bits = (0..rounds()).map(|_| {
            let header = &headers[mix.below(headers.len())];
            8 * header.start + mix.below(8 * header.len())
        });
        assert_found(name, &whole, bits);
        // The superblock of version 3: 48 bytes, its checksum at the end.
        assert_found(name, &whole, (0..8 * 48).step_by(7));
    }
}

/// The error that reading the counts of a changed fixture ends with.
fn refusal(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("broken.h5ad");
    let mut bytes = fixture_bytes(name);
    change(&mut bytes);
    fs::write(&path, &bytes).unwrap();
    let counts = || AnnDataFile::open(&path).and_then(|file| file.counts(&MatrixKey::X));
    within_limit(bytes.len(), name, counts).unwrap_err().to_string()
}

/// Replaces the size of the matrix, 7 x 5: in a data space of version 1 and two dimensions, whose
/// header is eight bytes.
fn resize(bytes: &mut [u8], rows: u64) {
    let size = |rows: u64| [rows.to_le_bytes(), 5_u64.to_le_bytes()].concat();
    let is_size =
        |at: &usize| bytes[at - 8..at - 6] == [1, 2] && bytes[*at..].starts_with(&size(7));
    let places: Vec<usize> = (8..bytes.len()).filter(is_size).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|&at| bytes[at..at + 16].copy_from_slice(&size(rows)));
}

#[test]
fn sizes_that_the_file_does_not_hold() {
    for name in ["dense_float32.h5ad", "dense_gzip.h5ad", "dense_lzf.h5ad", "filters.h5ad"] {
        for rows in [100_000, 1 << 32, 1 << 62] {
            let error = refusal(name, |bytes| resize(bytes, rows));
            let expected = "X: expected a data set that fits into the file";
            assert!(error.contains(expected), "{name}, {rows} rows: {error}");
        }
    }
}

#[test]
fn a_chunk_larger_than_the_file() {
    let error = refusal("csr_gzip.h5ad", |bytes| {
        let file = hdf5_pure::File::from_bytes(bytes.clone()).unwrap();
        let chunk = file.dataset("X/data").unwrap().chunks().unwrap().remove(0);
        // The chunk's record in the index: its size, a filter mask of 0, its offset, its address.
        let mut record = (chunk.storage_size as u32).to_le_bytes().to_vec();
        record.resize(24, 0);
        record.extend(chunk.address.to_le_bytes());
        let at = bytes.windows(record.len()).position(|w| w == record).unwrap();
        bytes[at..at + 4].fill(0xff);
    });
    assert!(error.contains("X/data: expected a data set that fits into the file"), "{error}");
}

#[test]
fn cut_off_anywhere() {
    let _alone = alone();
    let mut bench = Bench::new();
    for name in ["csr_gzip.h5ad", "legacy_0_7.h5ad", "many_obsm_latest.h5ad"] {
        let whole = fixture_bytes(name);
        let intact = bench.read(&whole, name).unwrap();
        for k in 0..60 {
            let length = whole.len() * k / 60;
            let what = format!("{name} cut to {length} bytes");
            assert!(bench.is_same(&whole[..length], &intact, &what), "{what}");
        }
    }
}
