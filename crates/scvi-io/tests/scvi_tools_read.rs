//! Opens the saves of `reference/saves`, and compares what they hold with what scvi-tools, torch
//! and pandas said of it when they were written.

mod saves;

use std::collections::BTreeMap;
use std::fs;

use saves::{PICKLES, folder, models, read, tensors};
use scvi_io::IoError;
use scvi_io::scvi_tools::{
    Array, ArrayData, Frame, Global, HistoryColumn, SaveError, ScviToolsSave, SetupField,
    StateTensor, Value, saves_in,
};
use tempfile::tempdir;

fn strs(texts: &[&str]) -> ArrayData {
    ArrayData::Str(texts.iter().map(|&t| t.to_owned()).collect())
}

fn widened(tensor: &StateTensor) -> (Vec<usize>, Vec<f64>) {
    let data = match tensor {
        StateTensor::F32(t) => t.data.iter().map(|&x| x.into()).collect(),
        StateTensor::F64(t) => t.data.clone(),
        StateTensor::I64(t) => t.data.iter().map(|&n| n as f64).collect(),
        other => panic!("{other:?}"),
    };
    (tensor.shape().to_vec(), data)
}

#[test]
fn tensors_history_and_split() {
    for name in models() {
        let save = read(name);
        let expected = tensors(&folder(name).join("expected.safetensors"));
        let mut compared = 0;
        for (key, (shape, values)) in &expected {
            let rows = |rows: &Option<Vec<usize>>| {
                rows.as_ref().unwrap().iter().map(|&row| row as f64).collect::<Vec<_>>()
            };
            if let Some(key) = key.strip_prefix("state/") {
                let (found_shape, found) = widened(&save.state_dict[key]);
                assert_eq!(&found, values, "{name} {key}");
                // A counter has no axis, which a safetensors file of arrays shows as one.
                let counter = found_shape.is_empty() && shape[..] == [1];
                assert!(counter || found_shape == *shape, "{name} {key}: {found_shape:?}");
            } else if let Some(key) = key.strip_prefix("history/") {
                assert_eq!(&save.history[key].values, values, "{name} {key}");
                assert_eq!(save.history[key].index_name.as_deref(), Some("epoch"));
                assert_eq!(save.history[key].index, [0, 1], "{name} {key}");
            } else if key == "train_indices" {
                assert_eq!(&rows(&save.train_indices), values, "{name}");
            } else if key == "validation_indices" {
                assert_eq!(&rows(&save.validation_indices), values, "{name}");
            } else {
                continue;
            }
            compared += 1;
        }
        assert!(compared > 1, "{name}");
        let n_history = expected.keys().filter(|k| k.starts_with("history/")).count();
        assert_eq!(save.history.len(), n_history, "{name}");
        assert_eq!(save.is_trained, name != "untrained");
        assert_eq!(save.train_indices.is_some(), save.is_trained);
        assert_eq!(save.test_indices, save.is_trained.then(Vec::new));
    }
    assert_eq!(read("default").history.len(), 10);
}

#[test]
fn names_shapes_and_arguments() {
    for name in models() {
        let save = read(name);
        let genes: Vec<String> = (0..20).map(|k| format!("gene {k}")).collect();
        assert_eq!(save.var_names, genes, "{name}");
        let class = if name.ends_with("linear") { "LinearSCVI" } else { "SCVI" };
        assert_eq!(save.model_class(), Some(class));
        // The folders of other releases name them: scvi_1.0.4_linear.
        let release = name.strip_prefix("scvi_").and_then(|rest| rest.split('_').next());
        assert_eq!(save.registry.scvi_version.as_deref(), release.or(Some("1.4.2")));
        assert_eq!(save.registry.setup_method_name.as_deref(), Some("setup_anndata"));
        assert_eq!(save.init_params["n_hidden"], Value::Int(8));
        assert_eq!(save.attributes["run_name_"].as_str(), Some("run"));
        let counts = &save.registry.fields["X"];
        assert_eq!(counts.column_names.as_deref(), Some(&genes[..]));
        assert_eq!((counts.n_obs, counts.n_vars), (Some(60), Some(20)));
        assert_eq!(counts.summary_stats["n_cells"], 60);
    }
    let shape = |name: &str, key: &str| read(name).state_dict[key].shape().to_vec();
    assert_eq!(shape("default", "px_r"), [20]);
    assert_eq!(shape("gene_batch", "px_r"), [20, 3]);
    assert_eq!(shape("gene_label", "px_r"), [20, 2]);
    let first = "z_encoder.encoder.fc_layers.Layer 0.0.weight";
    assert_eq!(shape("default", first), [8, 20]);
    // Two continuous covariates, three batches, three donors, two plates.
    assert_eq!(shape("covariates", first), [8, 20 + 2 + 3 + 3 + 2]);

    let given = |name: &str, key: &str| read(name).init_params.get(key).cloned();
    assert_eq!(given("poisson", "gene_likelihood"), Some("poisson".into()));
    assert_eq!(given("latent_library", "use_observed_lib_size"), Some(Value::Bool(false)));
    assert_eq!(given("embedding", "batch_representation"), Some("embedding".into()));
    assert_eq!(given("default", "batch_representation"), None);
    let softplus = Global::new("torch._C._nn", "softplus").unwrap();
    assert_eq!(given("layer_norm", "var_activation"), Some(Value::Global(softplus)));

    let save = read("linear");
    let floats = save.floats();
    let counters = save.state_dict.keys().filter(|k| k.ends_with("num_batches_tracked")).count();
    assert_eq!(floats.len() + counters, save.state_dict.len());
    assert!(counters > 0);
}

