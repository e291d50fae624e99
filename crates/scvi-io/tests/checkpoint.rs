//! The checkpoint of a run, there and back.

use std::fs;
use std::path::{Path, PathBuf};

use scvi::data::simulate::{SimulateConfig, Simulated, simulate};
use scvi::data::{CategoricalField, Dataset, Registry};
use scvi::module::VaeConfig;
use scvi::train::{EarlyStopping, RunDescription, TrainPlan, TrainingRun};
use scvi_io::checkpoint::{
    CHECKPOINT_VERSION, CheckpointMeta, RunSetup, checkpoint_path, read_checkpoint,
    write_checkpoint,
};
use scvi_io::{InputMeta, IoError};
use tempfile::tempdir;

fn simulated() -> Simulated {
    simulate(&SimulateConfig { n_cells: 40, n_genes: 20, density: 0.3, ..Default::default() })
}

fn config() -> VaeConfig {
    // Numbers that binary fractions do not hold: they must come back bit-identical.
    VaeConfig {
        n_input: 20,
        n_batch: 2,
        n_hidden: 6,
        n_latent: 2,
        dropout_rate: 0.1 + 0.2,
        use_observed_lib_size: false,
        library_log_means: Some(vec![1.0 / 3.0, 2.0 / 7.0]),
        library_log_vars: Some(vec![1e-17 / 3.0, 1e300 / 3.0]),
        ..Default::default()
    }
}

