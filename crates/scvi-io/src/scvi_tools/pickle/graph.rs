//! What a pickle describes, with calls noted down.

use std::ops::Range;

/// A node of a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Id(pub(super) u32);

/// A stretch of the pickle; four bytes each keep the nodes small.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The parser refuses pickles whose positions need more than four bytes.
    pub(super) fn new(range: Range<usize>) -> Self {
        Self { start: range.start as u32, end: range.end as u32 }
    }

    pub(super) fn of(self, pickle: &[u8]) -> &[u8] {
        &pickle[self.start as usize..self.end as usize]
    }

    pub(super) fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// A value, or a call that would give one.
#[derive(Debug)]
pub(crate) enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Valid UTF-8: the parser has checked it.
    Str(Span),
    Bytes(Span),
    Tuple(Box<[Id]>),
    List(Vec<Id>),
    Set(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global {
        module: Span,
        name: Span,
    },
    Call(Box<Call>),
    /// Something that lies outside the pickle: torch's storages.
    Persistent(Id),
}

/// A call that nobody makes.
#[derive(Debug)]
pub(crate) struct Call {
    /// The class or function, a [`Node::Global`] in every honest pickle.
    pub(crate) callable: Id,
    /// A [`Node::Tuple`] in every honest pickle.
    pub(crate) args: Id,
    /// What `__setstate__` would be given.
    pub(crate) state: Option<Id>,
    /// What would be set by key afterwards.
    pub(crate) entries: Vec<(Id, Id)>,
}

/// All nodes of a pickle. Shared parts are one node; there may be cycles.
#[derive(Debug)]
pub(crate) struct Graph<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) nodes: Vec<Node>,
    pub(super) root: Id,
}

impl<'a> Graph<'a> {
    /// The value that the whole pickle stands for.
    pub(crate) fn root(&self) -> Id {
        self.root
    }

    pub(crate) fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(crate) fn bytes(&self, span: Span) -> &'a [u8] {
        span.of(self.bytes)
    }

    /// The text of a [`Node::Str`] or of a name.
    pub(crate) fn text(&self, span: Span) -> &'a str {
        std::str::from_utf8(self.bytes(span)).unwrap_or_default()
    }
}
