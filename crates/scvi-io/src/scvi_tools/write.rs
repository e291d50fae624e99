//! Writes a save.

use std::path::Path;

use scvi::nn::Tensor;

use super::find::FILE;
use super::parse::Entries;
use super::pickle::PickleWriter;
use super::registry::{dict, one_axis, pairs};
use super::state::StateTensor;
use super::value::{Array, ArrayData, Frame, Value};
use super::{ScviToolsSave, container, encode, history};
use crate::IoError;
use crate::output::{AtomicDir, AtomicFile};

/// Arguments of `SCVI.__init__` and `LinearSCVI.__init__` by name; all others reach the module as
/// `**kwargs`.
const NAMED: [&str; 8] = [
    "n_hidden",
    "n_latent",
    "n_layers",
    "dropout_rate",
    "dispersion",
    "gene_likelihood",
    "use_observed_lib_size",
    "latent_distribution",
];

impl ScviToolsSave {
    /// Writes `{prefix}model.pt` into a folder, so that `scvi.model.SCVI.load` opens it; whole or
    /// not at all.
    ///
    /// The folder is made where there is none. In one that is there, the file is put beside what
    /// it holds, as scvi-tools does with `overwrite=True`; a save of the same name is replaced only
    /// with `overwrite`. The same save gives the same bytes.
    ///
    /// # Errors
    /// [`IoError::BadInput`] where a shape and its values contradict each other, a prefix holds a
    /// path, or a value is none that a save can hold; [`IoError::Exists`], [`IoError::BadOutput`]
    /// and [`IoError::Os`] where it cannot be written.
    pub fn write(
        &self,
        dir: impl AsRef<Path>,
        prefix: Option<&str>,
        overwrite: bool,
    ) -> Result<(), IoError> {
        let dir = dir.as_ref();
        let name = format!("{}{FILE}", prefix.unwrap_or_default());
        if name.contains(['/', '\\', '\0']) {
            return Err(bad("the prefix", "the beginning of a file's name", name));
        }
        if dir.is_dir() {
            let path = dir.join(name);
            self.write_to(AtomicFile::create(&path, overwrite)?, &path)?.finish()
        } else {
            let folder = AtomicDir::create(dir, &name, false)?;
            let path = folder.temp_path().join(&name);
            self.write_to(AtomicFile::create(&path, false)?, &path)?.finish()?;
            folder.finish()
        }
    }