fn plan() -> TrainPlan {
    TrainPlan {
        max_epochs: Some(9),
        batch_size: 10,
        train_size: 0.7,
        early_stopping: Some(EarlyStopping {
            patience: 8,
            min_delta: 1.0 / 3.0,
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn setup() -> RunSetup {
    let field = CategoricalField {
        key: "donor".into(),
        categories: vec!["é".into(), "b".into()],
        kind: Default::default(),
    };
    RunSetup {
        program: "scvi-rs 0.1.0".into(),
        options: vec!["--lr=0.1".into(), "--batch-key=\"donor\"".into()],
        registry: Registry { batch: Some(field), ..Registry::default() },
        input: InputMeta::new(40, &["a".to_owned(), "b".to_owned()]),
        mapping: None,
        epochs_before: 0,
        began_with: None,
    }
}

/// Runs so many minibatches, and writes a checkpoint.
fn write(path: &Path, minibatches: usize) -> (CheckpointMeta, scvi::train::Checkpoint) {
    let (sim, plan) = (simulated(), plan());
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let fingerprint = data.fingerprint().unwrap();
    let mut run = TrainingRun::new(config().validate().unwrap(), &data, &plan).unwrap();
    for _ in 0..minibatches {
        run.advance().unwrap();
    }
    let meta = CheckpointMeta {
        checkpoint_version: CHECKPOINT_VERSION,
        instruction_set: scvi::instruction_set().into(),
        setup: setup(),
        run: run.description(&fingerprint),
        progress: run.progress().clone(),
    };
    write_checkpoint(path, &meta, &run).unwrap();
    (meta, run.checkpoint(&fingerprint).unwrap())
}

#[test]
fn there_and_back_to_the_bit() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("m.checkpoint");
    for minibatches in [0, 1, 3, 12, 13] {
        let (meta, checkpoint) = write(&path, minibatches);
        let read = read_checkpoint::<VaeConfig>(&path).unwrap();
        assert_eq!(read.0, meta, "{minibatches}");
        assert!(read.1 == checkpoint, "{minibatches}");
        let one = fs::read(&path).unwrap();
        write(&path, minibatches);
        assert!(fs::read(&path).unwrap() == one, "other bytes");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn lies_beside_its_model() {
    let of = |model: &str| checkpoint_path(model);
    assert_eq!(of("a/m"), PathBuf::from("a/m.checkpoint"));
    assert_eq!(of("m.v2/"), PathBuf::from("m.v2.checkpoint"));
    assert_eq!(of("./m"), PathBuf::from("./m.checkpoint"));
}

#[test]
fn any_safetensors_reader_opens_it() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("m.checkpoint");
    let (_, checkpoint) = write(&path, 4);
    let bytes = fs::read(&path).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let scale = tensors.tensor("weights/decoder.px_scale_decoder.0.weight").unwrap();
    assert_eq!(scale.shape(), [20, 6]);
    let expected = &checkpoint.moments[1]["px_r"];
    let found = tensors.tensor("adam.exp_avg_sq/px_r").unwrap();
    let values: Vec<u8> = expected.data.iter().flat_map(|v| v.to_le_bytes()).collect();
    assert_eq!(found.data(), values);
}

#[test]
fn another_instruction_set_is_a_caveat_and_no_error() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("m.checkpoint");
    let (meta, _) = write(&path, 1);
    assert_eq!(meta.caveat(), None);
    let elsewhere = CheckpointMeta { instruction_set: "vector".into(), ..meta };
    elsewhere.check_same(&path, &elsewhere.setup, &elsewhere.run).unwrap();
    let told = elsewhere.caveat().unwrap();
    assert!(told.contains("instruction set vector"), "{told}");
    assert!(told.contains(scvi::instruction_set()) && told.contains("may differ"), "{told}");
}

#[test]
fn the_first_difference_is_named() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("m.checkpoint");
    let (meta, _) = write(&path, 1);
    meta.check_same(&path, &meta.setup, &meta.run).unwrap();
    let told = |setup: &RunSetup, run: &RunDescription| {
        let error = meta.check_same(&path, setup, run).unwrap_err();
        assert!(matches!(error, IoError::OtherRun { .. }) && error.hint().is_some());
        error.to_string().split_once(": ").unwrap().1.to_owned()
    };
    let with = |change: &dyn Fn(&mut RunSetup)| {
        let mut setup = meta.setup.clone();
        change(&mut setup);
        told(&setup, &meta.run)
    };
    assert_eq!(
        with(&|s| s.program = "scvi-rs 0.2.0".into()),
        "the program is scvi-rs 0.2.0, and was scvi-rs 0.1.0"
    );
    assert_eq!(with(&|s| s.input.n_cells = 41), "the input's n_cells is 41, and was 40");
    assert_eq!(
        with(&|s| s.epochs_before = 5),
        "the model's number of epochs before the run is 5, and was 0"
    );
    let other = InputMeta::new(40, &["a".to_owned(), "c".to_owned()]);
    assert!(with(&|s| s.input = other.clone()).starts_with("the input's var_names_sha256 is"));
    assert_eq!(
        with(&|s| s.registry.batch.as_mut().unwrap().key = "day".into()),
        "the input's batch.key is day, and was donor"
    );
    let mut run = meta.run.clone();
    run.plan.adam.eps = 0.5;
    assert_eq!(told(&meta.setup, &run), "adam.eps is 0.5, and was 0.01");
    run.config.n_hidden = 7;
    assert_eq!(told(&meta.setup, &run), "n_hidden is 7, and was 6");
    // How it was typed does not matter.
    let mut setup = meta.setup.clone();
    setup.options.clear();
    meta.check_same(&path, &setup, &meta.run).unwrap();
}

#[test]
fn says_what_is_wrong_with_a_file() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("m.checkpoint");
    assert!(matches!(read_checkpoint::<VaeConfig>(&path), Err(IoError::NotFound { .. })));
    let says = |bytes: &[u8], text: &str| {
        fs::write(&path, bytes).unwrap();
        let error = read_checkpoint::<VaeConfig>(&path).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    };
    says(b"", "not a safetensors file");
    write(&path, 2);
    let whole = fs::read(&path).unwrap();
    says(&whole[..whole.len() - 1], "not a safetensors file");
    let at = |text: &str| whole.windows(text.len()).position(|w| w == text.as_bytes()).unwrap();
    let edited = |from: &str, to: &str| {
        let mut bytes = whole.clone();
        bytes[at(from)..at(from) + to.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    says(&edited("scvi_rs_checkpoint", "scvi_rs_checkpoinT"), "no scvi_rs_checkpoint");
    says(&edited("max_epochs", "max_epoxhs"), "unknown field `max_epoxhs`");
    let version = |version: u32| format!("\\\"checkpoint_version\\\":{version}");
    says(&edited(&version(CHECKPOINT_VERSION), &version(7)), "version 7");
    let mut flipped = whole.clone();
    flipped[whole.len() - 100] ^= 4;
    says(&flipped, "it is damaged");
}
