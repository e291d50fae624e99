//! Saves of scvi-tools as models of ours: what they compute, and the way there and back.

mod saves;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use saves::input::{CELLS, GENES, Input};
use saves::{folder, models, read, same_for_scvi_tools, tensors};
use scvi::data::{CategoryKind, MatrixKey, TimeUnit};
use scvi::module::Minibatch;
use scvi_io::convert::{from_scvi_tools, to_scvi_tools};
use scvi_io::scvi_tools::{ScviToolsSave, SetupField, StateTensor, Value, saves_in};
use scvi_io::{IoError, ModelKind, SavedModel, model_kind, open_model, open_model_with_prefix};
use tempfile::tempdir;

/// What a model computes at the mean of the posterior, under the names of `expected.safetensors`.
fn computed(model: &SavedModel) -> BTreeMap<&'static str, Vec<f32>> {
    let input = Input::read();
    let counts = input.counts();
    let mut batch = Minibatch::default();
    let cells: Vec<u32> = (0..CELLS as u32).collect();
    input.dataset(model, &counts).fill(&cells, &mut batch).unwrap();
    let (vae, b) = (&model.vae, model.vae.backend());
    let mut ws = vae.workspace(CELLS, CELLS * GENES, false);
    ws.load(b, &batch);
    vae.inference(&mut ws, None);
    vae.generative(&mut ws, None);
    let terms = ws.cell_outputs(b);
    let mut found = BTreeMap::from([
        ("qz_m", ws.qz_m(b)),
        ("qz_v", ws.qz_v(b)),
        ("library", ws.library(b)),
        ("reconstruction", terms.reconstruction_loss),
        ("kl_z", terms.kl_divergence_z),
        ("px_rate", vae.px_rate(&ws)),
    ]);
    if let Some([mean, var]) = ws.ql(b) {
        found.extend([("ql_m", mean), ("ql_v", var), ("kl_l", terms.kl_divergence_l)]);
    }
    found.extend(vae.px_r(&ws).map(|values| ("px_r", values)));
    found.extend(vae.px_dropout(&ws).map(|values| ("px_dropout", values)));
    found
}

/// Every number within 1e-5 of its size, or of the largest of its kind where it is small.
#[track_caller]
fn assert_near(name: &str, found: &[f32], expected: &[f64]) {
    let largest = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    for (k, (&a, &b)) in found.iter().zip(expected).enumerate() {
        let bound = 1e-5 * b.abs().max(0.1 * largest);
        assert!((f64::from(a) - b).abs() <= bound, "{name} {k}: {a} {b}");
    }
}

#[test]
fn models_compute_what_scvi_tools_computes() {
    for name in models() {
        let model = open_model(folder(name)).unwrap();
        assert!(model.left_out.is_empty(), "{name}: {:?}", model.left_out);
        let expected = tensors(&folder(name).join("expected.safetensors"));
        let found = computed(&model);
        let mut compared = 0;
        for (key, (shape, expected)) in &expected {
            // What the save carries is compared elsewhere.
            if key.contains('/') || key.ends_with("_indices") {
                continue;
            }
            let mut values = found[key.as_str()].clone();
            if key == "px_r" && values.len() == GENES {
                values = values.repeat(shape[0]);
            }
            // Values per gene are those of the first cells.
            assert!(values.len() >= expected.len(), "{name} {key}");
            assert_near(&format!("{name} {key}"), &values[..expected.len()], expected);
            compared += 1;
        }
        assert_eq!(compared, found.len(), "{name}");
    }
}

#[test]
fn a_save_that_leaves_out_what_older_releases_did_not_write() {
    for name in ["scvi_1.0.4_covariates", "scvi_1.0.4_linear"] {
        let mut save = read(name);
        let intact = computed(&from_scvi_tools(save.clone()).unwrap());
        save.registry.setup_method_name = None;
        save.registry.other.clear();
        save.attributes.clear();
        save.test_indices = None;
        let mut model = from_scvi_tools(save).unwrap();
        assert_eq!(computed(&model), intact, "{name}");
        // What is written is for the releases of today.
        let written = to_scvi_tools(&mut model).unwrap();
        assert_eq!(written.registry.setup_method_name.as_deref(), Some("setup_anndata"));
    }
}

