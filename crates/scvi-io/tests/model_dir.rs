//! The native model folder, there and back.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use scvi_io::IoError;
use scvi_io::model_dir::{
    HistoryTable, Tensor, Tensors, check_model_output, is_model_dir, read_history, read_model_dir,
    write_model_dir,
};
use serde::{Deserialize, Serialize};
use tempfile::tempdir;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Meta {
    format_version: u32,
    var_names: Vec<String>,
    registry: HashMap<String, f32>,
}

fn meta() -> Meta {
    let registry = (0..20).map(|k| (format!("key{k}"), k as f32 / 3.0)).collect();
    Meta { format_version: 1, var_names: vec!["gene0".into(), "é".into()], registry }
}

fn tensors() -> Tensors {
    let tensor = |shape: &[usize]| Tensor {
        shape: shape.into(),
        values: (0..shape.iter().product()).map(|k| k as f32 / 7.0).collect(),
    };
    Tensors::from([
        ("z_encoder.mean_encoder.weight".into(), tensor(&[3, 4])),
        ("px_r".into(), tensor(&[5])),
        ("z_encoder.mean_encoder.bias".into(), tensor(&[3])),
    ])
}

fn history() -> HistoryTable {
    HistoryTable {
        columns: ["epoch", "elbo_train"].map(String::from).into(),
        rows: vec![vec![0.0, 100.5], vec![1.0, 90.25]],
    }
}

fn write(dir: &Path, overwrite: bool) -> Result<(), IoError> {
    write_model_dir(dir, &tensors(), &meta(), &history(), overwrite)
}

#[test]
fn there_and_back_the_same_bytes_each_time() {
    let dir = tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    check_model_output(&one, false).unwrap();
    write(&one, false).unwrap();
    write(&two, false).unwrap();
    assert!(is_model_dir(&one) && !is_model_dir(dir.path()));
    for name in ["model.json", "model.safetensors", "history.csv"] {
        assert_eq!(fs::read(one.join(name)).unwrap(), fs::read(two.join(name)).unwrap(), "{name}");
    }
    assert_eq!(fs::read_dir(&one).unwrap().count(), 4);
    assert_eq!(read_model_dir::<Meta>(&one, "", 1).unwrap(), (tensors(), meta()));
    assert_eq!(read_history(&one, "").unwrap(), history());
    assert_eq!(
        fs::read_to_string(one.join("history.csv")).unwrap(),
        "epoch,elbo_train\n0,100.5\n1,90.25\n"
    );

    assert!(matches!(write(&one, false), Err(IoError::Exists { .. })));
    assert!(matches!(check_model_output(&one, false), Err(IoError::Exists { .. })));
    write(&one, true).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn says_why_a_folder_is_no_model() {
    let dir = tempdir().unwrap();
    let model = dir.path().join("model");
    let read = || read_model_dir::<Meta>(&model, "", 1).unwrap_err();
    let says = |text: &str| {
        let error = read().to_string();
        assert!(error.contains(text), "{error}");
    };
    assert!(matches!(read(), IoError::NotFound { .. }));
    fs::create_dir(&model).unwrap();
    says("is not a model folder: no model.json in it");
    fs::write(model.join("model.json"), "{").unwrap();
    says("model.json: EOF while parsing");
    fs::write(model.join("model.json"), "{}").unwrap();
    says("has no format_version");
    fs::write(model.join("model.json"), r#"{"format_version": 2, "new": []}"#).unwrap();
    assert!(matches!(read(), IoError::FormatVersion { found: 2, supported: 1, .. }));
    fs::write(model.join("model.json"), r#"{"format_version": 1}"#).unwrap();
    says("missing field `var_names`");
    fs::write(model.join("model.json"), serde_json::to_string(&meta()).unwrap()).unwrap();
    says("no model.safetensors in it");
    fs::write(model.join("model.safetensors"), "weights").unwrap();
    says("not a safetensors file");
    assert_eq!(read_history(&model, "").unwrap(), HistoryTable::default());
    fs::write(model.join("history.csv"), "epoch\nx\n").unwrap();
    assert!(read_history(&model, "").unwrap_err().to_string().contains("line 2: 'x' is no number"));
    fs::remove_dir_all(&model).unwrap();
    fs::write(&model, "").unwrap();
    says("it is a file, not a folder");
}

#[test]
fn refuses_to_write_nonsense() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("model");
    let mut nan = tensors();
    nan.get_mut("px_r").unwrap().values[1] = f32::NAN;
    let error = write_model_dir(&path, &nan, &meta(), &history(), false).unwrap_err().to_string();
    assert!(error.contains("tensor 'px_r': holds NaN at position 1"), "{error}");
    let mut short = history();
    short.rows[0].pop();
    assert!(write_model_dir(&path, &tensors(), &meta(), &short, false).is_err());
    assert!(write_model_dir(&path, &tensors(), &[1, 2], &history(), false).is_err());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn no_mutation_panics() {
    let dir = tempdir().unwrap();
    let model = dir.path().join("model");
    write(&model, false).unwrap();
    // What the sums would tell at once.
    fs::remove_file(model.join("SHA256SUMS")).unwrap();
    for name in ["model.json", "model.safetensors", "history.csv"] {
        let path = model.join(name);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len().min(400) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            for bytes in [&flipped[..], &whole[..at]] {
                fs::write(&path, bytes).unwrap();
                let _ = read_model_dir::<Meta>(&model, "", 1);
                let _ = read_history(&model, "");
            }
        }
        fs::write(&path, whole).unwrap();
    }
}
