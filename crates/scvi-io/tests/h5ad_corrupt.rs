//! Broken files give errors: no panic, no endless loop, no memory for what is not there.

mod common;
mod mix;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use common::{fixture_bytes, readable_fixtures};
use mix::Mix;
use scvi_io::h5ad::{CountsKey, H5ad, NewArray, Slot, write_with_arrays};
use tempfile::tempdir;

/// Reads all there is to read, and copies the file.
fn read_all(path: &Path, output: &Path) {
    let Ok(file) = H5ad::open(path) else { return };
    let _ = file.counts(&CountsKey::X);
    for layer in file.layers() {
        let _ = file.counts(&CountsKey::Layer(layer.clone()));
    }
    for key in file.obs_columns() {
        if let Ok(column) = file.obs_column(key) {
            let _ = column.to_categorical();
        }
    }
    let values = vec![1.0; file.n_obs()];
    let array = NewArray { slot: Slot::Obsm, key: "X_scVI", values: &values, columns: 1 };
    let _ = write_with_arrays(path, output, &[array], true);
}

fn survives(bytes: &[u8], what: &str) {
    let dir = tempdir().unwrap();
    let path = dir.path().join("broken.h5ad");
    fs::write(&path, bytes).unwrap();
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| read_all(&path, &dir.path().join("out.h5ad"))));
    assert!(result.is_ok(), "panic: {what}");
    assert!(start.elapsed() < Duration::from_secs(20), "{what}: {:?}", start.elapsed());
}

#[test]
fn cut_off_anywhere() {
    for name in ["csr_gzip.h5ad", "legacy_0_7.h5ad", "many_obsm_latest.h5ad"] {
        let whole = fixture_bytes(name);
        for k in 0..60 {
            let length = whole.len() * k / 60;
            survives(&whole[..length], &format!("{name} cut to {length} bytes"));
        }
    }
}

#[test]
fn bytes_changed_anywhere() {
    let rounds: u64 =
        std::env::var("SCVI_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    for (k, name) in readable_fixtures().iter().enumerate() {
        let whole = fixture_bytes(name);
        // Most of such a file is padding; changes go where there is something.
        let used: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] != 0).collect();
        let mut mix = Mix(k as u64);
        for round in 0..rounds {
            let mut broken = whole.clone();
            let mut what = format!("{name} round {round}:");
            for _ in 0..=mix.below(4) {
                let near = mix.below(16);
                let at = (used[mix.below(used.len())] + near).min(whole.len() - 1);
                broken[at] = match mix.below(4) {
                    0 => 0xff,
                    1 => 0,
                    2 => broken[at] ^ (1 << mix.below(8)),
                    _ => mix.next() as u8,
                };
                what += &format!(" {at}={:#x}", broken[at]);
            }
            survives(&broken, &what);
        }
    }
}

#[test]
fn a_chunk_larger_than_the_file() {
    let mut bytes = fixture_bytes("csr_gzip.h5ad");
    let file = hdf5_pure::File::from_bytes(bytes.clone()).unwrap();
    let chunk = file.dataset("X/data").unwrap().chunks().unwrap().remove(0);
    // The chunk's record in the index: its size, a filter mask of 0, its offset, its address.
    let mut record = (chunk.storage_size as u32).to_le_bytes().to_vec();
    record.resize(24, 0);
    record.extend(chunk.address.to_le_bytes());
    let at = bytes.windows(record.len()).position(|w| w == record).unwrap();
    bytes[at..at + 4].fill(0xff);
    let dir = tempdir().unwrap();
    let path = dir.path().join("broken.h5ad");
    fs::write(&path, bytes).unwrap();
    let error = H5ad::open(&path).unwrap().counts(&CountsKey::X).unwrap_err().to_string();
    assert!(
        error.contains("X/data: expected chunks within the 29512 bytes of the file"),
        "{error}"
    );
}
