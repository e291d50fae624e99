//! Pickles: what they say, without doing what they say.
//!
//! A pickle is a program for a stack machine whose instructions may call any function. [`parse`]
//! runs the instructions that build plain values, and notes down calls instead of making them:
//! the result is a graph in which a call is one more kind of node. Which calls have a meaning is
//! decided later, by a fixed table.
//!
//! The instructions are those of protocols 2 to 5 that Python, torch, numpy and pandas write
//! (`pickletools.py` of CPython 3.13 describes them all).

mod graph;
mod input;
mod machine;
mod opcode;
mod write;

pub(super) use graph::{Call, Graph, Id, Node};
pub(super) use machine::parse;
pub(super) use write::PickleWriter;
