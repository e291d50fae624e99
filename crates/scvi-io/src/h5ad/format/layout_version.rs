//! Object headers as the HDF5 library is to see them: with layouts of version 4 in place of 5.

use std::collections::BTreeSet;

use super::{MessageKind, Superblock};
use crate::h5ad::superblock::lookup3;

/// Parts of object headers whose messages have a head of 6 bytes, by their place in the file.
pub(in crate::h5ad) type WideHeads = BTreeSet<u64>;

/// Shows layouts of version 4 in what was read at a place of the file, where that is a part of an
/// object header of version 2 and its checksum is right.
///
/// The two versions differ in the width of the sizes of compressed chunks: in 5 it is that of a
/// length. The indices of chunks say it themselves, which is where the library looks it up.
pub(in crate::h5ad) fn show_version_4(
    superblock: &Superblock,
    at: u64,
    bytes: &mut [u8],
    wide_heads: &mut WideHeads,
) -> Option<()> {
    let (first, end, head) = match bytes.get(..4)? {
        b"OHDR" => {
            let flags = *bytes.get(5)?;
            let has = |bit: u8| usize::from(flags >> bit & 1);
            let (size_at, width) = (6 + 16 * has(5) + 4 * has(4), 1 << (flags & 3));
            let first = size_at + width;
            let length = number(bytes.get(size_at..first)?);
            (first, first.checked_add(usize::try_from(length).ok()?)?, 4 + 2 * has(2))
        }
        b"OCHK" => {
            let head = if wide_heads.contains(&at) { 6 } else { 4 };
            (4, bytes.len().checked_sub(4)?, head)
        }
        _ => return None,
    };
    let sum = bytes.get(end..end.checked_add(4)?)?;
    if lookup3(&bytes[..end]).to_le_bytes() != *sum {
        return None;
    }
    let (mut next, mut is_changed) = (first, false);
    while next + head <= end {
        let (kind, size) = (MessageKind(bytes[next].into()), number(&bytes[next + 1..next + 3]));
        let body = next + head..(next + head + size as usize).min(end);
        match kind {
            MessageKind::DATA_LAYOUT if bytes[body.clone()].starts_with(&[5]) => {
                bytes[body.start] = 4;
                is_changed = true;
            }
            MessageKind::CONTINUATION if head == 6 => {
                let address = number(bytes[body.clone()].get(..superblock.offset_size)?);
                wide_heads.insert(address.checked_add(superblock.base)?);
            }
            _ => {}
        }
        next = body.end;
    }
    if is_changed {
        let sum = lookup3(&bytes[..end]).to_le_bytes();
        bytes[end..end + 4].copy_from_slice(&sum);
    }
    Some(())
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b))
}
