//! Zarr stores that anndata wrote.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use std::collections::BTreeMap;

use super::fixture_bytes;

/// Names of the stores (see `data/make_zarr_fixtures.py`).
pub const STORES: [&str; 4] =
    ["everything_v2.zarr", "everything_v3.zarr", "codecs_v2.zarr", "codecs_v3.zarr"];

/// The files of a store, path to bytes.
pub fn store_files(name: &str) -> BTreeMap<String, Vec<u8>> {
    let text = fixture_bytes(&format!("{name}.json"));
    let files: BTreeMap<String, String> = serde_json::from_slice(&text).unwrap();
    let byte = |hex: &[u8]| u8::from_str_radix(std::str::from_utf8(hex).unwrap(), 16).unwrap();
    files
        .into_iter()
        .map(|(path, hex)| (path, hex.as_bytes().chunks(2).map(byte).collect()))
        .collect()
}

/// Writes the files of a store.
pub fn write_store(root: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (path, bytes) in files {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

/// A store unpacked into a folder.
pub fn store(dir: &Path, name: &str) -> PathBuf {
    let root = dir.join(name);
    write_store(&root, &store_files(name));
    root
}

/// The files below a folder.
pub fn read_store(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut bytes = Vec::new();
            fs::File::open(&path).unwrap().read_to_end(&mut bytes).unwrap();
            files.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), bytes);
        }
    }
    files
}
