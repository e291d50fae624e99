//! The calls that have a meaning. This list is all that a save can do.

use super::Decoder;
use crate::scvi_tools::SaveError;
use crate::scvi_tools::pickle::{Call, Id, Node};
use crate::scvi_tools::value::{Array, Global, Value};

impl Decoder<'_> {
    /// The value that a call stands for.
    pub(super) fn call(&self, id: Id, call: &Call) -> Result<Value, SaveError> {
        match self.called(call)? {
            ("collections", "OrderedDict" | "defaultdict") => self.entries(&call.entries),
            ("scvi", "attrdict") | ("ml_collections", "ConfigDict" | "FrozenConfigDict") => {
                self.config_dict(call)
            }
            ("builtins", "set" | "frozenset") => self.set(call),
            ("builtins", "bytes" | "bytearray") | ("_codecs", "encode") => self.owned_bytes(id),
            ("builtins", "getattr") => self.torch_function(call),

            ("numpy", "_reconstruct" | "ndarray") => self.numpy_array(call).map(Value::Array),
            ("numpy", "_frombuffer") => self.numpy_buffer(call).map(Value::Array),
            ("numpy", "scalar") => self.numpy_scalar(call),
            ("numpy", "dtype") => self.numpy_dtype(id).map(|dtype| Value::Dtype(dtype.letters())),

            ("torch", "_rebuild_tensor_v2") => self.torch_tensor(call).map(Value::Tensor),
            ("torch", "_rebuild_parameter") => self.torch_parameter(call),
            ("torch", "device") => self.torch_device(call),
            ("torch", "Size") => match *self.tuple(call.args)? {
                [sizes] => self.value(sizes),
                _ => Err(self.unknown(call.callable)),
            },

            ("pandas", "DataFrame") => self.pandas_frame(call).map(Value::Frame),
            ("pandas", "Series") => self.pandas_series(call).map(Value::Frame),
            ("pandas", "_new_Index" | "Index") => {
                let (data, _) = self.pandas_index(id)?;
                Ok(Value::Array(Array { shape: vec![data.len()], data }))
            }
            ("pandas", "__pyx_unpickle_NDArrayBacked") => {
                self.pandas_strings(call).map(Value::Array)
            }
            ("pandas", "StringArray") => self.pandas_old_strings(call).map(Value::Array),
            ("pandas", "ArrowStringArray" | "ArrowStringArrayNumpySemantics") => {
                let data = self.arrow_string_array(call)?;
                Ok(Value::Array(Array { shape: vec![data.len()], data }))
            }
            _ => Err(self.unknown(call.callable)),
        }
    }

    fn set(&self, call: &Call) -> Result<Value, SaveError> {
        match *self.tuple(call.args)? {
            [] => Ok(Value::Set(Vec::new())),
            [items] => self.values(self.list(items)?).map(Value::Set),
            _ => Err(self.unknown(call.callable)),
        }
    }

    /// scvi-tools' `attrdict`: a dict before 0.17, a dict within an object since.
    fn config_dict(&self, call: &Call) -> Result<Value, SaveError> {
        match call.state.and_then(|state| self.entry(state, "_fields")) {
            Some(fields) => self.value(fields),
            None => self.entries(&call.entries),
        }
    }

    /// `getattr(torch._C._VariableFunctions, 'exp')` is how `torch.exp` is written.
    fn torch_function(&self, call: &Call) -> Result<Value, SaveError> {
        if let &[owner, name] = self.tuple(call.args)?
            && let Node::Global { .. } = self.graph.node(owner)
            && let ("torch", "_VariableFunctionsClass" | "_VariableFunctions") =
                self.class(owner)?
        {
            return Global::new("torch", self.text(name)?).map(Value::Global);
        }
        Err(self.unknown(call.callable))
    }
}
