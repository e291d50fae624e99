//! Texts of pyarrow, in which pandas 3 keeps columns of texts where pyarrow is installed.
//!
//! The layout is Arrow's variable-size binary layout (columnar format 1.5): a bit for each value
//! that is there, offsets, and the texts end to end.

use std::borrow::Cow;

use super::Decoder;
use crate::scvi_tools::SaveError;
use crate::scvi_tools::pickle::{Call, Id, Node};
use crate::scvi_tools::value::{ArrayData, Value};

impl Decoder<'_> {
    /// pandas' wrapper of pyarrow's texts.
    pub(super) fn arrow_string_array(&self, call: &Call) -> Result<ArrayData, SaveError> {
        let state = call.state.ok_or_else(|| self.unknown(call.callable))?;
        let entry = self.entry(state, "_pa_array").or_else(|| self.entry(state, "_data"));
        let array = entry.ok_or_else(|| self.unexpected("an array of pyarrow", state))?;
        let mut texts = Vec::new();
        self.arrow_array(array, &mut texts)?;
        Ok(ArrayData::from_objects(texts))
    }

    /// One array, or the chunks of one.
    fn arrow_array(&self, id: Id, texts: &mut Vec<Value>) -> Result<(), SaveError> {
        let Some(call) = self.call_of(id) else { return Err(self.unexpected("an array", id)) };
        match (self.called(call)?, self.tuple(call.args)?) {
            (("pyarrow", "chunked_array"), &[chunks, ..]) => {
                for &chunk in self.list(chunks)? {
                    self.deeper(|| self.arrow_array(chunk, texts))?;
                }
                Ok(())
            }
            (("pyarrow", "_restore_array"), &[parts]) => self.arrow_restored(parts, texts),
            _ => Err(self.unknown(call.callable)),
        }
    }

    /// (type, length, nulls, offset, buffers, children, dictionary).
    fn arrow_restored(&self, parts: Id, texts: &mut Vec<Value>) -> Result<(), SaveError> {
        let &[kind, length, _, offset, buffers, ..] = self.tuple(parts)? else {
            return Err(self.unexpected("an array of pyarrow", parts));
        };
        let wide = self.arrow_is_wide(kind)?;
        let (length, offset) = (self.size(length)?, self.size(offset)?);
        let &[present, offsets, data] = self.list(buffers)? else {
            return Err(self.unexpected("three buffers", buffers));
        };
        let (present, offsets, data) =
            (self.arrow_buffer(present)?, self.arrow_buffer(offsets)?, self.arrow_buffer(data)?);
        self.budget.take(length, 2 * size_of::<Value>(), "an array of pyarrow")?;
        let broken = || SaveError::structure("data.pkl", "texts of pyarrow", "broken offsets");
        for at in (0..length).map(|k| offset.saturating_add(k)) {
            let bit = |bytes: &[u8]| bytes.get(at / 8).is_some_and(|b| b >> (at % 8) & 1 == 1);
            if present.as_deref().is_some_and(|bytes| !bit(bytes)) {
                texts.push(Value::None);
                continue;
            }
            let bounds = offsets.as_deref().and_then(|bytes| text_bounds(bytes, at, wide));
            let (from, to) = bounds.ok_or_else(broken)?;
            let bytes = data.as_deref().unwrap_or_default().get(from..to).ok_or_else(broken)?;
            let text = str::from_utf8(bytes).map_err(|_| broken())?;
            texts.push(Value::Str(self.string(text)?));
        }
        Ok(())
    }

    /// Whether offsets take 8 bytes, not 4.
    fn arrow_is_wide(&self, kind: Id) -> Result<bool, SaveError> {
        let Some(call) = self.call_of(kind) else { return Err(self.unexpected("a type", kind)) };
        let (("pyarrow", "type_for_alias"), &[name]) = (self.called(call)?, self.tuple(call.args)?)
        else {
            return Err(self.unknown(call.callable));
        };
        match self.text(name)? {
            "large_string" => Ok(true),
            "string" => Ok(false),
            other => {
                let name = other.chars().take(40).collect::<String>().escape_debug().to_string();
                Err(SaveError::Unknown { kind: "dtype", name: format!("pyarrow.{name}") })
            }
        }
    }

    fn arrow_buffer(&self, id: Id) -> Result<Option<Cow<'_, [u8]>>, SaveError> {
        let call = match self.graph.node(id) {
            Node::None => return Ok(None),
            Node::Call(call) => call,
            _ => return Err(self.unexpected("a buffer", id)),
        };
        match (self.called(call)?, self.tuple(call.args)?) {
            (("pyarrow", "py_buffer"), &[bytes]) => self.bytes(bytes).map(Some),
            _ => Err(self.unknown(call.callable)),
        }
    }
}

/// Where the text of a value begins and ends.
fn text_bounds(offsets: &[u8], at: usize, wide: bool) -> Option<(usize, usize)> {
    let offset = |at: usize| {
        if wide {
            let bytes = offsets.as_chunks::<8>().0.get(at)?;
            usize::try_from(i64::from_le_bytes(*bytes)).ok()
        } else {
            let bytes = offsets.as_chunks::<4>().0.get(at)?;
            usize::try_from(i32::from_le_bytes(*bytes)).ok()
        }
    };
    Some((offset(at)?, offset(at.checked_add(1)?)?))
}