#[test]
fn no_layers_are_one_layer_for_scvi_tools() {
    let expected = computed(&from_scvi_tools(read("default")).unwrap());
    for n_layers in [0, -1] {
        let mut save = read("default");
        save.init_params.insert("n_layers".to_owned(), Value::Int(n_layers));
        let mut model = from_scvi_tools(save).unwrap();
        assert_eq!(model.meta.config.n_layers, 1);
        assert_eq!(computed(&model), expected);
        assert_eq!(to_scvi_tools(&mut model).unwrap().init_params["n_layers"], Value::Int(1));
    }
    refused(
        "default",
        |save| _ = save.init_params.insert("n_layers".to_owned(), Value::Bool(true)),
        &["n_layers", "a whole number", "a bool"],
    );
}

#[test]
fn what_the_save_says_of_data_and_training() {
    let model = open_model(folder("covariates")).unwrap();
    let meta = &model.meta;
    assert_eq!((meta.model_class.as_str(), meta.program.as_str()), ("SCVI", "scvi-tools 1.4.2"));
    let [donor, plate] = &meta.registry.categorical_covariates[..] else { panic!() };
    assert_eq!((donor.key.as_str(), donor.kind), ("donor", CategoryKind::Text));
    assert_eq!(
        (&plate.categories[..], plate.kind),
        (&["11".into(), "12".into()][..], CategoryKind::Integer)
    );
    assert_eq!(meta.registry.continuous_covariates, ["age", "score"]);
    assert_eq!(meta.config.n_cats_per_cov, [3, 2]);
    assert_eq!(
        (meta.config.n_batch, meta.config.n_labels, meta.config.n_continuous_cov),
        (3, 1, 2)
    );
    assert_eq!((meta.training.n_cells, meta.training.epochs), (60, 2));
    assert_eq!((meta.split.train.len(), meta.split.validation.len()), (54, 6));
    assert_eq!(model.history.columns[..2], ["epoch", "elbo_train"]);
    let extras = meta.scvi_tools.as_ref().unwrap();
    assert_eq!(extras.attributes["run_name_"], "run");
    assert!(extras.counters.values().any(|&n| n > 0));

    let registry = open_model(folder("category_types")).unwrap().meta.registry;
    let columns = registry.categorical().map(|f| (f.kind, &f.categories[0], f.categories.last()));
    let unit = CategoryKind::Datetime(TimeUnit::Nanosecond);
    let spans = CategoryKind::Timedelta(TimeUnit::Second);
    let text = |text: &str| text.to_owned();
    let expected = [
        (unit, text("1969-12-31 23:59:59.5"), text("2024-06-01 00:00:00")),
        (CategoryKind::Bool, text("False"), text("True")),
        (CategoryKind::Integer, text("1"), text("18446744073709551615")),
        (spans, text("-1 days +23:59:24"), text("1 days 01:00:00")),
    ];
    for (found, (kind, first, last)) in columns.zip(&expected) {
        assert_eq!(found, (*kind, first, Some(last)));
    }

    let meta = |name: &str| open_model(folder(name)).unwrap().meta;
    assert_eq!(meta("layer").registry.layer, MatrixKey::Layer("counts".to_owned()));
    assert_eq!(meta("size_factor").registry.size_factor.as_deref(), Some("size"));
    assert_eq!(meta("default").registry.batch, None);
    assert_eq!(meta("linear").model_class, "LinearSCVI");
    assert_eq!(meta("linear").config.library_log_means.map(|m| m.len()), Some(3));
    assert_eq!(
        (meta("untrained").training.epochs, meta("untrained").training.stop.as_str()),
        (0, "untrained")
    );
}

/// A save by way of the native folder.
fn by_native(name: &str) -> ScviToolsSave {
    let dir = tempdir().unwrap();
    let native = dir.path().join("native");
    open_model(folder(name)).unwrap().save(&native, false).unwrap();
    assert_eq!(model_kind(&native).unwrap(), ModelKind::Native);
    to_scvi_tools(&mut open_model(&native).unwrap()).unwrap()
}

#[test]
fn the_native_folder_keeps_what_a_save_says() {
    for name in models() {
        let (mut original, again) = (read(name), by_native(name));
        // An argument that releases before 1.3 left to the module, and its default there.
        let default = Value::Bool(original.model_class() == Some("SCVI"));
        original.init_params.entry("use_observed_lib_size".into()).or_insert(default);
        assert_eq!(again, original, "{name}");
        let direct = to_scvi_tools(&mut open_model(folder(name)).unwrap()).unwrap();
        assert_eq!(direct, original, "{name}");
    }
}

