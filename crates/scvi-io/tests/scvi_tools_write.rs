//! Writes saves and reads them back; asks scvi-tools where there is one.

mod saves;

use std::fs;

use saves::{PICKLES, folder, models, read, same_for_scvi_tools};
use scvi::nn::Tensor;
use scvi_io::IoError;
use scvi_io::scvi_tools::{Array, ArrayData, Global, ScviToolsSave, StateTensor, Value, saves_in};
use tempfile::tempdir;

#[test]
fn what_is_written_is_read() {
    for name in models().chain(PICKLES) {
        let dir = tempdir().unwrap();
        let save = read(name);
        let path = dir.path().join("new");
        save.write(&path, Some("p_"), false).unwrap();
        assert_eq!(saves_in(&path).unwrap(), ["p_model.pt"]);
        let again = ScviToolsSave::read(&path, None).unwrap();
        // As text, for NaN is not equal to itself.
        assert_eq!(format!("{again:?}"), format!("{save:?}"), "{name}");
        assert_eq!(fs::read(path.join("p_model.pt")).unwrap(), again.to_bytes().unwrap());
    }
}

#[test]
fn every_kind_of_value_comes_back() {
    let array = |data: ArrayData| Array { shape: vec![1, data.len()], data };
    let numbers = [
        ArrayData::Bool(vec![true, false]),
        ArrayData::Int(vec![i64::MIN, 7]),
        ArrayData::Float32(vec![0.1, f32::MAX]),
        ArrayData::Float64(vec![0.1, -0.0]),
    ];
    let objects = ArrayData::Object(vec![Value::None, "a".into(), Value::Int(3)]);
    let mut values: Vec<Value> =
        numbers.iter().map(|data| Value::Tensor(array(data.clone()))).collect();
    values.extend(numbers.into_iter().map(|data| Value::Array(array(data))));
    values.extend([
        Value::Array(array(objects)),
        Value::Array(array(ArrayData::Str(vec!["é\0".into(), String::new()]))),
        Value::Tensor(Array { shape: vec![0, 3], data: ArrayData::Float32(vec![]) }),
        Value::Global(Global::new("torch.nn.functional", "relu").unwrap()),
        Value::Device("cuda:1".into()),
        Value::Dtype("<f4".into()),
        Value::Dict(vec![(Value::Int(1), Value::Tuple(vec![Value::Bool(true)]))]),
        Value::Float(f64::INFINITY),
        Value::Bytes((0..=255).collect()),
    ]);
    let mut save = ScviToolsSave::default();
    save.attributes.insert("values_".into(), Value::List(values));
    let double = Tensor { shape: vec![2, 1], data: vec![0.1, 0.2] };
    save.state_dict.insert("double".into(), StateTensor::F64(double));
    let counter = Tensor { shape: vec![], data: vec![5] };
    save.state_dict.insert("counter".into(), StateTensor::I64(counter));
    assert_eq!(ScviToolsSave::from_bytes(&save.to_bytes().unwrap()).unwrap(), save);
}

#[test]
fn replaces_only_when_asked() {
    let dir = tempdir().unwrap();
    let (one, two) = (read("default"), read("poisson"));
    one.write(dir.path(), None, false).unwrap();
    fs::write(dir.path().join("adata.h5ad"), "kept").unwrap();
    let error = two.write(dir.path(), None, false).unwrap_err();
    assert!(matches!(error, IoError::Exists { .. }), "{error}");
    assert_eq!(ScviToolsSave::read(dir.path(), None).unwrap(), one);
    two.write(dir.path(), None, true).unwrap();
    assert_eq!(ScviToolsSave::read(dir.path(), None).unwrap(), two);
    one.write(dir.path(), Some("one_"), false).unwrap();
    assert_eq!(ScviToolsSave::read(dir.path(), Some("one_")).unwrap(), one);
    assert_eq!(fs::read_to_string(dir.path().join("adata.h5ad")).unwrap(), "kept");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
}

#[test]
fn refuses_what_would_not_be_read() {
    let refused = |change: &dyn Fn(&mut ScviToolsSave), text: &str| {
        let mut save = read("default");
        change(&mut save);
        let error = save.to_bytes().unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    };
    let attribute = |value: Value| {
        move |save: &mut ScviToolsSave| {
            save.attributes.insert("a_".into(), value.clone());
        }
    };
    let short = |shape: &[usize]| Array { shape: shape.into(), data: ArrayData::Int(vec![1]) };
    refused(&attribute(Value::Array(short(&[2]))), "shape [2]");
    refused(&attribute(Value::Tensor(short(&[usize::MAX, 2]))), "got 1 values");
    let texts = Array { shape: vec![1], data: ArrayData::Str(vec!["a".into()]) };
    refused(&attribute(Value::Tensor(texts)), "expected numbers");
    let deep = (0..100).fold(Value::None, |inner, _| Value::List(vec![inner]));
    refused(&attribute(deep), "deep");
    let tensor = StateTensor::F32(Tensor { shape: vec![3], data: vec![0.0; 2] });
    refused(
        &|save| {
            save.state_dict.insert("w".into(), tensor.clone());
        },
        "tensor 'w'",
    );
    let dir = tempdir().unwrap();
    for prefix in ["../", "a/b", "a\\"] {
        let error = read("default").write(dir.path(), Some(prefix), true).unwrap_err();
        assert!(matches!(error, IoError::BadInput { .. }), "{error}");
    }
    // A name that goes into the file as an instruction of its own must be a name.
    for (module, name) in [("os", "system"), ("torch\nos", "exp"), ("torch", "a\n"), ("torch", "")]
    {
        assert!(Global::new(module, name).is_err(), "{module} {name}");
    }
}

#[test]
fn scvi_tools_loads_it() {
    let dir = tempdir().unwrap();
    for name in models() {
        let file = saves_in(folder(name)).unwrap().remove(0);
        let prefix = file.strip_suffix("model.pt");
        read(name).write(dir.path().join(name), prefix, false).unwrap();
    }
    same_for_scvi_tools(dir.path());
}
