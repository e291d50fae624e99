//! What a save holds, as plain values.

use super::SaveError;
use scvi::data::{TimeUnit, datetime_str, float_str, single_str, timedelta_str};

/// A value of a save. Dictionaries of all classes (`OrderedDict`, `defaultdict`, scvi-tools'
/// `attrdict`) are [`Value::Dict`]; numbers of numpy are plain numbers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `None`, and pandas' `NA`.
    None,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A tuple, or torch's `Size`.
    Tuple(Vec<Value>),
    /// A set, in the order of the file.
    Set(Vec<Value>),
    /// A dictionary, in the order of the file.
    Dict(Vec<(Value, Value)>),
    /// An array of numpy, or an index of pandas.
    Array(Array),
    /// A tensor of torch.
    Tensor(Array),
    /// A table of pandas.
    Frame(Frame),
    /// A function or class, by name.
    Global(Global),
    /// A device of torch: `cpu`, `cuda:0`.
    Device(String),
    /// A number type of numpy, in numpy's letters: `<f4`.
    Dtype(String),
}

/// An array in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Sizes, outermost first; empty for a single number.
    pub shape: Vec<usize>,
    /// Values, as many as the shape says.
    pub data: ArrayData,
}

/// The values of an array. Narrow types are widened: all whole numbers to 8 bytes with a sign where
/// they fit, 2-byte floats to 4.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ArrayData {
    /// Truth values.
    Bool(Vec<bool>),
    /// Whole numbers.
    Int(Vec<i64>),
    /// Whole numbers without a sign, of which some need all 8 bytes.
    UInt(Vec<u64>),
    /// Numbers of 4 bytes.
    Float32(Vec<f32>),
    /// Numbers of 8 bytes.
    Float64(Vec<f64>),
    /// Points in time, since 1970.
    Datetime(TimeUnit, Vec<i64>),
    /// Lengths of time.
    Timedelta(TimeUnit, Vec<i64>),
    /// Texts: of fixed length, or an object array that holds only texts.
    Str(Vec<String>),
    /// An object array that holds other things too.
    Object(Vec<Value>),
}

/// A table of pandas; a series is a table of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Names and values of the columns.
    pub columns: Vec<(String, ArrayData)>,
    /// Name of the index.
    pub index_name: Option<String>,
    /// The index, a value for each row.
    pub index: ArrayData,
}

/// The name of a function or class of torch, numpy or scvi-tools, kept as a name.
///
/// Names of other packages are refused: whoever loads the save would import them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Global {
    module: String,
    name: String,
}

/// Packages whose functions may be named.
const NAMED: [&str; 3] = ["torch", "numpy", "scvi"];

impl Global {
    /// The function or class `name` of `module`.
    ///
    /// # Errors
    /// [`SaveError::Unknown`] for another package than torch, numpy or scvi, and for what is no
    /// name.
    pub fn new(module: &str, name: &str) -> Result<Self, SaveError> {
        let word =
            |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let package = module.split('.').next().unwrap_or_default();
        let named = module.split('.').chain(name.split('.')).all(word);
        if !named || !NAMED.contains(&package) {
            let name = format!("{module}.{name}").escape_default().to_string();
            return Err(SaveError::Unknown { kind: "class or function", name });
        }
        Ok(Self { module: module.into(), name: name.into() })
    }

    /// Where it is defined: `torch.nn.functional`.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// What it is called there: `relu`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl ArrayData {
    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Bool(v) => v.len(),
            Self::Int(v) | Self::Datetime(_, v) | Self::Timedelta(_, v) => v.len(),
            Self::UInt(v) => v.len(),
            Self::Float32(v) => v.len(),
            Self::Float64(v) => v.len(),
            Self::Str(v) => v.len(),
            Self::Object(v) => v.len(),
        }
    }

    /// Whether torch has a type for them that is written here.
    pub(in crate::scvi_tools) fn can_be_a_tensor(&self) -> bool {
        matches!(self, Self::Bool(_) | Self::Int(_) | Self::Float32(_) | Self::Float64(_))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Objects, as texts if they all are.
    pub fn from_objects(values: Vec<Value>) -> Self {
        if !values.iter().all(|v| matches!(v, Value::Str(_))) {
            return Self::Object(values);
        }
        let text = |v| if let Value::Str(s) = v { s } else { String::new() };
        Self::Str(values.into_iter().map(text).collect())
    }

    /// The values as numbers; `None` where one is neither a number nor missing (NaN).
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        Some(match self {
            Self::Bool(v) => v.iter().map(|&b| f64::from(u8::from(b))).collect(),
            Self::Int(v) => v.iter().map(|&n| n as f64).collect(),
            Self::UInt(v) => v.iter().map(|&n| n as f64).collect(),
            Self::Float32(v) => v.iter().map(|&x| x.into()).collect(),
            Self::Float64(v) => v.clone(),
            Self::Str(_) | Self::Datetime(..) | Self::Timedelta(..) => return None,
            Self::Object(v) => v
                .iter()
                .map(|v| if *v == Value::None { Some(f64::NAN) } else { v.as_f64() })
                .collect::<Option<_>>()?,
        })
    }

    /// The values as texts, written as Python's `str` writes them.
    pub fn to_strings(&self) -> Vec<String> {
        let python = |b: bool| if b { "True" } else { "False" }.to_owned();
        match self {
            Self::Bool(v) => v.iter().map(|&b| python(b)).collect(),
            Self::Int(v) => v.iter().map(i64::to_string).collect(),
            Self::UInt(v) => v.iter().map(u64::to_string).collect(),
            Self::Datetime(unit, v) => v.iter().map(|&t| datetime_str(unit.of(t))).collect(),
            Self::Timedelta(unit, v) => v.iter().map(|&t| timedelta_str(unit.of(t))).collect(),
            Self::Float32(v) => v.iter().map(|&x| single_str(x)).collect(),
            Self::Float64(v) => v.iter().map(|&x| float_str(x)).collect(),
            Self::Str(v) => v.clone(),
            Self::Object(v) => v
                .iter()
                .map(|v| match v {
                    Value::Str(s) => s.clone(),
                    Value::Bool(b) => python(*b),
                    Value::Int(n) => n.to_string(),
                    Value::Float(x) => float_str(*x),
                    Value::None => "None".into(),
                    other => other.kind().into(),
                })
                .collect(),
        }
    }
}

impl Value {
    /// What kind of value it is, in Python's words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an int",
            Self::Float(_) => "a float",
            Self::Str(_) => "a str",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Tuple(_) => "a tuple",
            Self::Set(_) => "a set",
            Self::Dict(_) => "a dict",
            Self::Array(_) => "an array",
            Self::Tensor(_) => "a tensor",
            Self::Frame(_) => "a DataFrame",
            Self::Global(_) => "a function or class",
            Self::Device(_) => "a device",
            Self::Dtype(_) => "a dtype",
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(s) = self { Some(s) } else { None }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(b) = self { Some(*b) } else { None }
    }

    /// The whole number, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Int(n) = self { Some(*n) } else { None }
    }

    /// The number, if it is one: a float, a whole number, or a tensor or array of one number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(x) => Some(*x),
            Self::Int(n) => Some(*n as f64),
            Self::Tensor(a) | Self::Array(a) if !matches!(a.data, ArrayData::Object(_)) => {
                match a.data.to_f64()?[..] {
                    [x] => Some(x),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The value under a text key of a dictionary; of two, the later one, as in Python.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let Self::Dict(entries) = self else { return None };
        entries.iter().rfind(|(k, _)| k.as_str() == Some(key)).map(|(_, v)| v)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::None, Self::from)
    }
}
