//! Arrays and numbers of numpy, of versions 1 and 2.

use std::borrow::Cow;

use scvi::data::TimeUnit;

use super::Decoder;
use super::layout::Layout;
use super::number::Number;
use crate::scvi_tools::SaveError;
use crate::scvi_tools::pickle::{Call, Id, Node};
use crate::scvi_tools::value::{Array, ArrayData, Value};

/// A number type of numpy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dtype {
    kind: Kind,
    big_endian: bool,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Number(Number),
    /// Characters of 4 bytes.
    Unicode(usize),
    /// Characters of one byte.
    Ascii(usize),
    Object,
    /// `M8`, a point in time; its unit is in the state where the letters have none.
    Datetime(Option<TimeUnit>),
    /// `m8`, a length of time.
    Timedelta(Option<TimeUnit>),
}

const NUMBERS: [(&str, Number); 12] = [
    ("b1", Number::Bool),
    ("i1", Number::I8),
    ("i2", Number::I16),
    ("i4", Number::I32),
    ("i8", Number::I64),
    ("u1", Number::U8),
    ("u2", Number::U16),
    ("u4", Number::U32),
    ("u8", Number::U64),
    ("f2", Number::F16),
    ("f4", Number::F32),
    ("f8", Number::F64),
];

impl Dtype {
    /// Reads numpy's letters, with or without the byte order in front.
    fn parse(letters: &str) -> Result<Self, SaveError> {
        // No letters that are read are longer.
        let letters = letters.get(..16).unwrap_or(letters);
        let bare = letters.trim_start_matches(['<', '>', '=', '|']);
        let kind = match NUMBERS.iter().find(|(name, _)| *name == bare) {
            Some(&(_, number)) => Some(Kind::Number(number)),
            None if matches!(bare, "O" | "O8" | "O4") => Some(Kind::Object),
            None if bare == "M8" => Some(Kind::Datetime(None)),
            None if bare == "m8" => Some(Kind::Timedelta(None)),
            None if bare.ends_with(']') => time_kind(bare),
            None => bare.split_at_checked(1).and_then(|(kind, len)| {
                let len = len.parse().ok().filter(|&len| len > 0)?;
                match kind {
                    "U" => Some(Kind::Unicode(len)),
                    "S" => Some(Kind::Ascii(len)),
                    _ => None,
                }
            }),
        };
        let big_endian = letters.starts_with('>');
        kind.map(|kind| Self { kind, big_endian }).ok_or_else(|| SaveError::Unknown {
            kind: "dtype",
            name: letters.chars().take(40).collect::<String>().escape_debug().to_string(),
        })
    }

    /// numpy's letters: `<f4`.
    pub(super) fn letters(self) -> String {
        let order = if self.big_endian { '>' } else { '<' };
        match self.kind {
            Kind::Number(number) => {
                let name = NUMBERS.iter().find(|(_, n)| *n == number).map_or("", |(name, _)| name);
                format!("{}{name}", if number.size() == 1 { '|' } else { order })
            }
            Kind::Unicode(len) => format!("{order}U{len}"),
            Kind::Ascii(len) => format!("|S{len}"),
            Kind::Object => "|O".into(),
            Kind::Datetime(unit) => format!("{order}M8{}", unit_letters(unit)),
            Kind::Timedelta(unit) => format!("{order}m8{}", unit_letters(unit)),
        }
    }
}

/// The kind of `M8[ns]` or `m8[ns]`.
fn time_kind(letters: &str) -> Option<Kind> {
    let (kind, unit) = letters.strip_suffix(']')?.split_once('[')?;
    let unit = Some(TimeUnit::from_name(unit)?);
    match kind {
        "M8" => Some(Kind::Datetime(unit)),
        "m8" => Some(Kind::Timedelta(unit)),
        _ => None,
    }
}

fn unit_letters(unit: Option<TimeUnit>) -> String {
    unit.map_or(String::new(), |unit| format!("[{}]", unit.name()))
}