#[test]
fn what_the_data_were_set_up_with() {
    let save = read("covariates");
    let fields = &save.registry.fields;
    assert_eq!(save.registry.setup_args["batch_key"], "batch".into());
    assert_eq!(save.registry.setup_args["layer"], Value::None);
    let batch = &fields["batch"];
    assert_eq!(batch.categorical_mapping, Some(strs(&["batch a", "batch b", "batch c"])));
    assert_eq!(batch.original_key.as_deref(), Some("batch"));
    assert_eq!(batch.summary_stats["n_batch"], 3);
    // Without a labels_key, scvi-tools makes a column of zeros.
    assert_eq!(fields["labels"].categorical_mapping, Some(ArrayData::Int(vec![0])));
    assert_eq!(fields["size_factor"], SetupField::default());
    let categorical = &fields["extra_categorical_covs"];
    assert_eq!(
        categorical.mappings,
        Some(vec![
            ("donor".into(), strs(&["donor a", "donor b", "donor c"])),
            ("plate".into(), ArrayData::Int(vec![11, 12])),
        ])
    );
    assert_eq!(categorical.field_keys.as_deref(), Some(&["donor".into(), "plate".into()][..]));
    assert_eq!(categorical.n_cats_per_key, Some(vec![3, 2]));
    let continuous = &fields["extra_continuous_covs"];
    assert_eq!(continuous.columns.as_deref(), Some(&["age".into(), "score".into()][..]));
    assert_eq!(continuous.summary_stats["n_extra_continuous_covs"], 2);

    let place = |name: &str, field: &str| {
        let field = read(name).registry.fields.remove(field).unwrap();
        (field.attr_name, field.attr_key)
    };
    assert_eq!(place("layer", "X"), (Some("layers".into()), Some("counts".into())));
    assert_eq!(place("default", "X"), (Some("X".into()), None));
    assert_eq!(place("size_factor", "size_factor"), (Some("obs".into()), Some("size".into())));
    assert_eq!(
        read("gene_label").registry.fields["labels"].categorical_mapping,
        Some(strs(&["label a", "label b"]))
    );
}

/// What `reference/pickles.py` writes.
fn plain_values() -> BTreeMap<String, Value> {
    let array = |shape: &[usize], data| Value::Array(Array { shape: shape.into(), data });
    let mixed = Frame {
        columns: vec![
            ("a".into(), ArrayData::Int(vec![1, 2])),
            ("b".into(), ArrayData::Float64(vec![0.5, 1.5])),
            ("c".into(), strs(&["x", "y"])),
            ("d".into(), ArrayData::Int(vec![3, 4])),
        ],
        index_name: None,
        index: ArrayData::Int(vec![0, 1]),
    };
    let strings = Frame {
        columns: vec![("strings".into(), ArrayData::Object(vec!["s".into(), Value::None]))],
        index_name: None,
        index: ArrayData::Int(vec![0, 1]),
    };
    let numbers = [1, -1, 300, 70_000, 1 << 40, -(1 << 40)];
    let mut values: Vec<Value> = numbers.into_iter().map(Value::Int).collect();
    values.extend([
        Value::Float(1.25),
        "ü".into(),
        Value::Bytes(vec![0, 0xff]),
        Value::Tuple(vec![]),
        Value::Set(vec![Value::Int(1), Value::Int(2)]),
    ]);
    let pairs = [
        ("mixed_", Value::Frame(mixed)),
        ("texts_", array(&[2], strs(&["ab", "ç"]))),
        ("ascii_", array(&[2], strs(&["ab", "c"]))),
        ("bools_", array(&[2], ArrayData::Bool(vec![true, false]))),
        ("half_", array(&[1, 2], ArrayData::Float32(vec![1.5, -2.0]))),
        ("columns_first_", array(&[2, 3], ArrayData::Float32(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]))),
        ("big_endian_", array(&[2], ArrayData::Int(vec![1, -2]))),
        ("unsigned_", array(&[1], ArrayData::Int(vec![255]))),
        ("objects_", array(&[3], ArrayData::Object(vec!["a".into(), Value::Int(1), Value::None]))),
        ("nothing_", array(&[0], ArrayData::Str(vec![]))),
        ("index_", array(&[2], strs(&["p", "q"]))),
        ("strings_", Value::Frame(strings)),
        ("values_", Value::List(values)),
        (
            "ordered_",
            Value::Dict(vec![("b".into(), Value::Int(1)), ("a".into(), Value::Set(vec![]))]),
        ),
    ];
    pairs.into_iter().map(|(key, value)| (key.into(), value)).collect()
}

