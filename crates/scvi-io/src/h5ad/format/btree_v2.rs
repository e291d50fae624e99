//! B-trees of version 2: records in the order of their keys.

use super::Blocks;
use super::blocks::{Block, width_of};

/// Signature, version, kind and checksum of a node.
const NODE_OVERHEAD: u64 = 10;

/// A tree's header.
struct Tree {
    kind: u8,
    node_size: u64,
    record_size: u64,
    /// Of each level, the leaves first, the width of the number of records below a node of it.
    total_widths: Vec<usize>,
    /// Width of the number of records in a node.
    count_width: usize,
}

/// A node that is to be read.
struct Node {
    address: u64,
    n_records: u64,
    depth: usize,
}

/// Calls `f` with every record, which has at most `most` of them; of a node those of its children
/// come behind its own.
pub(super) fn for_each_record(
    blocks: Blocks,
    address: u64,
    kind: u8,
    most: u64,
    f: &mut dyn FnMut(&mut Block) -> Result<(), String>,
) -> Result<(), String> {
    let Some((tree, root)) = Tree::open(blocks, address, kind)? else { return Ok(()) };
    let (mut nodes, mut n_records, mut n_bytes) = (vec![root], 0_u64, 0_u64);
    while let Some(node) = nodes.pop() {
        n_records = n_records.saturating_add(node.n_records);
        n_bytes = n_bytes.saturating_add(tree.node_size);
        if n_records > most || n_bytes > blocks.file_length() {
            return Err("a B-tree without an end".into());
        }
        let signature = if node.depth == 0 { b"BTLF" } else { b"BTIN" };
        let mut block = blocks.read_signed(node.address, tree.node_size, signature)?;
        block.expect(&[0, tree.kind])?;
        for _ in 0..node.n_records {
            let record = block.take(tree.record_size as usize)?.to_vec();
            f(&mut blocks.part(record))?;
        }
        if node.depth > 0 {
            for _ in 0..=node.n_records {
                let address = block.address()?.ok_or("a B-tree leads nowhere")?;
                let n_records = block.number(tree.count_width)?;
                if node.depth > 1 {
                    block.skip(tree.total_widths[node.depth - 1])?;
                }
                nodes.push(Node { address, n_records, depth: node.depth - 1 });
            }
        }
        block.expect_checksum()?;
    }
    Ok(())
}

impl Tree {
    /// Reads a header, and where the root is; `None` where there is no record.
    fn open(blocks: Blocks, address: u64, kind: u8) -> Result<Option<(Self, Node)>, String> {
        let superblock = blocks.superblock();
        let bytes = 22 + superblock.offset_size + superblock.length_size;
        let mut head = blocks.read_signed(address, bytes as u64, b"BTHD")?;
        head.expect(&[0, kind])?;
        let (node_size, record_size) = (head.number(4)?, head.number(2)?);
        let depth = head.number(2)? as usize;
        head.skip(2)?;
        let (root, n_records) = (head.address()?, head.number(2)?);
        head.length()?;
        head.expect_checksum()?;
        let Some(address) = root else { return Ok(None) };
        let in_leaf = node_size.saturating_sub(NODE_OVERHEAD).checked_div(record_size);
        let in_leaf = in_leaf.filter(|&n| n > 0).ok_or("a B-tree whose nodes hold no record")?;
        let count_width = width_of(in_leaf);
        // A leaf's total is its own number of records, which is not stored twice.
        let (mut total_widths, mut total) = (vec![0], in_leaf);
        for level in 1..=depth.min(64) {
            let pointer = (superblock.offset_size + count_width + total_widths[level - 1]) as u64;
            let room = node_size.saturating_sub(NODE_OVERHEAD + pointer);
            let in_node = room / (record_size + pointer);
            total = (in_node + 1).saturating_mul(total).saturating_add(in_node);
            total_widths.push(width_of(total));
        }
        if depth >= total_widths.len() {
            return Err(format!("a B-tree of {depth} levels"));
        }
        let tree = Self { kind, node_size, record_size, total_widths, count_width };
        Ok(Some((tree, Node { address, n_records, depth })))
    }
}