#[test]
fn tensors_that_nobody_has_are_drawn() {
    let shapes = |save: &ScviToolsSave| -> BTreeMap<String, Vec<usize>> {
        save.state_dict.iter().map(|(name, t)| (name.clone(), t.shape().to_vec())).collect()
    };
    for name in models() {
        let mut model = open_model(folder(name)).unwrap();
        model.unused.clear();
        model.meta.scvi_tools = None;
        let save = to_scvi_tools(&mut model).unwrap();
        assert_eq!(shapes(&save), shapes(&read(name)), "{name}");
        let again = from_scvi_tools(save.clone()).unwrap();
        assert_eq!(computed(&again), computed(&model), "{name}");
        model.unused.clear();
        assert_eq!(to_scvi_tools(&mut model).unwrap(), save, "{name}: drawn twice");
    }
}

#[test]
fn scvi_tools_opens_what_was_converted() {
    let dir = tempdir().unwrap();
    for name in models() {
        let file = saves_in(folder(name)).unwrap().remove(0);
        let prefix = file.strip_suffix("model.pt");
        by_native(name).write(dir.path().join(name), prefix, false).unwrap();
    }
    same_for_scvi_tools(dir.path());
}

/// A change to a save, and what the refusal says.
#[track_caller]
fn refused(name: &str, change: impl FnOnce(&mut ScviToolsSave), parts: &[&str]) {
    let mut save = read(name);
    change(&mut save);
    let error = from_scvi_tools(save).err().expect("refused").to_string();
    for part in parts {
        assert!(error.contains(part), "no {part:?} in: {error}");
    }
}

#[test]
fn what_cannot_be_carried_is_named() {
    let argument = |key: &str, value: Value| {
        let key = key.to_owned();
        move |save: &mut ScviToolsSave| _ = save.init_params.insert(key, value)
    };
    refused(
        "default",
        |s| s.registry.model_name = Some("TOTALVI".into()),
        &["'TOTALVI'", "LinearSCVI or SCANVI"],
    );
    let mudata = |s: &mut ScviToolsSave| s.registry.setup_method_name = Some("setup_mudata".into());
    refused("default", mudata, &["'setup_mudata'"]);
    refused("default", argument("scale_activation", "exp".into()), &["'scale_activation'"]);
    refused("linear", argument("encode_covariates", Value::Bool(true)), &["encode_covariates"]);
    refused(
        "linear",
        argument("extra_decoder_kwargs", Value::Dict(vec![])),
        &["'extra_decoder_kwargs'"],
    );
    refused("default", |s| _ = s.var_names.pop(), &["no such model", "shape"]);
    refused("default", |s| _ = s.state_dict.remove("px_r"), &["\"px_r\" is missing"]);
    refused(
        "latent_library",
        |s| _ = s.state_dict.remove("library_log_vars"),
        &["library_log_vars"],
    );
    let nan = |s: &mut ScviToolsSave| {
        let Some(StateTensor::F32(t)) = s.state_dict.get_mut("px_r") else { panic!() };
        t.data[3] = f32::NAN;
    };
    refused("default", nan, &["['px_r']", "finite", "NaN"]);
    let stray = |s: &mut ScviToolsSave| {
        let tensor = s.state_dict["px_r"].clone();
        s.state_dict.insert("classifier.weight".into(), tensor);
    };
    refused("default", stray, &["classifier.weight"]);
    let counter = |s: &mut ScviToolsSave| {
        let name = "z_encoder.encoder.fc_layers.Layer 0.1.num_batches_tracked";
        let tensor = s.state_dict[name].clone();
        s.state_dict.insert("steps".into(), tensor);
    };
    refused("default", counter, &["['steps']", "whole numbers"]);
    refused("default", |s| s.train_indices = Some(vec![1 << 40]), &["train_indices_"]);
}

#[test]
fn sizes_are_believed_only_once_tensors_confirm_them() {
    let huge = Value::Int(1 << 23);
    for key in ["n_hidden", "n_latent", "n_layers"] {
        let change = |s: &mut ScviToolsSave| _ = s.init_params.insert(key.into(), huge.clone());
        refused("default", change, &["no such model", "model_state_dict", "needs"]);
    }
    let kwargs = Value::Dict(vec![("embedding_dim".into(), huge.clone())]);
    let change =
        |s: &mut ScviToolsSave| _ = s.init_params.insert("batch_embedding_kwargs".into(), kwargs);
    refused("embedding", change, &["no such model", "needs"]);
}

