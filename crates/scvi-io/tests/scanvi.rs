//! Saves of SCANVI: what they compute, as models of ours, and the way there and back.

mod saves;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use saves::input::{CELLS, Input};
use saves::{folder, read, tensors};
use scvi::data::{CsrMatrix, Dataset};
use scvi::model::{Cells, PointEstimate, elbo, latent_representation, predict, unwatched};
use scvi_io::convert::{from_scvi_tools, to_scvi_tools};
use scvi_io::scvi_tools::Value;
use scvi_io::{SCANVI_FORMAT_VERSION, SavedModel, open_model};
use tempfile::tempdir;

/// The saves of SCANVI (`reference/saves.py`), of six releases.
const SAVES: [&str; 16] = [
    "scanvi_batch",
    "scanvi_classifier_parameters",
    "scanvi_covariates",
    "scanvi_default",
    "scanvi_from_scvi",
    "scanvi_latent_library",
    "scanvi_linear",
    "scanvi_no_unlabelled_cell",
    "scanvi_softmax",
    "scanvi_untrained",
    "scvi_1.0.4_scanvi_batch",
    "scvi_1.0.4_scanvi_covariates",
    "scvi_1.1.6.post2_scanvi_batch",
    "scvi_1.2.2.post2_scanvi_batch",
    "scvi_1.3.3_scanvi_batch",
    "scvi_1.5.1_scanvi_batch",
];

/// What a model computes at the mean of its posteriors, under the names of `expected.safetensors`.
fn computed(model: &SavedModel) -> BTreeMap<&'static str, Vec<f32>> {
    let input = Input::read();
    let counts: CsrMatrix = input.counts();
    let data: Dataset = input.dataset(model, &counts);
    let module = model.scanvae().expect("a SCANVI");
    let cells = Cells::all(&data, CELLS);
    let latent = latent_representation(&module, cells, &mut unwatched).unwrap();
    let terms = elbo(&module, cells, PointEstimate::Mean, &mut unwatched).unwrap();
    let labels = predict(&module, cells, PointEstimate::Mean, &mut unwatched).unwrap();
    BTreeMap::from([
        ("qz_m", latent.mean),
        ("qz_v", latent.var),
        ("reconstruction", terms.reconstruction_loss),
        ("kl_local", terms.kl_local),
        ("probabilities", labels.probabilities),
    ])
}

