//! What an object header says of a data set's chunks, beyond what the HDF5 library tells.

use super::blocks::Block;
use super::{Blocks, Message, MessageKind, ObjectHeader, btree_v2};

/// The kinds of trees: of chunks as they are, and of compressed ones.
const PLAIN: u8 = 10;
const FILTERED: u8 = 11;
/// The index of a chunked layout that is such a tree.
const BTREE_V2: u8 = 5;
/// A layout in chunks.
const CHUNKED: u8 = 2;
/// A flag of such a layout: chunks that reach over the end of the array have no filters.
const PLAIN_EDGES: u8 = 1;
/// Bytes of a chunk in a tree at least.
const MIN_RECORD: u64 = 16;

/// A chunk that is stored in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::h5ad) struct StoredChunk {
    /// Its number in the grid of chunks, counted along the last axis first.
    pub(in crate::h5ad) number: u64,
    /// Where in the file it lies.
    pub(in crate::h5ad) position: u64,
    /// Its bytes in the file.
    pub(in crate::h5ad) size: u64,
    /// A bit for each filter that was passed over.
    pub(in crate::h5ad) skipped: u32,
}

/// A data set in chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::h5ad) struct ChunkedHeader {
    /// Whether chunks that reach over the end of the array have no filters.
    pub(in crate::h5ad) has_plain_edges: bool,
    /// Bytes of an element that was never written; none where they are zeros.
    pub(in crate::h5ad) fill: Option<Vec<u8>>,
    /// Whether a B-tree of version 2 lists the chunks, and its address if there are some.
    tree: Option<Option<u64>>,
}

impl ChunkedHeader {
    /// Of the data set whose object header stands at an address.
    pub(in crate::h5ad) fn read(blocks: Blocks, address: u64) -> Result<Self, String> {
        let (new, old) = (MessageKind::FILL_VALUE, MessageKind::OLD_FILL_VALUE);
        let header =
            ObjectHeader::read(blocks, address, Some(&[MessageKind::DATA_LAYOUT, new, old]))?;
        let fill = match (header.message(new), header.message(old)) {
            (Some(Message { body, .. }), _) => fill_value(&mut body.clone())?,
            (_, Some(Message { body, .. })) => {
                let mut body = body.clone();
                let size = body.number(4)? as usize;
                Some(body.take(size)?.to_vec())
            }
            _ => None,
        };
        let fill = fill.filter(|bytes| !bytes.is_empty());
        let layout =
            header.message(MessageKind::DATA_LAYOUT).ok_or("a data set without a layout")?;
        let mut layout = layout.body.clone();
        let (version, class) = (layout.byte()?, layout.byte()?);
        if version < 4 || class != CHUNKED {
            return Ok(Self { has_plain_edges: false, fill, tree: None });
        }
        let (flags, n, width) = (layout.byte()?, layout.byte()?, layout.byte()?);
        layout.skip(usize::from(n) * usize::from(width))?;
        let mut tree = None;
        if layout.byte()? == BTREE_V2 {
            // Size of a node, and when nodes are split and joined.
            layout.skip(6)?;
            tree = Some(layout.address()?);
        }
        Ok(Self { has_plain_edges: flags & PLAIN_EDGES != 0, fill, tree })
    }

    /// Whether a B-tree of version 2 lists the chunks.
    pub(in crate::h5ad) fn has_tree(&self) -> bool {
        self.tree.is_some()
    }

    /// The chunks that a B-tree of version 2 lists, of `chunk_bytes` bytes each, in a grid of so many
    /// along each axis.
    pub(in crate::h5ad) fn chunks_of_tree(
        &self,
        blocks: Blocks,
        grid: &[u64],
        chunk_bytes: u64,
    ) -> Result<Vec<StoredChunk>, String> {
        let Some(Some(tree)) = self.tree else { return Ok(Vec::new()) };
        let mut head = blocks.read_signed(tree, 6, b"BTHD")?;
        head.skip(1)?;
        let kind = match head.byte()? {
            kind @ (PLAIN | FILTERED) => kind,
            other => return Err(format!("a B-tree of kind {other}, not of chunks")),
        };
        let mut chunks = Vec::new();
        let most = blocks.file_length() / MIN_RECORD;
        btree_v2::for_each_record(blocks, tree, kind, most, &mut |record| {
            chunks.extend(read_chunk(blocks, record, kind, grid, chunk_bytes)?);
            Ok(())
        })?;
        Ok(chunks)
    }
}

/// A record of a tree; `None` where the chunk lies outside of the array, which was larger once.
fn read_chunk(
    blocks: Blocks,
    record: &mut Block,
    kind: u8,
    grid: &[u64],
    chunk_bytes: u64,
) -> Result<Option<StoredChunk>, String> {
    let bytes = record.remaining();
    let position = blocks.position(record.address()?.ok_or("a chunk lies nowhere")?)?;
    let (mut size, mut skipped) = (chunk_bytes, 0);
    if kind == FILTERED {
        // What is left beside address, mask and places.
        let rest = bytes - record.remaining() + 4 + 8 * grid.len();
        let width = bytes.checked_sub(rest).filter(|&width| width <= 8);
        size = record.number(width.ok_or("a chunk without a size")?)?;
        skipped = record.number(4)? as u32;
    }
    let mut number = Some(0_u64);
    for &n in grid {
        let place = record.number(8)?;
        number =
            number.filter(|_| place < n).and_then(|all| all.checked_mul(n)?.checked_add(place));
    }
    Ok(number.map(|number| StoredChunk { number, position, size, skipped }))
}

/// The value in a message of today's form; `None` where there is none.
fn fill_value(body: &mut Block) -> Result<Option<Vec<u8>>, String> {
    let version = body.byte()?;
    let has_value = match version {
        1 | 2 => {
            // When room is made and the value is written.
            body.skip(2)?;
            let is_defined = body.byte()? != 0;
            is_defined || version == 1
        }
        3 => body.byte()? & 0x20 != 0,
        other => return Err(format!("a fill value of version {other}")),
    };
    if !has_value {
        return Ok(None);
    }
    // A size of -1 stands for a value that is not known.
    let size = body.number(4)?;
    if size == u64::from(u32::MAX) {
        return Ok(None);
    }
    Ok(Some(body.take(size as usize)?.to_vec()))
}
