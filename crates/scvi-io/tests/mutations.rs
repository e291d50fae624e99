//! Changed model folders and checkpoints give errors or the same values: neither panic nor endless
//! loop, nor memory beyond what the file's size justifies, comes of them.

mod limit;
mod mix;

use std::fs;
use std::path::Path;

use limit::{alone, within_limit};
use mix::Mix;
use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::module::VaeConfig;
use scvi::train::{TrainPlan, TrainingRun};
use scvi_io::checkpoint::{
    CHECKPOINT_VERSION, CheckpointMeta, RunSetup, read_checkpoint, write_checkpoint,
};
use scvi_io::{InputMeta, load_model};
use sha2::{Digest, Sha256};

impl Mix {
    /// Flips a bit, puts a huge length or number in, or cuts off.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        match self.below(8) {
            0..=2 => {
                let at = self.below(bytes.len());
                bytes[at] ^= 1 << self.below(8);
            }
            // The header's length, or whatever stands in its place.
            3 => {
                let huge = [u64::MAX, i64::MAX as u64, 1 << 32, 99_999_999][self.below(4)];
                bytes[..8].copy_from_slice(&huge.to_le_bytes());
            }
            4 | 5 => self.put_number(bytes),
            6 => bytes.truncate(self.below(bytes.len())),
            _ => {
                let at = self.below(bytes.len());
                bytes.insert(at, self.next() as u8);
            }
        }
    }

    /// Replaces a number in the text by a huge one: a count, a shape, an offset.
    fn put_number(&mut self, bytes: &mut Vec<u8>) {
        let starts: Vec<usize> = (1..bytes.len().min(4000))
            .filter(|&i| {
                bytes[i].is_ascii_digit() && matches!(bytes[i - 1], b':' | b'[' | b' ' | b',')
            })
            .collect();
        let Some(&start) = starts.get(self.below(starts.len().max(1))) else { return };
        let n = bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
        let huge = ["18446744073709551615", "4294967296", "99999999", "-1", "1e999"][self.below(5)];
        bytes.splice(start..start + n, huge.bytes());
    }
}

/// Mutations of every file and kind; `SCVI_MUTATIONS` asks for more.
fn rounds() -> usize {
    let asked = std::env::var("SCVI_MUTATIONS").ok().and_then(|n| n.parse().ok());
    asked.unwrap_or(if cfg!(debug_assertions) { 300 } else { 500 })
}

/// A model's every value.
fn model(dir: &Path) -> Result<String, String> {
    let (vae, meta) = load_model(dir).map_err(|e| e.to_string())?;
    Ok(format!("{meta:?} {:?}", vae.state_dict()))
}

#[test]
fn changed_model_folders_are_errors_or_the_same() {
    let _alone = alone();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/model_format_2");
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(golden).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    let intact = model(dir.path()).unwrap();
    let mut mix = Mix(0);
    // Without the sums the files' own structure must hold.
    for has_sums in [true, false] {
        if !has_sums {
            fs::remove_file(dir.path().join("SHA256SUMS")).unwrap();
        }
        for name in ["model.safetensors", "model.json"] {
            let whole = fs::read(dir.path().join(name)).unwrap();
            for round in 0..rounds() {
                let mut bytes = whole.clone();
                mix.mutate(&mut bytes);
                fs::write(dir.path().join(name), &bytes).unwrap();
                let what = format!("{name}, round {round}");
                let read = within_limit(bytes.len(), &what, || model(dir.path()));
                if let Ok(values) = read
                    && has_sums
                {
                    assert!(values == intact, "{what}");
                }
            }
            fs::write(dir.path().join(name), whole).unwrap();
        }
    }
}

#[test]
fn changed_checkpoints_are_errors_or_the_same() {
    let _alone = alone();
    let sim =
        simulate(&SimulateConfig { n_cells: 40, n_genes: 20, density: 0.3, ..Default::default() });
    let plan = TrainPlan { max_epochs: Some(5), batch_size: 10, ..TrainPlan::default() };
    let config = VaeConfig { n_input: 20, n_hidden: 4, n_latent: 2, ..VaeConfig::default() };
    let data = Dataset::new(&sim.counts, vec![0; 40]).unwrap();
    let spec = config.validate().unwrap();
    let mut run = TrainingRun::new(spec.clone(), &data, &plan).unwrap();
    for _ in 0..7 {
        run.advance().unwrap();
    }
    let meta = CheckpointMeta {
        checkpoint_version: CHECKPOINT_VERSION,
        instruction_set: scvi::instruction_set().into(),
        setup: RunSetup {
            program: "scvi-rs".into(),
            options: Vec::new(),
            registry: Default::default(),
            input: InputMeta::new(40, &[]),
            mapping: None,
            epochs_before: 0,
            began_with: None,
        },
        run: run.description(&data.fingerprint().unwrap()),
        progress: run.progress().clone(),
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.checkpoint");
    write_checkpoint(&path, &meta, &run).unwrap();
    let intact = format!("{:?}", read_checkpoint::<scvi::module::VaeConfig>(&path).unwrap());
    let whole = fs::read(&path).unwrap();
    let (mut mix, mut resumed) = (Mix(1), 0);
    for round in 0..4 * rounds() {
        let mut bytes = whole.clone();
        mix.mutate(&mut bytes);
        let is_hostile = round % 2 == 1;
        if is_hostile && bytes.len() >= 32 {
            // Whoever means harm makes the sum fit.
            let rest = bytes.len() - 32;
            let sum = Sha256::digest(&bytes[..rest]);
            bytes[rest..].copy_from_slice(&sum);
        }
        fs::write(&path, &bytes).unwrap();
        let what = format!("checkpoint, round {round}");
        let Ok(read) =
            within_limit(bytes.len(), &what, || read_checkpoint::<scvi::module::VaeConfig>(&path))
        else {
            continue;
        };
        assert!(is_hostile || format!("{read:?}") == intact, "{what}");
        // What can be read is refused by the run, or goes on.
        if let Ok(mut run) = TrainingRun::resume(spec.clone(), &data, &plan, read.1) {
            resumed += 1;
            let _ = run.advance();
        }
    }
    assert!(resumed > 0);
}
