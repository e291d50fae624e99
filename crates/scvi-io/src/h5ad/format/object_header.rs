//! Object headers: the messages that say what an object is.

use super::Blocks;
use super::blocks::Block;

/// The most blocks of a header, each of which leads to the next.
const MAX_BLOCKS: usize = 1 << 12;

/// Kinds of messages by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::h5ad) struct MessageKind(pub(in crate::h5ad) u16);

impl MessageKind {
    pub(in crate::h5ad) const NIL: Self = Self(0x00);
    pub(in crate::h5ad) const LINK_INFO: Self = Self(0x02);
    pub(in crate::h5ad) const OLD_FILL_VALUE: Self = Self(0x04);
    pub(in crate::h5ad) const FILL_VALUE: Self = Self(0x05);
    pub(in crate::h5ad) const LINK: Self = Self(0x06);
    pub(in crate::h5ad) const DATA_LAYOUT: Self = Self(0x08);
    pub(in crate::h5ad) const GROUP_INFO: Self = Self(0x0a);
    pub(in crate::h5ad) const ATTRIBUTE: Self = Self(0x0c);
    pub(in crate::h5ad) const COMMENT: Self = Self(0x0d);
    pub(in crate::h5ad) const CONTINUATION: Self = Self(0x10);
    pub(in crate::h5ad) const SYMBOL_TABLE: Self = Self(0x11);
    pub(in crate::h5ad) const REFERENCE_COUNT: Self = Self(0x16);
    pub(in crate::h5ad) const FILE_SPACE_INFO: Self = Self(0x17);
}

/// A message of an object header.
#[derive(Debug, Clone)]
pub(in crate::h5ad) struct Message {
    /// What it is about.
    pub(in crate::h5ad) kind: MessageKind,
    /// Its flags.
    pub(in crate::h5ad) flags: u8,
    /// When it was made among others, in headers that keep track of that.
    pub(in crate::h5ad) order: [u8; 2],
    /// Its content.
    pub(in crate::h5ad) body: Block,
    /// Where in the file the content stands.
    pub(in crate::h5ad) position: u64,
    /// Place and length of the part of the header that it stands in, where a checksum follows.
    pub(in crate::h5ad) part: Option<(u64, u64)>,
}

/// The messages of an object.
#[derive(Debug)]
pub(in crate::h5ad) struct ObjectHeader {
    /// What stands before them.
    pub(in crate::h5ad) prefix: Prefix,
    pub(in crate::h5ad) messages: Vec<Message>,
    /// Bytes of all its parts.
    pub(in crate::h5ad) length: u64,
}

/// The beginning of an object header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::h5ad) enum Prefix {
    /// Of version 1.
    Old {
        /// Hard links to the object.
        n_links: u64,
    },
    /// Of version 2.
    New {
        /// Flags, among which are those of what follows and the width of a size.
        flags: u8,
        /// Times, and when attributes are stored elsewhere.
        optional: Vec<u8>,
    },
}

/// A part of a header.
struct Part {
    /// Its address.
    start: u64,
    /// Bytes before its first message.
    prefix: u64,
    /// Bytes of its messages.
    length: u64,
}

/// The head of a message: its kind, its size, its flags, its order.
type Head = (u16, u64, u8, [u8; 2]);

/// A flag of messages that are stored elsewhere, once for several objects.
pub(in crate::h5ad) const SHARED: u8 = 2;

impl ObjectHeader {
    /// Reads the header at an address: the messages of the wanted kinds, or all.
    pub(in crate::h5ad) fn read(
        blocks: Blocks,
        address: u64,
        wanted: Option<&[MessageKind]>,
    ) -> Result<Self, String> {
        let mut start = blocks.read(address, 4)?;
        match start.take(4)? {
            b"OHDR" => Self::read_new(blocks, address, wanted),
            _ => Self::read_old(blocks, address, wanted),
        }
    }

    /// The first message of a kind.
    pub(in crate::h5ad) fn message(&self, kind: MessageKind) -> Option<&Message> {
        self.messages.iter().find(|message| message.kind == kind)
    }

