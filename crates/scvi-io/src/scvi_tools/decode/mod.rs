//! From the graph of a pickle to plain values: the calls that have a meaning, and what it is.

mod arrow;
mod calls;
mod layout;
mod number;
mod numpy;
mod pandas;
mod torch;

use std::borrow::Cow;
use std::cell::Cell;

use super::SaveError;
use super::archive::Archive;
use super::budget::Budget;
use super::pickle::{Call, Graph, Id, Node};
use super::value::{Array, Global, Value};

/// Deepest nesting of values. A save has some 15 levels.
const MAX_DEPTH: usize = 64;

/// Turns nodes into values.
pub(super) struct Decoder<'a> {
    pub(super) graph: &'a Graph<'a>,
    pub(super) archive: &'a Archive<'a>,
    pub(super) budget: &'a Budget,
    depth: Cell<usize>,
}

/// A class or function: the package it belongs to, and its name there. Modules inside a package
/// move from version to version, so that they are not looked at.
type Called<'a> = (&'a str, &'a str);

impl<'a> Decoder<'a> {
    pub(super) fn new(graph: &'a Graph<'a>, archive: &'a Archive<'a>, budget: &'a Budget) -> Self {
        Self { graph, archive, budget, depth: Cell::new(0) }
    }

    /// The value of a node, with everything below it.
    pub(super) fn value(&self, id: Id) -> Result<Value, SaveError> {
        self.deeper(|| match self.graph.node(id) {
            Node::None => Ok(Value::None),
            &Node::Bool(b) => Ok(Value::Bool(b)),
            &Node::Int(n) => Ok(Value::Int(n)),
            &Node::Float(x) => Ok(Value::Float(x)),
            &Node::Str(span) => self.string(self.graph.text(span)).map(Value::Str),
            Node::Bytes(_) => self.owned_bytes(id),
            Node::Tuple(items) => self.values(items).map(Value::Tuple),
            Node::List(items) => self.values(items).map(Value::List),
            Node::Set(items) => self.values(items).map(Value::Set),
            Node::Dict(entries) => self.entries(entries),
            &Node::Global { module, name } => {
                self.global(self.graph.text(module), self.graph.text(name))
            }
            Node::Call(call) => self.call(id, call),
            Node::Persistent(_) => {
                Err(SaveError::structure("data.pkl", "storages within tensors", "a storage alone"))
            }
        })
    }

    fn global(&self, module: &str, name: &str) -> Result<Value, SaveError> {
        match (package(module), name) {
            ("pandas", "NA" | "NaT") => Ok(Value::None),
            _ => Global::new(module, name).map(Value::Global),
        }
    }

    /// Runs one level down; refuses where values contain themselves.
    fn deeper<T>(&self, run: impl FnOnce() -> Result<T, SaveError>) -> Result<T, SaveError> {
        let depth = self.depth.get() + 1;
        if depth > MAX_DEPTH {
            return Err(SaveError::TooLarge {
                what: "the nesting of values (or one that contains itself)".into(),
                limit: format!("{MAX_DEPTH} levels"),
            });
        }
        self.budget.take(1, size_of::<Value>(), "the values of data.pkl")?;
        self.depth.set(depth);
        let result = run();
        self.depth.set(depth - 1);
        result
    }

    fn string(&self, text: &str) -> Result<String, SaveError> {
        self.budget.take(text.len(), 1, "the texts of data.pkl")?;
        Ok(text.to_owned())
    }

    fn values(&self, items: &[Id]) -> Result<Vec<Value>, SaveError> {
        self.budget.take(items.len(), size_of::<Value>(), "the values of data.pkl")?;
        let mut values = Vec::with_capacity(items.len());
        for &item in items {
            values.push(self.value(item)?);
        }
        Ok(values)
    }

    fn entries(&self, entries: &[(Id, Id)]) -> Result<Value, SaveError> {
        self.budget.take(entries.len(), 2 * size_of::<Value>(), "the values of data.pkl")?;
        let mut pairs = Vec::with_capacity(entries.len());
        for &(key, value) in entries {
            pairs.push((self.value(key)?, self.value(value)?));
        }
        Ok(Value::Dict(pairs))
    }

    fn owned_bytes(&self, id: Id) -> Result<Value, SaveError> {
        let bytes = self.bytes(id)?;
        if let Cow::Borrowed(bytes) = bytes {
            self.budget.take(bytes.len(), 1, "the bytes of data.pkl")?;
        }
        Ok(Value::Bytes(bytes.into_owned()))
    }