#[test]
fn attributes_that_stay_and_that_go() {
    let mut save = read("default");
    save.attributes.insert("note_".into(), "mine".into());
    save.attributes.insert("pair_".into(), Value::Tuple(vec![Value::Int(1)]));
    save.registry.fields.insert("minify_type".into(), SetupField::default());
    let mut model = from_scvi_tools(save.clone()).unwrap();
    assert_eq!(model.left_out, ["minify_type", "pair_"]);
    save.attributes.remove("pair_");
    save.registry.fields.remove("minify_type");
    assert_eq!(to_scvi_tools(&mut model).unwrap(), save);
}

#[test]
fn models_that_scvi_tools_has_not() {
    let refused = |name: &str, change: &dyn Fn(&mut SavedModel), parts: &[&str]| {
        let mut model = open_model(folder(name)).unwrap();
        change(&mut model);
        let error = to_scvi_tools(&mut model).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    refused("layer", &|m| m.meta.registry.batch = None, &["3 batches", "no column"]);
    refused("default", &|m| _ = m.meta.var_names.pop(), &["19 var_names for 20 genes"]);
    let size_factor = |m: &mut SavedModel| {
        m.meta.registry.size_factor = Some("size".into());
        m.meta.config.use_size_factor_key = true;
    };
    refused("linear", &size_factor, &["LinearSCVI", "size factor"]);
    let key = |m: &mut SavedModel| {
        let embedding = m.vae.init_embedding(2, &Default::default(), 0).unwrap();
        m.vae.add_embedding("donor", embedding, false).unwrap();
    };
    refused("default", &key, &["no embedding 'donor"]);
}

#[test]
fn which_kind_of_model_lies_there() {
    let dir = tempdir().unwrap();
    let error = |path: &Path| open_model(path).err().expect("refused");
    assert!(matches!(error(&dir.path().join("no")), IoError::NotFound { .. }));
    let empty = error(dir.path()).to_string();
    assert!(empty.contains("model.json") && empty.contains("model.pt"), "{empty}");
    let text = dir.path().join("notes.txt");
    fs::write(&text, "").unwrap();
    assert!(error(&text).to_string().contains("it is a file"));
    fs::write(dir.path().join("model_params.pt"), "").unwrap();
    assert!(error(dir.path()).to_string().contains("old format"));

    let (one, two) = (dir.path().join("model.pt"), dir.path().join("early_model.pt"));
    fs::copy(folder("default").join("model.pt"), &one).unwrap();
    assert_eq!(open_model(dir.path()).unwrap().meta.config.n_batch, 1);
    fs::copy(folder("layer").join("early_model.pt"), &two).unwrap();
    // The one without a prefix counts.
    assert_eq!(open_model(dir.path()).unwrap().meta.config.n_batch, 1);
    assert_eq!(open_model(&one).unwrap().meta.config.n_batch, 1);
    assert_eq!(open_model(&two).unwrap().meta.config.n_batch, 3);
    assert_eq!(model_kind(dir.path()).unwrap(), ModelKind::ScviTools);
    open_model(&one).unwrap().save(dir.path().join("native"), false).unwrap();
    assert_eq!(model_kind(dir.path().join("native")).unwrap().name(), "native");
}

#[test]
fn models_whose_files_have_a_prefix() {
    let dir = tempdir().unwrap();
    let model = open_model(folder("layer")).unwrap();
    model.save_beside(dir.path(), "late_", true).unwrap();
    // The only one there, whatever its prefix.
    assert_eq!(open_model(dir.path()).unwrap().meta, model.meta);
    assert_eq!(model_kind(dir.path()).unwrap(), ModelKind::Native);
    let error = |prefix| open_model_with_prefix(dir.path(), prefix).err().unwrap().to_string();
    let expected = "no model with the prefix 'early_'; prefixes of models there: 'late_'";
    assert!(error("early_").ends_with(expected), "{}", error("early_"));

    fs::copy(folder("default").join("model.pt"), dir.path().join("early_model.pt")).unwrap();
    let several = open_model(dir.path()).err().unwrap();
    assert!(several.to_string().contains("early_model.pt, late_model.json"), "{several}");
    assert!(error("").ends_with("'early_', 'late_'"), "{}", error(""));
    let late = open_model(dir.path().join("late_model.json")).unwrap();
    assert_eq!(late.meta, model.meta);
    let n_batch = |prefix| open_model_with_prefix(dir.path(), prefix).unwrap().meta.config.n_batch;
    assert_eq!((n_batch("early_"), n_batch("late_")), (1, 3));
    // The one without a prefix counts.
    model.save_beside(dir.path(), "", true).unwrap();
    assert_eq!(open_model(dir.path()).unwrap().meta.config.n_batch, 3);
}