#[test]
fn models_compute_what_scvi_tools_computes() {
    for name in SAVES {
        let model = open_model(folder(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(model.left_out.is_empty(), "{name}: {:?}", model.left_out);
        let expected = tensors(&folder(name).join("expected.safetensors"));
        for (key, found) in computed(&model) {
            let (_, expected) = &expected[key];
            assert_eq!(found.len(), expected.len(), "{name} {key}");
            let largest = expected.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
            for (i, (&a, &b)) in found.iter().zip(expected).enumerate() {
                let near = (f64::from(a) - b).abs() <= 1e-5 * b.abs().max(0.1 * largest);
                assert!(near, "{name} {key} {i}: {a} for {b}");
            }
        }
    }
}

#[test]
fn what_a_save_says_of_labels() {
    let model = open_model(folder("scanvi_covariates")).unwrap();
    let scanvi = model.meta.scanvi.as_ref().unwrap();
    assert_eq!(scanvi.unlabeled_category, "donor b");
    assert_eq!(scanvi.y_prior, Some(vec![0.25, 0.75]));
    // The unlabelled category changed place with the last one, and is no label.
    let labels = model.meta.registry.labels.as_ref().unwrap();
    assert_eq!(labels.categories, ["donor a", "donor c", "donor b"]);
    assert_eq!((model.meta.config.n_labels, &*model.meta.model_class), (2, "SCANVI"));
    assert_eq!(model.meta.format_version, SCANVI_FORMAT_VERSION);
    let labels_of = |name: &str| open_model(folder(name)).unwrap().meta.config.n_labels;
    assert_eq!(labels_of("scanvi_no_unlabelled_cell"), 3);
    let of = |name: &str| open_model(folder(name)).unwrap().meta.scanvi.unwrap();
    assert!(of("scanvi_linear").linear_classifier);
    assert!(of("scanvi_batch").classifier_parameters.logits);
    assert!(!of("scanvi_softmax").classifier_parameters.logits);
    assert!(!of("scvi_1.0.4_scanvi_batch").classifier_parameters.logits);
    assert_eq!(of("scanvi_classifier_parameters").classifier_parameters.n_hidden, Some(5));
}

#[test]
fn the_native_folder_and_a_save_hold_the_same_model() {
    let dir = tempdir().unwrap();
    for name in SAVES {
        let mut model = open_model(folder(name)).unwrap();
        let intact = computed(&model);
        let native = dir.path().join(name);
        model.save(&native, false).unwrap();
        assert_eq!(computed(&open_model(&native).unwrap()), intact, "{name}: native");
        let written = to_scvi_tools(&mut model).unwrap();
        assert_eq!(written.model_class(), Some("SCANVI"));
        let original = read(name);
        assert_eq!(written.state_dict, original.state_dict, "{name}");
        let args = |save: &scvi_io::scvi_tools::ScviToolsSave| {
            let mut args = save.init_params.clone();
            // Arguments that say what the default says.
            args.retain(|key, v| key != "latent_distribution" && *v != Value::None);
            args.entry("use_observed_lib_size".to_owned()).or_insert(Value::Bool(true));
            args
        };
        assert_eq!(args(&written), args(&original), "{name}");
        let labels =
            |save: &scvi_io::scvi_tools::ScviToolsSave| save.registry.fields["labels"].clone();
        assert_eq!(labels(&written), labels(&original), "{name}");
        let again = from_scvi_tools(written).unwrap();
        assert_eq!(computed(&again), intact, "{name}: save");
    }
}

#[test]
fn scvi_tools_predicts_the_same_of_what_was_written() {
    let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
        eprintln!("skipped: what scvi-tools says (set SCVI_REFERENCE_PYTHON to a Python with it)");
        return;
    };
    let dir = tempdir().unwrap();
    // The oracle's release opens older saves, too.
    let names = SAVES.into_iter().filter(|name| !name.contains("1.5.1"));
    for name in names.clone() {
        let mut model = open_model(folder(name)).unwrap();
        let target = dir.path().join(name);
        to_scvi_tools(&mut model).unwrap().write(&target, None, false).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_scanvi.py");
    let output = Command::new(python).arg(script).arg(dir.path()).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let same = String::from_utf8(output.stdout).unwrap();
    assert_eq!(same.lines().filter(|line| line.ends_with(": same")).count(), names.count());
}

#[test]
fn broken_saves_are_refused() {
    let refused = |change: &dyn Fn(&mut scvi_io::scvi_tools::ScviToolsSave), part: &str| {
        let mut save = read("scanvi_batch");
        change(&mut save);
        let error = from_scvi_tools(save).err().expect("refused").to_string();
        assert!(error.contains(part), "{error}");
    };
    refused(&|save| _ = save.state_dict.remove("y_prior"), "y_prior");
    refused(
        &|save| _ = save.state_dict.remove("classifier.classifier.1.bias"),
        "classifier.1.bias",
    );
    refused(&|save| _ = save.registry.fields.remove("labels"), "labels");
    let groups = |save: &mut scvi_io::scvi_tools::ScviToolsSave| {
        save.init_params.insert("use_labels_groups".to_owned(), Value::Bool(true));
    };
    refused(&groups, "use_labels_groups");
    let wide = |save: &mut scvi_io::scvi_tools::ScviToolsSave| {
        let wide = Value::Dict(vec![("n_hidden".into(), Value::Int(1 << 40))]);
        save.init_params.insert("classifier_parameters".to_owned(), wide);
    };
    refused(&wide, "n_hidden");
}