    /// The bytes of the `model.pt`.
    ///
    /// # Errors
    /// [`IoError::BadInput`], as [`ScviToolsSave::write`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, IoError> {
        self.write_to(Vec::new(), Path::new(FILE))
    }

    fn write_to<W: std::io::Write>(&self, mut out: W, path: &Path) -> Result<W, IoError> {
        let attributes = self.attributes_to_value();
        check(&attributes, 0)?;
        let mut w = PickleWriter::new();
        w.dict(|w| {
            w.text("model_state_dict");
            encode::ordered_dict(w, |w| self.state_dict(w));
            w.text("var_names");
            encode::value(w, &one_axis(ArrayData::Str(self.var_names.clone())));
            w.text("attr_dict");
            encode::value(w, &attributes);
        });
        for (name, tensor) in &self.state_dict {
            let (shape, len) = (tensor.shape(), tensor.len());
            check_shape(&format!("tensor '{name}'"), shape, len)?;
        }
        let (pickle, storages) = w.finish();
        container::write(&mut out, &pickle, &storages)
            .map_err(|e| IoError::os("write", path, e))?;
        Ok(out)
    }

    fn state_dict(&self, w: &mut PickleWriter) {
        for (name, tensor) in &self.state_dict {
            w.text(name);
            match tensor {
                StateTensor::F32(t) => put(w, "FloatStorage", t, |x| x.to_le_bytes()),
                StateTensor::F64(t) => put(w, "DoubleStorage", t, |x| x.to_le_bytes()),
                StateTensor::I64(t) => put(w, "LongStorage", t, |n| n.to_le_bytes()),
            }
        }
        // scvi-tools hands it to pyro, whose state without parameters this is.
        let empty = || Value::Dict(Vec::new());
        w.text("pyro_param_store");
        let store = vec![("params".into(), empty()), ("constraints".into(), empty())];
        encode::value(w, &Value::Dict(store));
    }

    fn attributes_to_value(&self) -> Value {
        let history = self.history.iter();
        let history =
            history.map(|(name, column)| (name.as_str().into(), history::to_value(name, column)));
        let indices = |indices: &Option<Vec<usize>>| match indices {
            Some(rows) => one_axis(ArrayData::Int(rows.iter().map(|&row| row as i64).collect())),
            None => Value::None,
        };
        let attributes = [
            ("registry_".into(), self.registry.to_value()),
            ("init_params_".into(), self.init_params_to_value()),
            ("history_".into(), Value::Dict(history.collect())),
            ("train_indices_".into(), indices(&self.train_indices)),
            ("validation_indices_".into(), indices(&self.validation_indices)),
            ("test_indices_".into(), indices(&self.test_indices)),
            ("is_trained_".into(), Value::Bool(self.is_trained)),
        ];
        Value::Dict(attributes.into_iter().chain(pairs(&self.attributes)).collect())
    }

    fn init_params_to_value(&self) -> Value {
        let params = self.init_params.clone();
        let (named, further): (Entries, Entries) =
            params.into_iter().partition(|(key, _)| NAMED.contains(&key.as_str()));
        let kwargs = Value::Dict(vec![("kwargs".into(), dict(&further))]);
        Value::Dict(vec![("kwargs".into(), kwargs), ("non_kwargs".into(), dict(&named))])
    }
}

fn put<T: Copy, const N: usize>(
    w: &mut PickleWriter,
    storage: &str,
    tensor: &Tensor<T>,
    bytes: impl Fn(T) -> [u8; N],
) {
    let data = tensor.data.iter().flat_map(|&x| bytes(x)).collect();
    encode::tensor(w, storage, &tensor.shape, data, tensor.data.len());
}

/// Refuses what the reader would refuse: shapes that do not fit, tensors of texts, and values
/// nested too deeply.
fn check(value: &Value, depth: usize) -> Result<(), IoError> {
    const MAX_DEPTH: usize = 40;
    if depth > MAX_DEPTH {
        let expected = format!("values nested at most {MAX_DEPTH} deep");
        return Err(bad("an attribute", &expected, "deeper ones".into()));
    }
    let data = |data: &ArrayData| match data {
        ArrayData::Object(items) => items.iter().try_for_each(|v| check(v, depth + 1)),
        _ => Ok(()),
    };
    match value {
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
            items.iter().try_for_each(|v| check(v, depth + 1))
        }
        Value::Dict(entries) => entries
            .iter()
            .try_for_each(|(k, v)| check(k, depth + 1).and_then(|()| check(v, depth + 1))),
        Value::Array(Array { shape, data: values }) => {
            check_shape("an array", shape, values.len())?;
            data(values)
        }
        Value::Tensor(Array { shape, data: values }) => {
            if !values.can_be_a_tensor() {
                return Err(bad("a tensor", "numbers", "texts, times or objects".into()));
            }
            check_shape("a tensor", shape, values.len())
        }
        Value::Frame(Frame { columns, index, .. }) => {
            data(index)?;
            columns.iter().try_for_each(|(name, values)| {
                check_shape(&format!("column '{name}'"), &[index.len()], values.len())?;
                data(values)
            })
        }
        _ => Ok(()),
    }
}

fn check_shape(what: &str, shape: &[usize], len: usize) -> Result<(), IoError> {
    let count = shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
    if count == Some(len) {
        return Ok(());
    }
    Err(bad(what, &format!("values for shape {shape:?}"), format!("{len} values")))
}

fn bad(what: &str, expected: &str, found: String) -> IoError {
    IoError::BadInput { what: what.into(), expected: expected.into(), found }
}