    /// All messages of a kind.
    pub(super) fn of_kind(&self, kind: MessageKind) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(move |message| message.kind == kind)
    }

    /// A header of version 1: messages whose head is 8 bytes.
    fn read_old(
        blocks: Blocks,
        address: u64,
        wanted: Option<&[MessageKind]>,
    ) -> Result<Self, String> {
        let mut prefix = blocks.read(address, 16)?;
        let version = prefix.byte()?;
        if version != 1 {
            return Err(format!("no object header at {address}"));
        }
        prefix.skip(3)?;
        let (n_links, length) = (prefix.number(4)?, prefix.number(4)?);
        let part = Part { start: address, prefix: 16, length };
        let (messages, length) = read_parts(blocks, part, false, wanted, |message| {
            let (kind, size, flags) = (message.number(2)?, message.number(2)?, message.byte()?);
            message.skip(3)?;
            Ok((kind as u16, size, flags, [0; 2]))
        })?;
        Ok(Self { prefix: Prefix::Old { n_links }, messages, length })
    }

    /// A header of version 2: messages whose head is 4 or 6 bytes, checksums behind each part.
    fn read_new(
        blocks: Blocks,
        address: u64,
        wanted: Option<&[MessageKind]>,
    ) -> Result<Self, String> {
        let rest = blocks.file_length().saturating_sub(blocks.position(address)?);
        let mut prefix = blocks.read_signed(address, rest.min(34), b"OHDR")?;
        let version = prefix.byte()?;
        if version != 2 {
            return Err(format!("an object header of version {version}"));
        }
        let flags = prefix.byte()?;
        let has = |bit: u8| usize::from(flags >> bit & 1);
        // Times of access, and when attributes are stored elsewhere.
        let optional = prefix.take(16 * has(5) + 4 * has(4))?.to_vec();
        let width = 1 << (flags & 3);
        let length = prefix.number(width)?;
        let prefix = (6 + optional.len() + width) as u64;
        let part = Part { start: address, prefix, length };
        let (messages, length) = read_parts(blocks, part, true, wanted, |message| {
            let (kind, size, flags) = (message.byte()?, message.number(2)?, message.byte()?);
            let order = if has(2) == 1 { message.number(2)? as u16 } else { 0 };
            Ok((kind.into(), size, flags, order.to_le_bytes()))
        })?;
        Ok(Self { prefix: Prefix::New { flags, optional }, messages, length })
    }
}

/// Reads a header's parts, each of which may lead to others: the messages, and the bytes of all parts.
fn read_parts(
    blocks: Blocks,
    first: Part,
    is_checked: bool,
    wanted: Option<&[MessageKind]>,
    head: impl Fn(&mut Block) -> Result<Head, String>,
) -> Result<(Vec<Message>, u64), String> {
    let (mut messages, mut parts, mut n_parts, mut n_bytes) = (Vec::new(), vec![first], 0, 0);
    while let Some(Part { start, prefix, length }) = parts.pop() {
        (n_parts, n_bytes) = (n_parts + 1, length.saturating_add(n_bytes));
        if n_parts > MAX_BLOCKS || n_bytes > blocks.file_length() {
            return Err("an object header without an end".into());
        }
        let mut block = match is_checked {
            true => blocks.read_checked(start, prefix + length)?,
            false => blocks.read(start, prefix + length)?,
        };
        block.skip(prefix as usize)?;
        // What is left may be too short for a message.
        while let Ok((kind, size, flags, order)) = head(&mut block) {
            let position = blocks.position(start)? + block.read_bytes() as u64;
            let Ok(body) = block.take(size as usize) else { break };
            let kind = MessageKind(kind);
            if kind == MessageKind::CONTINUATION {
                let mut body = blocks.part(body.to_vec());
                let (address, length) = (body.address()?, body.length()?);
                let start = address.ok_or("an object header goes on nowhere")?;
                parts.push(match is_checked {
                    false => Part { start, prefix: 0, length },
                    true => {
                        blocks.read_signed(start, 4, b"OCHK")?;
                        // Signature and checksum.
                        let length = length.checked_sub(8);
                        let length = length.ok_or("an object header is cut off")?;
                        Part { start, prefix: 4, length }
                    }
                });
            } else if wanted.is_none_or(|wanted| wanted.contains(&kind)) {
                if wanted.is_some() && flags & SHARED != 0 {
                    return Err("a header whose messages are shared with others".into());
                }
                let body = blocks.part(body.to_vec());
                let part = is_checked.then_some((blocks.position(start)?, prefix + length));
                messages.push(Message { kind, flags, order, body, position, part });
            }
        }
    }
    Ok((messages, n_bytes))
}
