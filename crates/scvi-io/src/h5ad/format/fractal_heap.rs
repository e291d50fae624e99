//! Fractal heaps, in which groups of many members keep their links.
//!
//! Objects lie in blocks of a table whose rows double in size: a place in the heap is a row, a
//! column and a place in that block.

use super::Blocks;
use super::blocks::{Block, width_of};

/// A heap whose objects can be read.
pub(super) struct FractalHeap {
    /// Blocks of a row.
    columns: u64,
    /// Bytes of a block of the first two rows.
    smallest: u64,
    /// Larger blocks lead to others.
    largest_direct: u64,
    /// Width of a place in the heap.
    place_width: usize,
    /// Width of an object's length.
    length_width: usize,
    /// The root: a block of objects, or of addresses with so many rows.
    root: u64,
    root_rows: u64,
}

impl FractalHeap {
    /// Reads the header at an address.
    pub(super) fn open(blocks: Blocks, address: u64) -> Result<Self, String> {
        let superblock = blocks.superblock();
        let (offset_size, length_size) = (superblock.offset_size, superblock.length_size);
        let bytes = 26 + 3 * offset_size + 12 * length_size;
        let mut head = blocks.read_signed(address, bytes as u64, b"FRHP")?;
        head.expect(&[0])?;
        let (_id_size, filters) = (head.number(2)?, head.number(2)?);
        if filters != 0 {
            return Err("a group whose links are compressed".into());
        }
        head.skip(1)?;
        let largest_object = head.number(4)?;
        // Objects of their own, free space, and numbers of objects and bytes.
        head.skip(2 * (length_size + offset_size) + 8 * length_size)?;
        let columns = head.number(2)?;
        let (smallest, largest_direct) = (head.length()?, head.length()?);
        let place_bits = head.number(2)? as usize;
        head.skip(2)?;
        let root = head.address()?.ok_or("an empty heap")?;
        let root_rows = head.number(2)?;
        head.expect_checksum()?;
        let is_power = |n: u64| n.is_power_of_two() && n < 1 << 40;
        if !is_power(columns) || !is_power(smallest) || !is_power(largest_direct) {
            return Err("a heap whose blocks have no size".into());
        }
        if !(1..=64).contains(&place_bits) || largest_object == 0 {
            return Err("a heap without a place".into());
        }
        let place_width = place_bits.div_ceil(8);
        let length_width =
            (largest_direct.ilog2() as usize).div_ceil(8).min(width_of(largest_object));
        Ok(Self { columns, smallest, largest_direct, place_width, length_width, root, root_rows })
    }

    /// An object by its identifier.
    pub(super) fn read(&self, blocks: Blocks, id: &[u8]) -> Result<Block, String> {
        let mut id = blocks.part(id.to_vec());
        // The upper bits are a version and a kind: 0 are objects in blocks.
        if id.byte()? & 0xf0 != 0 {
            return Err("a link that is stored apart, because it is very long".into());
        }
        let (place, length) = (id.number(self.place_width)?, id.number(self.length_width)?);
        let (mut at, mut rows, mut block) = (place, self.root_rows, self.root);
        let mut size = u64::MAX;
        while rows > 0 {
            let (row, column, first) = self.cell(at);
            if row >= rows {
                return Err("a heap has no such object".into());
            }
            block = self.child(blocks, block, row * self.columns + column)?;
            (size, at) = (self.block_size(row), at - first);
            rows = match size <= self.largest_direct {
                true => 0,
                // As many rows as hold the bytes of the cell.
                false => (size / (self.smallest * self.columns)).max(1).ilog2() as u64 + 1,
            };
        }
        if self.root_rows == 0 {
            size = self.smallest;
        }
        if at.checked_add(length).is_none_or(|end| end > size) {
            return Err("an object reaches beyond its block".into());
        }
        blocks.read(block.checked_add(at).ok_or("a heap's block lies nowhere")?, length)
    }

    /// Row and column of a place, and where that cell begins.
    fn cell(&self, at: u64) -> (u64, u64, u64) {
        let first_row = self.smallest * self.columns;
        let (row, start) = match (at / first_row).checked_ilog2() {
            None => (0, 0),
            Some(n) => (u64::from(n) + 1, first_row << n),
        };
        let size = self.block_size(row);
        let column = (at - start) / size;
        (row, column, start + column * size)
    }

    fn block_size(&self, row: u64) -> u64 {
        self.smallest << row.saturating_sub(1).min(63)
    }

    /// The address in a cell of a block of addresses.
    fn child(&self, blocks: Blocks, address: u64, cell: u64) -> Result<u64, String> {
        let offset_size = blocks.superblock().offset_size as u64;
        // Signature, version, the heap's address, and the block's place in the heap.
        let head = 5 + offset_size + self.place_width as u64;
        blocks.read_signed(address, 4, b"FHIB")?;
        let at =
            address.checked_add(head + cell * offset_size).ok_or("a heap's block lies nowhere")?;
        let child = blocks.read(at, offset_size)?.address()?;
        child.ok_or_else(|| "a heap has no such object".into())
    }
}
