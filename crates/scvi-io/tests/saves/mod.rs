//! Where the saves are, and what they should hold.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod craft;
pub mod input;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use safetensors::SafeTensors;
use scvi_io::scvi_tools::ScviToolsSave;

/// The models that scvi-tools trained (`reference/saves.py`).
pub const MODELS: [&str; 23] = [
    "category_types",
    "covariates",
    "default",
    "embedding",
    "embedding_covariates",
    "encode_shallow",
    "gene_batch",
    "gene_cell",
    "gene_label",
    "labels",
    "latent_library",
    "latent_library_labels",
    "layer",
    "layer_kwargs",
    "layer_norm",
    "layers2",
    "linear",
    "logistic_normal",
    "nb",
    "normal",
    "poisson",
    "size_factor",
    "untrained",
];

/// Some of them by other releases of scvi-tools: the first and the last of 1.x, and each between.
pub const OTHER_RELEASES: [&str; 15] = [
    "scvi_1.0.4_covariates",
    "scvi_1.0.4_latent_library",
    "scvi_1.0.4_linear",
    "scvi_1.1.6.post2_covariates",
    "scvi_1.1.6.post2_latent_library",
    "scvi_1.1.6.post2_linear",
    "scvi_1.2.2.post2_covariates",
    "scvi_1.2.2.post2_latent_library",
    "scvi_1.2.2.post2_linear",
    "scvi_1.3.3_covariates",
    "scvi_1.3.3_latent_library",
    "scvi_1.3.3_linear",
    "scvi_1.5.1_covariates",
    "scvi_1.5.1_latent_library",
    "scvi_1.5.1_linear",
];

/// All models, of whatever release.
pub fn models() -> impl Iterator<Item = &'static str> {
    MODELS.into_iter().chain(OTHER_RELEASES)
}

/// Saves without tensors, by other versions of numpy and pandas (`reference/pickles.py`).
pub const PICKLES: [&str; 7] = [
    "pandas_1.2",
    "pandas_1.5",
    "pandas_2.0",
    "pandas_2.2",
    "pandas_3.0",
    "pandas_3.0_pyarrow",
    "protocol_5",
];

/// The folder of a save.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/saves").join(name)
}

/// The only save in a folder.
pub fn read(name: &str) -> ScviToolsSave {
    ScviToolsSave::read(folder(name), None).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The bytes of the only save in a folder.
pub fn bytes(name: &str) -> Vec<u8> {
    let [file] = &scvi_io::scvi_tools::saves_in(folder(name)).unwrap()[..] else {
        panic!("{name}: one save expected");
    };
    fs::read(folder(name).join(file)).unwrap()
}

/// Arrays by name: shape and values, all types widened.
pub fn tensors(path: &Path) -> BTreeMap<String, (Vec<usize>, Vec<f64>)> {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter()
        .map(|(name, view)| {
            let data = view.data();
            let values = match view.dtype() {
                safetensors::Dtype::F32 => {
                    data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect()
                }
                safetensors::Dtype::F64 => {
                    data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
                }
                safetensors::Dtype::I64 => {
                    data.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect()
                }
                other => panic!("{name}: {other:?}"),
            };
            (name.to_owned(), (view.shape().to_vec(), values))
        })
        .collect()
}

/// Asks scvi-tools, where there is one, whether each save in a folder is as good as the one of that
/// name in `reference/saves`.
#[track_caller]
pub fn same_for_scvi_tools(dir: &Path) {
    let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
        eprintln!("skipped: what scvi-tools says (set SCVI_REFERENCE_PYTHON to a Python with it)");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_saved.py");
    let output = Command::new(python).arg(script).arg(dir).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let loaded = String::from_utf8(output.stdout).unwrap();
    assert_eq!(loaded.lines().filter(|line| line.ends_with(": same")).count(), models().count());
}
