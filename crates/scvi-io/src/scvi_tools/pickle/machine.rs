//! The stack machine.

use std::collections::HashMap;

use super::graph::{Call, Graph, Id, Node};
use super::input::Input;
use super::opcode as op;
use crate::scvi_tools::SaveError;

/// Most values a pickle may build. A save of 60,000 genes has some 150,000.
const MAX_NODES: usize = 1 << 19;
/// Most instructions.
const MAX_STEPS: usize = 1 << 21;

/// Longest name of a module or class.
const MAX_NAME: usize = 256;

const NONE: Id = Id(0);
const FALSE: Id = Id(1);
const TRUE: Id = Id(2);
const EMPTY_TUPLE: Id = Id(3);

/// Reads a pickle into a graph. Calls nothing, imports nothing.
///
/// # Errors
/// [`SaveError`] with the position, where the pickle is broken, is beyond the limits, or uses an
/// instruction that is not read here.
pub(crate) fn parse(bytes: &[u8]) -> Result<Graph<'_>, SaveError> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(SaveError::TooLarge {
            what: format!("a data.pkl of {} bytes", bytes.len()),
            limit: "4 GiB".into(),
        });
    }
    let nodes = vec![Node::None, Node::Bool(false), Node::Bool(true), Node::Tuple(Box::default())];
    let mut machine = Machine {
        input: Input::new(bytes),
        nodes,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    for _ in 0..MAX_STEPS {
        let opcode = machine.input.opcode()?;
        if opcode == op::STOP {
            let root = machine.pop()?;
            return Ok(Graph { bytes, nodes: machine.nodes, root });
        }
        machine.step(opcode)?;
    }
    Err(machine.too_many("instructions", MAX_STEPS))
}