impl Decoder<'_> {
    /// `numpy.dtype(letters, align, copy)`, with the byte order in its state.
    pub(super) fn numpy_dtype(&self, id: Id) -> Result<Dtype, SaveError> {
        let Some(call) = self.call_of(id) else { return Err(self.unexpected("a dtype", id)) };
        let (("numpy", "dtype"), Some(&letters)) =
            (self.called(call)?, self.tuple(call.args)?.first())
        else {
            return Err(self.unknown(call.callable));
        };
        let mut dtype = Dtype::parse(self.text(letters)?)?;
        if let Some(state) = call.state {
            let &[_, order, ..] = self.tuple(state)? else {
                return Err(self.unexpected("a dtype's state", state));
            };
            dtype.big_endian = self.text(order)? == ">";
            if let Kind::Datetime(unit) | Kind::Timedelta(unit) = &mut dtype.kind {
                *unit = Some(self.time_unit(state)?);
            }
        }
        Ok(dtype)
    }

    /// The unit of times, which is the last part of a dtype's state: `(None, (b"ns", 1, 1, 1))`.
    fn time_unit(&self, state: Id) -> Result<TimeUnit, SaveError> {
        let unexpected = || self.unexpected("times in s, ms, us or ns", state);
        let &[.., metadata] = self.tuple(state)? else { return Err(unexpected()) };
        let &[_, unit] = self.tuple(metadata)? else { return Err(unexpected()) };
        let &[name, number, ..] = self.tuple(unit)? else { return Err(unexpected()) };
        let name = self.bytes(name)?;
        let unit = str::from_utf8(&name).ok().and_then(TimeUnit::from_name);
        match (unit, self.graph.node(number)) {
            (Some(unit), Node::Int(1)) => Ok(unit),
            _ => Err(unexpected()),
        }
    }

    /// An empty array that is given its state: (version, shape, dtype, column-major, data).
    pub(super) fn numpy_array(&self, call: &Call) -> Result<Array, SaveError> {
        let Some(state) = call.state else { return Err(self.unknown(call.callable)) };
        let &[_, shape, dtype, column_major, data] = self.tuple(state)? else {
            return Err(self.unexpected("an array's state", state));
        };
        let column_major = match *self.graph.node(column_major) {
            Node::Bool(b) => b,
            Node::Int(n) => n != 0,
            _ => return Err(self.unexpected("a bool", column_major)),
        };
        self.numpy_data(shape, dtype, column_major, data)
    }

    /// What numpy writes in protocol 5: (data, dtype, shape, order).
    pub(super) fn numpy_buffer(&self, call: &Call) -> Result<Array, SaveError> {
        let &[data, dtype, shape, order] = self.tuple(call.args)? else {
            return Err(self.unknown(call.callable));
        };
        self.numpy_data(shape, dtype, self.text(order)? == "F", data)
    }

    fn numpy_data(
        &self,
        shape: Id,
        dtype: Id,
        column_major: bool,
        data: Id,
    ) -> Result<Array, SaveError> {
        let shape = self.sizes(shape)?;
        let dtype = self.numpy_dtype(dtype)?;
        let layout = if column_major {
            Layout::column_major(shape.clone())
        } else {
            Layout::row_major(shape.clone())
        };
        let data = match dtype.kind {
            Kind::Object => self.objects(data, &layout)?,
            _ => self.numpy_values(dtype, &self.bytes(data)?, &layout)?,
        };
        Ok(Array { shape, data })
    }

    /// An array of objects, whose data are a list.
    fn objects(&self, data: Id, layout: &Layout) -> Result<ArrayData, SaveError> {
        let items = self.list(data)?;
        let count = self.fitting(layout, items.len())?;
        self.budget.take(count, 2 * size_of::<Value>(), "an array of objects")?;
        let mut values = Vec::with_capacity(count);
        for at in layout.positions(count) {
            values.push(self.value(items[at])?);
        }
        Ok(ArrayData::from_objects(values))
    }

    fn numpy_values(
        &self,
        dtype: Dtype,
        bytes: &[u8],
        layout: &Layout,
    ) -> Result<ArrayData, SaveError> {
        match dtype.kind {
            Kind::Number(number) => {
                let count = self.fitting(layout, bytes.len() / number.size())?;
                self.budget.take(count, number.size_read(), "an array")?;
                Ok(number.read(bytes, dtype.big_endian, layout, count))
            }
            Kind::Datetime(Some(unit)) => {
                Ok(ArrayData::Datetime(unit, self.times(dtype, bytes, layout)?))
            }
            Kind::Timedelta(Some(unit)) => {
                Ok(ArrayData::Timedelta(unit, self.times(dtype, bytes, layout)?))
            }
            Kind::Datetime(None) | Kind::Timedelta(None) => {
                Err(SaveError::structure("data.pkl", "times in a unit", "times in none"))
            }
            Kind::Unicode(len) => {
                let size = len.saturating_mul(4);
                self.strings(bytes, size, layout, |item| unicode(item, dtype.big_endian))
            }
            Kind::Ascii(len) => self.strings(bytes, len, layout, |item| {
                let text = str::from_utf8(item).ok()?;
                Some(text.trim_end_matches('\0').to_owned())
            }),
            Kind::Object => Err(SaveError::structure("data.pkl", "numbers", "objects")),
        }
    }

    /// Times are stored as whole numbers are.
    fn times(&self, dtype: Dtype, bytes: &[u8], layout: &Layout) -> Result<Vec<i64>, SaveError> {
        let numbers = Dtype { kind: Kind::Number(Number::I64), ..dtype };
        match self.numpy_values(numbers, bytes, layout)? {
            ArrayData::Int(times) => Ok(times),
            _ => Err(SaveError::structure("data.pkl", "times", "others")),
        }
    }

    fn strings(
        &self,
        bytes: &[u8],
        size: usize,
        layout: &Layout,
        convert: impl Fn(&[u8]) -> Option<String>,
    ) -> Result<ArrayData, SaveError> {
        let count = self.fitting(layout, bytes.len() / size)?;
        self.budget.take(count, size.saturating_add(size_of::<String>()), "an array of texts")?;
        let texts: Option<Vec<String>> =
            layout.positions(count).map(|at| convert(&bytes[at * size..(at + 1) * size])).collect();
        texts
            .map(ArrayData::Str)
            .ok_or_else(|| SaveError::structure("data.pkl", "texts", "bytes that are none"))
    }

    fn fitting(&self, layout: &Layout, available: usize) -> Result<usize, SaveError> {
        layout.count_within(available).ok_or_else(|| {
            let shape = &layout.shape;
            let expected = format!("as many elements as an array of shape {shape:?} has");
            SaveError::structure("data.pkl", expected, available.to_string())
        })
    }

    /// A single number: (dtype, bytes).
    pub(super) fn numpy_scalar(&self, call: &Call) -> Result<Value, SaveError> {
        let &[dtype, data] = self.tuple(call.args)? else {
            return Err(self.unknown(call.callable));
        };
        let bytes: Cow<'_, [u8]> = self.bytes(data)?;
        let layout = Layout::row_major(Vec::new());
        let data = self.numpy_values(self.numpy_dtype(dtype)?, &bytes, &layout)?;
        let value = match data {
            ArrayData::Bool(v) => v.first().map(|&b| Value::Bool(b)),
            ArrayData::Int(v) => v.first().map(|&n| Value::Int(n)),
            ArrayData::Float32(v) => v.first().map(|&x| Value::Float(x.into())),
            ArrayData::Float64(v) => v.first().map(|&x| Value::Float(x)),
            ArrayData::Str(v) => v.into_iter().next().map(Value::Str),
            ArrayData::Object(v) => v.into_iter().next(),
            ArrayData::UInt(_) | ArrayData::Datetime(..) | ArrayData::Timedelta(..) => None,
        };
        value.ok_or_else(|| self.unknown(call.callable))
    }
}

