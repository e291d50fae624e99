//! Groups of the old form: a B-tree of version 1 leads to tables of symbols, whose names stand in a
//! local heap.

use super::Blocks;
use super::blocks::Block;
use super::links::{Link, Target, text};

/// The most levels of a tree; each node has two children at least.
const MAX_LEVELS: u64 = 40;
/// An entry of a table that is a soft link.
const SOFT: u64 = 2;

/// The links of the group that a message about its table is of.
pub(super) fn read_links(blocks: Blocks, table: &mut Block) -> Result<Vec<Link>, String> {
    let (Some(tree), Some(heap)) = (table.address()?, table.address()?) else {
        return Err("a group without its table".into());
    };
    let names = read_names(blocks, heap)?;
    let (mut links, mut n_bytes) = (Vec::new(), 0_u64);
    let mut nodes = vec![(tree, MAX_LEVELS)];
    let superblock = blocks.superblock();
    let (offset_size, length_size) = (superblock.offset_size, superblock.length_size);
    while let Some((address, below)) = nodes.pop() {
        let head = 8 + 2 * offset_size as u64;
        let mut node = blocks.read_signed(address, head, b"TREE")?;
        let (kind, level, n) = (node.byte()?, u64::from(node.byte()?), node.number(2)?);
        if kind != 0 || level >= below {
            return Err("a group's tree is not one of links".into());
        }
        // A key before each child, and one behind the last.
        let bytes = n * (offset_size + length_size) as u64 + length_size as u64;
        // Tables and nodes that stand in the tree several times would never end.
        n_bytes = n_bytes.saturating_add(head + bytes);
        if n_bytes > blocks.file_length() {
            return Err("a group's tree without an end".into());
        }
        let mut node = blocks.read(address + head, bytes)?;
        for _ in 0..n {
            node.skip(length_size)?;
            let child = node.address()?.ok_or("a group's tree leads nowhere")?;
            match level {
                0 => n_bytes = read_table(blocks, child, &names, n_bytes, &mut links)?,
                _ => nodes.push((child, level)),
            }
        }
        if n_bytes > blocks.file_length() {
            return Err("a group's tree without an end".into());
        }
    }
    Ok(links)
}

/// Adds the links of a table of symbols, and its bytes and those of its names to a number of them.
fn read_table(
    blocks: Blocks,
    address: u64,
    names: &[u8],
    n_bytes: u64,
    links: &mut Vec<Link>,
) -> Result<u64, String> {
    let mut head = blocks.read_signed(address, 8, b"SNOD")?;
    head.skip(2)?;
    let n = head.number(2)?;
    let entry = 2 * blocks.superblock().offset_size as u64 + 24;
    let mut table = blocks.read(address + 8, n * entry)?;
    let mut n_bytes = n_bytes.saturating_add(8 + n * entry);
    for _ in 0..n {
        let name = table.number(blocks.superblock().offset_size)?;
        let object = table.address()?;
        let kind = table.number(4)?;
        table.skip(4)?;
        let path = table.number(4)?;
        table.skip(12)?;
        let name = name_at(names, name)?;
        let target = match object {
            _ if kind == SOFT => Target::Path(name_at(names, path)?),
            Some(address) => Target::Object(address),
            None => return Err(format!("the link '{name}' leads nowhere")),
        };
        let link = Link { name, target };
        // A name may be that of many links, which have one each.
        n_bytes = n_bytes.saturating_add(link.name.len() as u64);
        if n_bytes > blocks.file_length() {
            return Err("a group's tree without an end".into());
        }
        links.push(link);
    }
    Ok(n_bytes)
}

/// The data of a local heap.
fn read_names(blocks: Blocks, heap: u64) -> Result<Vec<u8>, String> {
    let superblock = blocks.superblock();
    let bytes = 8 + 2 * superblock.length_size + superblock.offset_size;
    let mut head = blocks.read_signed(heap, bytes as u64, b"HEAP")?;
    head.skip(4)?;
    let length = head.length()?;
    head.length()?;
    let data = head.address()?.ok_or("a group's names stand nowhere")?;
    Ok(blocks.read(data, length)?.into_bytes())
}

/// The text that begins at a place of the heap and ends with a NUL.
fn name_at(names: &[u8], at: u64) -> Result<String, String> {
    let rest = usize::try_from(at).ok().and_then(|at| names.get(at..));
    let rest = rest.ok_or("a name that is not among a group's names")?;
    let length = rest.iter().position(|&b| b == 0).unwrap_or(rest.len());
    Ok(text(&rest[..length]))
}
