//! Tensors of torch.

use super::Decoder;
use super::layout::Layout;
use super::number::Number;
use crate::scvi_tools::SaveError;
use crate::scvi_tools::pickle::{Call, Id, Node};
use crate::scvi_tools::value::{Array, Value};

/// The number type of a storage class.
fn storage_number(class: &str) -> Option<Number> {
    Some(match class {
        "FloatStorage" => Number::F32,
        "DoubleStorage" => Number::F64,
        "HalfStorage" => Number::F16,
        "BFloat16Storage" => Number::BF16,
        "LongStorage" => Number::I64,
        "IntStorage" => Number::I32,
        "ShortStorage" => Number::I16,
        "CharStorage" => Number::I8,
        "ByteStorage" => Number::U8,
        "BoolStorage" => Number::Bool,
        _ => return None,
    })
}

impl Decoder<'_> {
    /// A view of a storage: (storage, offset, sizes, strides, requires gradient, hooks).
    ///
    /// Any strides are read; the result is row-major and its own. Tensors that share a storage
    /// thus part ways.
    pub(super) fn torch_tensor(&self, call: &Call) -> Result<Array, SaveError> {
        let &[storage, offset, shape, strides, ..] = self.tuple(call.args)? else {
            return Err(self.unknown(call.callable));
        };
        let layout = Layout {
            offset: self.size(offset)?,
            shape: self.sizes(shape)?,
            strides: self.sizes(strides)?,
        };
        let (number, key, bytes) = self.torch_storage(storage)?;
        let available = bytes.len() / number.size();
        let dimensions_match = layout.shape.len() == layout.strides.len();
        let Some(count) = layout.count_within(available).filter(|_| dimensions_match) else {
            let Layout { offset, shape, strides } = &layout;
            return Err(SaveError::structure(
                format!("data/{key}"),
                format!(
                    "the numbers of a tensor of shape {shape:?}, strides {strides:?} and offset \
                     {offset}"
                ),
                format!("{available} numbers"),
            ));
        };
        self.budget.take(count, number.size_read(), "a tensor")?;
        match number.read(bytes, false, &layout, count) {
            data if data.can_be_a_tensor() => Ok(Array { shape: layout.shape, data }),
            _ => Err(self.unknown(call.callable)),
        }
    }

    /// What torch keeps outside the pickle: ('storage', class, key, device, length).
    fn torch_storage(&self, id: Id) -> Result<(Number, &str, &[u8]), SaveError> {
        let &Node::Persistent(parts) = self.graph.node(id) else {
            return Err(self.unexpected("a storage", id));
        };
        let &[tag, class, key, _device, length] = self.tuple(parts)? else {
            return Err(self.unexpected("a storage", parts));
        };
        let (package, name) = self.class(class)?;
        let number = storage_number(name).filter(|_| package == "torch");
        let Some(number) = number.filter(|_| self.text(tag).is_ok_and(|tag| tag == "storage"))
        else {
            let SaveError::Unknown { name, .. } = self.unknown(class) else {
                return Err(self.unknown(class));
            };
            return Err(SaveError::Unknown { kind: "storage", name });
        };
        let key = self.text(key)?;
        let bytes = self.archive.storage(key)?;
        let claimed = self.size(length)?;
        if claimed.checked_mul(number.size()) != Some(bytes.len()) {
            let expected = format!("{claimed} numbers of {} bytes", number.size());
            let found = format!("{} bytes", bytes.len());
            return Err(SaveError::structure(format!("data/{key}"), expected, found));
        }
        Ok((number, key, bytes))
    }

    /// (tensor, requires gradient, hooks).
    pub(super) fn torch_parameter(&self, call: &Call) -> Result<Value, SaveError> {
        match self.tuple(call.args)?.first() {
            Some(&tensor) => self.value(tensor),
            None => Err(self.unknown(call.callable)),
        }
    }

    /// A device: (kind) or (kind, number).
    pub(super) fn torch_device(&self, call: &Call) -> Result<Value, SaveError> {
        match *self.tuple(call.args)? {
            [kind] => self.string(self.text(kind)?).map(Value::Device),
            [kind, number] => {
                Ok(Value::Device(format!("{}:{}", self.text(kind)?, self.size(number)?)))
            }
            _ => Err(self.unknown(call.callable)),
        }
    }
}
