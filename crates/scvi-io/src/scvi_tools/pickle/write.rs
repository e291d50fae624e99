//! Writes pickles of protocol 2, torch's default.

use super::opcode as op;

/// A pickle being written, instruction by instruction, and what is to lie beside it.
#[derive(Debug)]
pub(crate) struct PickleWriter {
    out: Vec<u8>,
    storages: Vec<Vec<u8>>,
}

impl PickleWriter {
    pub(crate) fn new() -> Self {
        Self { out: vec![op::PROTO, 2], storages: Vec::new() }
    }

    /// The pickle, and the storages by their keys from 0.
    pub(crate) fn finish(mut self) -> (Vec<u8>, Vec<Vec<u8>>) {
        self.out.push(op::STOP);
        (self.out, self.storages)
    }

    pub(crate) fn none(&mut self) {
        self.out.push(op::NONE);
    }

    pub(crate) fn bool(&mut self, b: bool) {
        self.out.push(if b { op::NEWTRUE } else { op::NEWFALSE });
    }

    pub(crate) fn int(&mut self, n: i64) {
        if let Ok(n) = u8::try_from(n) {
            self.out.extend([op::BININT1, n]);
        } else if let Ok(n) = i32::try_from(n) {
            self.out.push(op::BININT);
            self.out.extend(n.to_le_bytes());
        } else {
            self.out.extend([op::LONG1, 8]);
            self.out.extend(n.to_le_bytes());
        }
    }

    pub(crate) fn float(&mut self, x: f64) {
        self.out.push(op::BINFLOAT);
        self.out.extend(x.to_be_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        if let Ok(len) = u32::try_from(text.len()) {
            self.out.push(op::BINUNICODE);
            self.out.extend(len.to_le_bytes());
        } else {
            self.out.push(op::BINUNICODE8);
            self.out.extend((text.len() as u64).to_le_bytes());
        }
        self.out.extend(text.as_bytes());
    }

    /// Bytes, as Python 3 writes them in protocol 2: a text of the same codes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let text: String = bytes.iter().map(|&b| char::from(b)).collect();
        self.call("_codecs", "encode", |w| {
            w.text(&text);
            w.text("latin1");
        });
    }

    /// A class or function. Neither name holds a line break.
    pub(crate) fn global(&mut self, module: &str, name: &str) {
        self.out.push(op::GLOBAL);
        for part in [module, name] {
            self.out.extend(part.as_bytes());
            self.out.push(b'\n');
        }
    }

    pub(crate) fn tuple(&mut self, items: impl FnOnce(&mut Self)) {
        self.out.push(op::MARK);
        items(self);
        self.out.push(op::TUPLE);
    }

    pub(crate) fn list(&mut self, items: impl FnOnce(&mut Self)) {
        self.out.extend([op::EMPTY_LIST, op::MARK]);
        items(self);
        self.out.push(op::APPENDS);
    }

    /// `entries` writes keys and values in turn.
    pub(crate) fn dict(&mut self, entries: impl FnOnce(&mut Self)) {
        self.out.push(op::EMPTY_DICT);
        self.set_items(entries);
    }

    /// Sets keys of what was written last.
    pub(crate) fn set_items(&mut self, entries: impl FnOnce(&mut Self)) {
        self.out.push(op::MARK);
        entries(self);
        self.out.push(op::SETITEMS);
    }

    /// A call of a function or class.
    pub(crate) fn call(&mut self, module: &str, name: &str, args: impl FnOnce(&mut Self)) {
        self.global(module, name);
        self.tuple(args);
        self.out.push(op::REDUCE);
    }

    /// Gives a state to what was written last.
    pub(crate) fn build(&mut self, state: impl FnOnce(&mut Self)) {
        state(self);
        self.out.push(op::BUILD);
    }

    /// Numbers that lie beside the pickle: torch's storage of a class, of `len` numbers.
    pub(crate) fn storage(&mut self, class: &str, len: usize, bytes: Vec<u8>) {
        let key = self.storages.len().to_string();
        self.storages.push(bytes);
        self.tuple(|w| {
            w.text("storage");
            w.global("torch", class);
            w.text(&key);
            w.text("cpu");
            w.int(len as i64);
        });
        self.out.push(op::BINPERSID);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Node, parse};
    use super::*;

    #[test]
    fn integers_come_back() {
        let values = [0, 1, 255, 256, -1, -256, i64::from(i32::MAX), i64::from(i32::MIN) - 1];
        for n in values.into_iter().chain([i64::MAX, i64::MIN]) {
            let mut writer = PickleWriter::new();
            writer.int(n);
            let (bytes, _) = writer.finish();
            let graph = parse(&bytes).unwrap();
            assert!(matches!(graph.node(graph.root()), Node::Int(m) if *m == n), "{n}");
        }
    }
}