#[test]
fn all_versions_of_numpy_and_pandas() {
    let column = |name: Option<&str>, index: &[i64], values: &[f64]| HistoryColumn {
        index_name: name.map(str::to_owned),
        index: index.into(),
        values: values.into(),
    };
    let epoch = Some("epoch");
    let history = BTreeMap::from([
        ("train_loss".to_owned(), column(epoch, &[0, 1], &[1.5, 2.5])),
        ("elbo_train".to_owned(), column(epoch, &[0, 1, 2], &[3.5, 2.5, f64::NAN])),
        ("kl_weight".to_owned(), column(epoch, &[0, 1, 2], &[0.0, 0.25, 0.5])),
        ("steps".to_owned(), column(Some("step"), &[10, 20], &[1.0, 2.0])),
        ("floats".to_owned(), column(None, &[3], &[1.0])),
    ]);
    for name in PICKLES {
        let save = read(name);
        assert_eq!(save.attributes, plain_values(), "{name}");
        // As text, for NaN is not equal to itself.
        assert_eq!(format!("{:?}", save.history), format!("{history:?}"), "{name}");
        assert_eq!(save.train_indices, Some(vec![2, 0]));
        assert_eq!(save.validation_indices, None);
        assert!(save.is_trained);
        assert_eq!(save.var_names, ["gene a", "gene b"]);
        // The flat form of before scvi-tools 0.8, numbers of numpy among them.
        let params = [("dropout_rate", Value::Float(0.5)), ("n_hidden", Value::Int(8))];
        assert_eq!(save.init_params, params.map(|(k, v)| (k.to_owned(), v)).into());
        assert_eq!(save.registry.setup_method_name, None);
        assert!(save.registry.fields.is_empty() && save.state_dict.is_empty());
    }
}

#[test]
fn which_file_is_meant() {
    let dir = tempdir().unwrap();
    let error = |prefix| match ScviToolsSave::read(dir.path(), prefix).unwrap_err() {
        IoError::ScviTools { path, source } => (path, source),
        other => panic!("{other}"),
    };
    let none = |wanted: &str, available: &[&str]| SaveError::NoSave {
        wanted: wanted.into(),
        available: available.iter().map(|&name| name.into()).collect(),
    };
    assert_eq!(error(None).1, none("model.pt", &[]));
    fs::write(dir.path().join("model_params.pt"), "").unwrap();
    assert!(matches!(error(None).1, SaveError::Legacy { .. }));
    fs::remove_file(dir.path().join("model_params.pt")).unwrap();

    let original = folder("layer").join("early_model.pt");
    assert_eq!(saves_in(folder("layer")).unwrap(), ["early_model.pt"]);
    fs::copy(&original, dir.path().join("early_model.pt")).unwrap();
    let early = ScviToolsSave::read(dir.path(), None).unwrap();
    assert_eq!(ScviToolsSave::read(dir.path(), Some("early_")).unwrap(), early);
    assert_eq!(error(Some("late_")).1, none("late_model.pt", &["early_model.pt"]));
    assert_eq!(error(Some("")).1, none("model.pt", &["early_model.pt"]));

    fs::copy(folder("default").join("model.pt"), dir.path().join("model.pt")).unwrap();
    let names = vec!["early_model.pt".to_owned(), "model.pt".to_owned()];
    assert_eq!(error(None), (dir.path().into(), SaveError::Several { names }));
    assert_eq!(ScviToolsSave::read(dir.path(), Some("")).unwrap(), read("default"));

    let nowhere = ScviToolsSave::read(dir.path().join("no"), None).unwrap_err();
    assert!(matches!(nowhere, IoError::NotFound { .. }), "{nowhere}");
}
