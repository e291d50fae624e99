//! The members of a group: links to objects, to paths, and into other files.

use super::blocks::Block;
use super::{Blocks, MessageKind, ObjectHeader, btree_v1, btree_v2, fractal_heap};

/// The B-tree that lists links by name.
const BY_NAME: u8 = 5;
/// Bytes of a link at least.
const MIN_LINK: u64 = 8;

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::h5ad) enum Target {
    /// The object header at an address: a hard link.
    Object(u64),
    /// A path in this file: a soft link.
    Path(String),
    /// A path in another file: an external link.
    OtherFile {
        /// The file's name.
        file: String,
        /// The path in it.
        path: String,
    },
    /// Something else, by the number of its kind.
    Unknown(u8),
}

impl Link {
    /// Bytes of the file that it takes at least.
    pub(in crate::h5ad) fn min_bytes(&self) -> u64 {
        MIN_LINK + self.name.len() as u64
    }
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::h5ad) struct Link {
    /// Its name.
    pub(in crate::h5ad) name: String,
    /// What it leads to.
    pub(in crate::h5ad) target: Target,
}

/// The links of the group whose object header stands at an address; none where it is no group.
pub(in crate::h5ad) fn read_links(blocks: Blocks, address: u64) -> Result<Vec<Link>, String> {
    let wanted = [MessageKind::SYMBOL_TABLE, MessageKind::LINK_INFO, MessageKind::LINK];
    let header = ObjectHeader::read(blocks, address, Some(&wanted))?;
    let mut links = Vec::new();
    if let Some(table) = header.message(MessageKind::SYMBOL_TABLE) {
        return btree_v1::read_links(blocks, &mut table.body.clone());
    }
    for_each_link(blocks, &header, &mut |mut message| {
        links.push(read_link(&mut message)?);
        Ok(())
    })?;
    Ok(links)
}

/// Calls `f` with every link message of a group of the newer form, whether in the header or in a heap.
pub(in crate::h5ad) fn for_each_link(
    blocks: Blocks,
    header: &ObjectHeader,
    f: &mut dyn FnMut(Block) -> Result<(), String>,
) -> Result<(), String> {
    for message in header.of_kind(MessageKind::LINK) {
        f(message.body.clone())?;
    }
    let Some(info) = header.message(MessageKind::LINK_INFO) else { return Ok(()) };
    let (Some(heap), Some(names)) = heap_of_links(&mut info.body.clone())? else { return Ok(()) };
    let heap = fractal_heap::FractalHeap::open(blocks, heap)?;
    let (most, mut n_bytes) = (blocks.file_length() / MIN_LINK, 0);
    btree_v2::for_each_record(blocks, names, BY_NAME, most, &mut |record| {
        record.skip(4)?;
        let id = record.remaining();
        let link = heap.read(blocks, record.take(id)?)?;
        n_bytes += link.remaining() as u64;
        match n_bytes <= blocks.file_length() {
            true => f(link),
            false => Err("links that lie over each other".into()),
        }
    })
}

/// The heap in which a group of many members keeps its links, and the tree of their names.
pub(in crate::h5ad) fn heap_of_links(
    info: &mut Block,
) -> Result<(Option<u64>, Option<u64>), String> {
    let (_version, flags) = (info.byte()?, info.byte()?);
    info.skip(8 * usize::from(flags & 1))?;
    Ok((info.address()?, info.address()?))
}

/// Reads a link message.
pub(in crate::h5ad) fn read_link(body: &mut Block) -> Result<Link, String> {
    let (version, flags) = (body.byte()?, body.byte()?);
    if version != 1 {
        return Err(format!("a link of version {version}"));
    }
    let has = |bit: u8| flags >> bit & 1 == 1;
    let kind = if has(3) { body.byte()? } else { 0 };
    // The order of creation, and the character set.
    body.skip(8 * usize::from(has(2)) + usize::from(has(4)))?;
    let length = body.number(1 << (flags & 3))?;
    let name = text(body.take(length as usize)?);
    let target = match kind {
        0 => Target::Object(body.address()?.ok_or("a link that leads nowhere")?),
        1 => {
            let length = body.number(2)? as usize;
            Target::Path(text(body.take(length)?))
        }
        64 => {
            let length = body.number(2)? as usize;
            // A byte of flags, then two texts, each with a NUL behind it.
            let mut parts = body.take(length)?.get(1..).unwrap_or_default().split(|&b| b == 0);
            let [file, path] = [parts.next(), parts.next()].map(|part| text(part.unwrap_or(b"")));
            Target::OtherFile { file, path }
        }
        other => Target::Unknown(other),
    };
    Ok(Link { name, target })
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
