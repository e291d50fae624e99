//! From plain values to the pickle and the storages beside it.
//!
//! Arrays and tables are written as calls whose meaning has not changed from numpy 1 to 2 and from
//! pandas 1.5 to 3: `numpy.ndarray` with a state, `pandas.DataFrame` of a dict.

use scvi::data::TimeUnit;

use super::pickle::PickleWriter;
use super::value::{Array, ArrayData, Frame, Value};

/// Writes a value.
pub(super) fn value(w: &mut PickleWriter, it: &Value) {
    let all = |w: &mut PickleWriter, items: &[Value]| items.iter().for_each(|v| value(w, v));
    match it {
        Value::None => w.none(),
        Value::Bool(b) => w.bool(*b),
        Value::Int(n) => w.int(*n),
        Value::Float(x) => w.float(*x),
        Value::Str(text) => w.text(text),
        Value::Bytes(bytes) => w.bytes(bytes),
        Value::List(items) => w.list(|w| all(w, items)),
        Value::Tuple(items) => w.tuple(|w| all(w, items)),
        Value::Set(items) => w.call("builtins", "set", |w| w.list(|w| all(w, items))),
        Value::Dict(entries) => w.dict(|w| {
            for (key, it) in entries {
                value(w, key);
                value(w, it);
            }
        }),
        Value::Array(a) => array(w, &a.shape, &a.data),
        Value::Tensor(a) => array_as_tensor(w, a),
        Value::Frame(f) => frame(w, f),
        Value::Global(global) => w.global(global.module(), global.name()),
        Value::Device(name) => w.call("torch", "device", |w| w.text(name)),
        Value::Dtype(letters) => dtype(w, letters),
    }
}

/// An array of numpy: an empty one, given its state as numpy's own pickles give it.
fn array(w: &mut PickleWriter, shape: &[usize], data: &ArrayData) {
    w.call("numpy", "ndarray", |w| {
        w.tuple(|w| w.int(0));
        w.text("b");
    });
    w.build(|w| {
        w.tuple(|w| {
            w.int(1);
            sizes(w, shape);
            dtype(w, letters(data));
            w.bool(false);
            match data {
                ArrayData::Str(texts) => w.list(|w| texts.iter().for_each(|t| w.text(t))),
                ArrayData::Object(items) => w.list(|w| items.iter().for_each(|v| value(w, v))),
                numbers => w.bytes(&little_endian(numbers)),
            }
        });
    });
}

fn dtype(w: &mut PickleWriter, letters: &str) {
    w.call("numpy", "dtype", |w| w.text(letters));
}

fn letters(data: &ArrayData) -> &'static str {
    match data {
        ArrayData::Bool(_) => "|b1",
        ArrayData::Int(_) => "<i8",
        ArrayData::UInt(_) => "<u8",
        ArrayData::Datetime(TimeUnit::Second, _) => "<M8[s]",
        ArrayData::Datetime(TimeUnit::Millisecond, _) => "<M8[ms]",
        ArrayData::Datetime(TimeUnit::Microsecond, _) => "<M8[us]",
        ArrayData::Datetime(TimeUnit::Nanosecond, _) => "<M8[ns]",
        ArrayData::Timedelta(TimeUnit::Second, _) => "<m8[s]",
        ArrayData::Timedelta(TimeUnit::Millisecond, _) => "<m8[ms]",
        ArrayData::Timedelta(TimeUnit::Microsecond, _) => "<m8[us]",
        ArrayData::Timedelta(TimeUnit::Nanosecond, _) => "<m8[ns]",
        ArrayData::Float32(_) => "<f4",
        ArrayData::Float64(_) => "<f8",
        ArrayData::Str(_) | ArrayData::Object(_) => "|O",
    }
}

/// The bytes of numbers; none for what are no numbers.
fn little_endian(data: &ArrayData) -> Vec<u8> {
    match data {
        ArrayData::Bool(v) => v.iter().map(|&b| b.into()).collect(),
        ArrayData::Int(v) | ArrayData::Datetime(_, v) | ArrayData::Timedelta(_, v) => {
            v.iter().flat_map(|n| n.to_le_bytes()).collect()
        }
        ArrayData::UInt(v) => v.iter().flat_map(|n| n.to_le_bytes()).collect(),
        ArrayData::Float32(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        ArrayData::Float64(v) => v.iter().flat_map(|x| x.to_le_bytes()).collect(),
        ArrayData::Str(_) | ArrayData::Object(_) => Vec::new(),
    }
}

fn sizes(w: &mut PickleWriter, shape: &[usize]) {
    w.tuple(|w| shape.iter().for_each(|&n| w.int(n as i64)));
}

fn array_as_tensor(w: &mut PickleWriter, array: &Array) {
    let class = match array.data {
        ArrayData::Bool(_) => "BoolStorage",
        ArrayData::Int(_) => "LongStorage",
        ArrayData::Float32(_) => "FloatStorage",
        // Others are no tensors: the check of the whole save has refused them.
        _ => "DoubleStorage",
    };
    tensor(w, class, &array.shape, little_endian(&array.data), array.data.len());
}

/// A tensor of torch that owns its storage.
pub(super) fn tensor(
    w: &mut PickleWriter,
    storage: &str,
    shape: &[usize],
    bytes: Vec<u8>,
    len: usize,
) {
    let mut strides = vec![1_usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis].max(1));
    }
    w.call("torch._utils", "_rebuild_tensor_v2", |w| {
        w.storage(storage, len, bytes);
        w.int(0);
        sizes(w, shape);
        sizes(w, &strides);
        w.bool(false);
        ordered_dict(w, |_| {});
    });
}

/// A `collections.OrderedDict`.
pub(super) fn ordered_dict(w: &mut PickleWriter, entries: impl FnOnce(&mut PickleWriter)) {
    w.call("collections", "OrderedDict", |_| {});
    w.set_items(entries);
}

/// `DataFrame({name: array}, Index(array, None, False, name))`.
fn frame(w: &mut PickleWriter, frame: &Frame) {
    let Frame { columns, index_name, index } = frame;
    w.call("pandas", "DataFrame", |w| {
        w.dict(|w| {
            for (name, data) in columns {
                w.text(name);
                array(w, &[data.len()], data);
            }
        });
        w.call("pandas", "Index", |w| {
            array(w, &[index.len()], index);
            w.none();
            w.bool(false);
            value(w, &index_name.as_deref().into());
        });
    });
}