    /// Bytes, however they are written: Python 3 writes bytes in protocol 2 as a text to encode.
    fn bytes(&self, id: Id) -> Result<Cow<'a, [u8]>, SaveError> {
        let call = match self.graph.node(id) {
            &Node::Bytes(span) => return Ok(Cow::Borrowed(self.graph.bytes(span))),
            Node::Call(call) => call,
            _ => return Err(self.unexpected("bytes", id)),
        };
        match (self.called(call)?, self.tuple(call.args)?) {
            (("_codecs", "encode"), &[text, encoding])
                if matches!(self.text(encoding)?, "latin1" | "latin-1") =>
            {
                self.latin1(self.text(text)?)
            }
            (("builtins", "bytes" | "bytearray"), []) => Ok(Cow::Borrowed(&[])),
            (("builtins", "bytes" | "bytearray"), &[inner]) => self.deeper(|| self.bytes(inner)),
            _ => Err(self.unexpected("bytes", id)),
        }
    }

    fn latin1(&self, text: &str) -> Result<Cow<'a, [u8]>, SaveError> {
        self.budget.take(text.len(), 1, "the bytes of data.pkl")?;
        let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
        bytes.map(Cow::Owned).ok_or_else(|| {
            SaveError::structure("data.pkl", "bytes as latin-1 text", "other characters")
        })
    }

    /// An array, numpy's or pandas'.
    fn array(&self, id: Id) -> Result<Array, SaveError> {
        match self.value(id)? {
            Value::Array(array) => Ok(array),
            other => Err(SaveError::structure("data.pkl", "an array", other.kind())),
        }
    }

    fn text(&self, id: Id) -> Result<&'a str, SaveError> {
        match self.graph.node(id) {
            &Node::Str(span) => Ok(self.graph.text(span)),
            _ => Err(self.unexpected("a text", id)),
        }
    }

    fn size(&self, id: Id) -> Result<usize, SaveError> {
        match *self.graph.node(id) {
            Node::Int(n) if n >= 0 => usize::try_from(n).map_err(|_| self.unexpected("a size", id)),
            _ => Err(self.unexpected("a size", id)),
        }
    }

    fn sizes(&self, id: Id) -> Result<Vec<usize>, SaveError> {
        /// Dimensions of numpy's arrays.
        const MOST: usize = 64;
        let ids = self.tuple(id)?;
        if ids.len() > MOST {
            return Err(self.unexpected("at most 64 sizes", id));
        }
        ids.iter().map(|&id| self.size(id)).collect()
    }

    fn tuple(&self, id: Id) -> Result<&'a [Id], SaveError> {
        match self.graph.node(id) {
            Node::Tuple(items) => Ok(items),
            _ => Err(self.unexpected("a tuple", id)),
        }
    }

    /// A list or a tuple.
    fn list(&self, id: Id) -> Result<&'a [Id], SaveError> {
        match self.graph.node(id) {
            Node::List(items) => Ok(items),
            Node::Tuple(items) => Ok(items),
            _ => Err(self.unexpected("a list", id)),
        }
    }

    /// What the state of an object holds under a key. Such a state has few keys: a larger
    /// dictionary is not searched, so that no file can have one searched again and again.
    fn entry(&self, id: Id, key: &str) -> Option<Id> {
        const MOST: usize = 64;
        let Node::Dict(entries) = self.graph.node(id) else { return None };
        if entries.len() > MOST {
            return None;
        }
        let is_key =
            |id: Id| matches!(self.graph.node(id), &Node::Str(s) if self.graph.text(s) == key);
        entries.iter().rfind(|&&(k, _)| is_key(k)).map(|&(_, v)| v)
    }

    fn call_of(&self, id: Id) -> Option<&'a Call> {
        if let Node::Call(call) = self.graph.node(id) { Some(call) } else { None }
    }

    /// What a call would call.
    fn called(&self, call: &Call) -> Result<Called<'a>, SaveError> {
        self.class(call.callable)
    }

    fn class(&self, id: Id) -> Result<Called<'a>, SaveError> {
        match self.graph.node(id) {
            &Node::Global { module, name } => {
                Ok((package(self.graph.text(module)), self.graph.text(name)))
            }
            _ => Err(self.unexpected("a class", id)),
        }
    }

    /// The refusal of a call.
    fn unknown(&self, callable: Id) -> SaveError {
        let name = match self.graph.node(callable) {
            &Node::Global { module, name } => {
                format!("{}.{}", self.graph.text(module), self.graph.text(name))
            }
            other => node_kind(other).to_owned(),
        };
        let name = name.chars().take(200).collect::<String>().escape_debug().to_string();
        SaveError::Unknown { kind: "class or function", name }
    }

    fn unexpected(&self, expected: &str, id: Id) -> SaveError {
        match self.graph.node(id) {
            Node::Call(call) => self.unknown(call.callable),
            other => SaveError::structure("data.pkl", expected, node_kind(other)),
        }
    }
}

/// The first part of a module's name; Python 2 called its builtins otherwise.
fn package(module: &str) -> &str {
    match module.split('.').next().unwrap_or_default() {
        "__builtin__" => "builtins",
        package => package,
    }
}

fn node_kind(node: &Node) -> &'static str {
    match node {
        Node::None => "None",
        Node::Bool(_) => "a bool",
        Node::Int(_) => "an int",
        Node::Float(_) => "a float",
        Node::Str(_) => "a str",
        Node::Bytes(_) => "bytes",
        Node::Tuple(_) => "a tuple",
        Node::List(_) => "a list",
        Node::Set(_) => "a set",
        Node::Dict(_) => "a dict",
        Node::Global { .. } => "a class or function",
        Node::Call(_) => "a call",
        Node::Persistent(_) => "a storage",
    }
}
