//! Model folders that earlier formats, and this one, were written as: they stay readable.

use std::fs;
use std::path::{Path, PathBuf};

use scvi::Cpu;
use scvi::data::{CsrMatrix, Dataset};
use scvi::model::{Cells, latent_representation, unwatched};
use scvi::module::{Dispersion, GeneLikelihood, Vae, VaeConfig};
use scvi_io::model_dir::read_history;
use scvi_io::{FORMAT_VERSION, InputMeta, ModelMeta, load_model, save_model};

// What the programs that wrote the folders made of them.
const PX_R_1: [f32; 3] = [-0.099_254_28, -0.515_029_1, -1.063_809];
const ELBO_1: f64 = 22.552_727_856_155_897;
const LATENT_1: [f32; 6] =
    [-0.299_997_75, -0.100_748_09, -0.347_274_84, -0.152_303_5, -0.388_149_1, 0.238_667_49];
const PX_R_2: [f32; 3] = [-0.096_355_36, -0.518_685_34, -1.060_418_7];
const LATENT_2: [f32; 6] =
    [0.298_206_15, -0.241_406_41, 0.231_472_75, -0.153_585_45, 0.477_133_15, 0.016_259_64];

fn golden(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/model_format_{format}"))
}

/// The latent means of three cells: cell c has c + 1 of every gene g with g % 3 = c.
fn latent(vae: &Vae<Cpu<f32>>, with_covariates: bool) -> Vec<f32> {
    let genes: Vec<u32> = (0..3).flat_map(|c| (c..12).step_by(3)).collect();
    let values: Vec<f32> = (0..3).flat_map(|c| [c as f32 + 1.0; 4]).collect();
    let counts = CsrMatrix::new(12, vec![0, 4, 8, 12], genes, values).unwrap();
    let mut data = Dataset::new(&counts, vec![0, 1, 0]).unwrap();
    if with_covariates {
        data = data.with_labels(vec![0, 1, 2]).unwrap();
        data = data.with_categories(vec![1, 0, 1], 1).unwrap();
        data = data.with_continuous(vec![0.5, -1.0, 2.0], 1).unwrap();
    }
    latent_representation(vae, Cells::all(&data, 3), &mut unwatched).unwrap().mean
}

#[track_caller]
fn assert_near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1e-3), "{found} {expected}");
    }
}

/// What both folders were trained on.
fn check_names(meta: &ModelMeta) {
    assert_eq!(meta.model_class, "SCVI");
    assert_eq!(meta.var_names.len(), 12);
    assert_eq!(meta.var_names[11], "gene_11");
    let batch = meta.registry.batch.as_ref().unwrap();
    assert_eq!((batch.key.as_str(), batch.categories.len()), ("batch", 2));
    assert_eq!((meta.split.train.len(), meta.split.validation.len()), (36, 4));
    let training = &meta.training;
    assert_eq!((training.n_cells, training.epochs, training.batch_size), (40, 2, 128));
    assert_eq!(training.stop, "max_epochs");
}

#[test]
fn format_1_opens() {
    let (vae, meta) = load_model(golden(1)).unwrap();
    assert_eq!(meta.format_version, 1);
    check_names(&meta);
    assert!(meta.input.is_none());
    let expected =
        VaeConfig { n_input: 12, n_batch: 2, n_hidden: 4, n_latent: 2, ..VaeConfig::default() };
    assert_eq!(meta.config, expected);
    assert_eq!(meta.registry.labels.as_ref().unwrap().categories.len(), 5);
    let state = vae.state_dict();
    assert_near(&state["px_r"].data[..3], &PX_R_1);
    assert_near(&latent(&vae, false), &LATENT_1);
    let history = read_history(golden(1), "").unwrap();
    assert_eq!(history.rows.len(), 2);
    assert_eq!(history.columns[3], "elbo_train");
    assert_eq!(history.rows[1][3], ELBO_1);
}

#[test]
fn format_2_opens_and_is_what_is_written() {
    let (vae, meta) = load_model(golden(2)).unwrap();
    assert_eq!((meta.format_version, FORMAT_VERSION), (2, 2));
    check_names(&meta);
    assert_eq!(meta.input, Some(InputMeta::new(40, &meta.var_names)));
    assert_eq!(meta.config.gene_likelihood, GeneLikelihood::Nb);
    assert_eq!(meta.config.dispersion, Dispersion::GeneLabel);
    assert_eq!((meta.config.n_cats_per_cov.clone(), meta.config.n_continuous_cov), (vec![2], 1));
    let state = vae.state_dict();
    assert_eq!(state["px_r"].shape, [12, 3]);
    assert_near(&state["px_r"].data[..3], &PX_R_2);
    assert_near(&latent(&vae, true), &LATENT_2);

    // Written again it is the same, but for the numbers in the history, which come as text.
    let dir = tempfile::tempdir().unwrap();
    let again = dir.path().join("m");
    save_model(&again, &vae, &meta, &Default::default(), false).unwrap();
    for name in ["model.json", "model.safetensors"] {
        let of = |dir: &Path| fs::read(dir.join(name)).unwrap();
        assert!(of(&golden(2)) == of(&again), "{name}");
    }
}

#[test]
fn a_folder_whose_genes_were_renamed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(golden(2)).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    let json = fs::read_to_string(dir.path().join("model.json")).unwrap();
    fs::write(dir.path().join("model.json"), json.replace("gene_3", "gene_X")).unwrap();
    let told = || load_model(dir.path()).err().unwrap().to_string();
    assert!(told().contains("model.json is damaged"), "{}", told());
    // Without sums, as after an edit by hand, the names' own hash is left.
    fs::remove_file(dir.path().join("SHA256SUMS")).unwrap();
    assert!(told().contains("var_names are not the 12 names"), "{}", told());
}