struct Machine<'a> {
    input: Input<'a>,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl Machine<'_> {
    fn step(&mut self, opcode: u8) -> Result<(), SaveError> {
        match opcode {
            op::PROTO => self.protocol(),
            // Frames only tell how much to read at once.
            op::FRAME => self.input.take(8).map(drop),
            op::MARK => self.mark(),
            op::POP | op::POP_MARK | op::DUP => self.stack_only(opcode),
            op::NONE => self.push(NONE),
            op::NEWFALSE => self.push(FALSE),
            op::NEWTRUE => self.push(TRUE),
            op::BININT | op::BININT1 | op::BININT2 | op::LONG1 | op::LONG4 => self.int(opcode),
            op::BINFLOAT => {
                let bytes = self.input.array()?;
                self.add(Node::Float(f64::from_be_bytes(bytes)))
            }
            op::BINUNICODE | op::SHORT_BINUNICODE | op::BINUNICODE8 => self.unicode(opcode),
            op::BINBYTES | op::SHORT_BINBYTES | op::BINBYTES8 | op::BYTEARRAY8 => {
                let span = self.input.sized(opcode)?;
                self.add(Node::Bytes(span))
            }
            op::EMPTY_TUPLE => self.push(EMPTY_TUPLE),
            op::TUPLE | op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => self.tuple(opcode),
            op::EMPTY_LIST => self.add(Node::List(Vec::new())),
            op::EMPTY_DICT => self.add(Node::Dict(Vec::new())),
            op::EMPTY_SET => self.add(Node::Set(Vec::new())),
            op::FROZENSET => {
                let items = self.pop_mark()?;
                self.add(Node::Set(items))
            }
            op::APPEND | op::APPENDS | op::ADDITEMS => self.append(opcode),
            op::SETITEM | op::SETITEMS => self.set_items(opcode),
            op::BINPUT | op::LONG_BINPUT | op::MEMOIZE => self.put(opcode),
            op::BINGET | op::LONG_BINGET => self.get(opcode),
            op::GLOBAL | op::STACK_GLOBAL => self.global(opcode),
            op::REDUCE | op::NEWOBJ => self.call(),
            op::BUILD => self.build(),
            op::BINPERSID => {
                let id = self.pop()?;
                self.add(Node::Persistent(id))
            }
            _ => Err(SaveError::UnknownOpcode {
                at: self.input.opcode_at(),
                opcode: op::name(opcode),
            }),
        }
    }

    fn protocol(&mut self) -> Result<(), SaveError> {
        match self.input.byte()? {
            2..=5 => Ok(()),
            other => Err(self.bad(format!("pickle protocol {other}, expected 2 to 5"))),
        }
    }

    fn mark(&mut self) -> Result<(), SaveError> {
        if self.marks.len() >= MAX_NODES {
            return Err(self.too_many("open marks", MAX_NODES));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    fn stack_only(&mut self, opcode: u8) -> Result<(), SaveError> {
        match opcode {
            // As in Python, a mark on top of the stack counts as an element.
            op::POP if self.marks.last() == Some(&self.stack.len()) => {
                self.marks.pop();
            }
            op::POP => {
                self.pop()?;
            }
            op::POP_MARK => {
                self.pop_mark()?;
            }
            _ => {
                let top = self.top()?;
                self.push(top)?;
            }
        }
        Ok(())
    }

    fn int(&mut self, opcode: u8) -> Result<(), SaveError> {
        let value = match opcode {
            op::BININT => i32::from_le_bytes(self.input.array()?).into(),
            op::BININT1 => self.input.byte()?.into(),
            op::BININT2 => u16::from_le_bytes(self.input.array()?).into(),
            _ => {
                let n = self.input.length(opcode)?;
                let digits = self.input.take(n)?;
                // Little-endian two's complement, as short as it can be.
                if n > 8 {
                    return Err(
                        self.bad(format!("a whole number of {n} bytes, at most 8 are read"))
                    );
                }
                let negative = digits.last().is_some_and(|b| b & 0x80 != 0);
                let mut bytes = if negative { [0xff; 8] } else { [0; 8] };
                bytes[..n].copy_from_slice(digits);
                i64::from_le_bytes(bytes)
            }
        };
        self.add(Node::Int(value))
    }

    fn unicode(&mut self, opcode: u8) -> Result<(), SaveError> {
        let span = self.input.sized(opcode)?;
        self.input.check_utf8(span)?;
        self.add(Node::Str(span))
    }

    fn tuple(&mut self, opcode: u8) -> Result<(), SaveError> {
        let items = match opcode {
            op::TUPLE => self.pop_mark()?,
            _ => {
                let n = usize::from(opcode - op::TUPLE1) + 1;
                let from = self.stack.len().checked_sub(n).filter(|&from| from >= self.floor());
                let Some(from) = from else { return Err(self.underflow()) };
                self.stack.split_off(from)
            }
        };
        self.add(Node::Tuple(items.into()))
    }

    fn append(&mut self, opcode: u8) -> Result<(), SaveError> {
        let items = if opcode == op::APPEND { vec![self.pop()?] } else { self.pop_mark()? };
        let target = self.top()?;
        match &mut self.nodes[target.0 as usize] {
            Node::List(list) if opcode != op::ADDITEMS => list.extend(items),
            Node::Set(set) if opcode == op::ADDITEMS => set.extend(items),
            _ => return Err(self.bad("adds elements to what is neither list nor set")),
        }
        Ok(())
    }

    fn set_items(&mut self, opcode: u8) -> Result<(), SaveError> {
        let items = if opcode == op::SETITEM {
            let value = self.pop()?;
            vec![self.pop()?, value]
        } else {
            self.pop_mark()?
        };
        let (pairs, []) = items.as_chunks::<2>() else {
            return Err(self.bad("sets a key without a value"));
        };
        let target = self.top()?;
        match &mut self.nodes[target.0 as usize] {
            Node::Dict(entries) => entries.extend(pairs.iter().map(|&[k, v]| (k, v))),
            Node::Call(call) => call.entries.extend(pairs.iter().map(|&[k, v]| (k, v))),
            _ => return Err(self.bad("sets keys of what is no dictionary")),
        }
        Ok(())
    }

    fn put(&mut self, opcode: u8) -> Result<(), SaveError> {
        let top = self.top()?;
        let key = match opcode {
            op::BINPUT => self.input.byte()?.into(),
            op::LONG_BINPUT => u32::from_le_bytes(self.input.array()?),
            _ => self.memo.len() as u32,
        };
        if self.memo.len() >= MAX_NODES {
            return Err(self.too_many("remembered values", MAX_NODES));
        }
        self.memo.insert(key, top);
        Ok(())
    }

    fn get(&mut self, opcode: u8) -> Result<(), SaveError> {
        let key = match opcode {
            op::BINGET => self.input.byte()?.into(),
            _ => u32::from_le_bytes(self.input.array()?),
        };
        match self.memo.get(&key) {
            Some(&id) => self.push(id),
            None => Err(self.bad(format!("recalls value {key}, which was never remembered"))),
        }
    }

    fn global(&mut self, opcode: u8) -> Result<(), SaveError> {
        let (module, name) = if opcode == op::GLOBAL {
            (self.input.line()?, self.input.line()?)
        } else {
            let name = self.pop()?;
            let module = self.pop()?;
            match (&self.nodes[module.0 as usize], &self.nodes[name.0 as usize]) {
                (&Node::Str(module), &Node::Str(name)) => (module, name),
                _ => return Err(self.bad("names a class by something that is not text")),
            }
        };
        if module.len() > MAX_NAME || name.len() > MAX_NAME {
            return Err(self.bad(format!("a class name of more than {MAX_NAME} bytes")));
        }
        self.add(Node::Global { module, name })
    }

    fn call(&mut self) -> Result<(), SaveError> {
        let args = self.pop()?;
        let callable = self.pop()?;
        let call = Call { callable, args, state: None, entries: Vec::new() };
        self.add(Node::Call(Box::new(call)))
    }

    fn build(&mut self) -> Result<(), SaveError> {
        let state = self.pop()?;
        let target = self.top()?;
        match &mut self.nodes[target.0 as usize] {
            Node::Call(call) if call.state.is_none() => call.state = Some(state),
            _ => return Err(self.bad("gives a state to what takes none")),
        }
        Ok(())
    }

    fn add(&mut self, node: Node) -> Result<(), SaveError> {
        if self.nodes.len() >= MAX_NODES {
            return Err(self.too_many("values", MAX_NODES));
        }
        let id = Id(self.nodes.len() as u32);
        self.nodes.push(node);
        self.push(id)
    }

    fn push(&mut self, id: Id) -> Result<(), SaveError> {
        if self.stack.len() >= MAX_NODES {
            return Err(self.too_many("values on the stack", MAX_NODES));
        }
        self.stack.push(id);
        Ok(())
    }

    /// How far down the stack may be popped: to the last mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Id, SaveError> {
        if self.stack.len() <= self.floor() {
            return Err(self.underflow());
        }
        self.stack.last().copied().ok_or_else(|| self.underflow())
    }

    fn pop(&mut self) -> Result<Id, SaveError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>, SaveError> {
        let Some(height) = self.marks.pop() else {
            return Err(self.bad("takes values down to a mark that was never set"));
        };
        Ok(self.stack.split_off(height))
    }

    fn underflow(&self) -> SaveError {
        self.bad("takes a value from an empty stack")
    }

    fn too_many(&self, what: &str, limit: usize) -> SaveError {
        SaveError::TooLarge {
            what: format!("the number of {what} in data.pkl"),
            limit: limit.to_string(),
        }
    }

    fn bad(&self, problem: impl Into<String>) -> SaveError {
        self.input.bad(problem)
    }
}