/// Text of 4-byte characters, filled up with NUL.
fn unicode(bytes: &[u8], big_endian: bool) -> Option<String> {
    let (chars, _) = bytes.as_chunks::<4>();
    let code =
        |b: &[u8; 4]| if big_endian { u32::from_be_bytes(*b) } else { u32::from_le_bytes(*b) };
    let used = chars.iter().rposition(|b| code(b) != 0).map_or(0, |last| last + 1);
    chars[..used].iter().map(|b| char::from_u32(code(b))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters() {
        for letters in ["|b1", "<i8", ">u2", "<f4", "<U12", "|S3", "|O", "<M8[ns]", ">m8[s]"] {
            assert_eq!(Dtype::parse(letters).unwrap().letters(), letters);
        }
        assert_eq!(Dtype::parse("O8").unwrap().letters(), "|O");
        for letters in ["", "<M8[D]", "<M8[2ns]", "<M8[", "c16", "U0", "U", "V8", "Ux", "é1", "f16"]
        {
            let error = Dtype::parse(letters).unwrap_err().to_string();
            assert!(error.contains("dtype") && error.contains("nothing was executed"), "{error}");
        }
    }

    #[test]
    fn fixed_width_text() {
        let bytes: Vec<u8> =
            ['a', '\0', 'ß', '\0'].iter().flat_map(|&c| (c as u32).to_le_bytes()).collect();
        assert_eq!(unicode(&bytes, false).unwrap(), "a\0ß");
        assert_eq!(unicode(&[0xff; 4], false), None);
        assert_eq!(unicode(&[0, 0, 0, b'a'], true).unwrap(), "a");
    }
}
