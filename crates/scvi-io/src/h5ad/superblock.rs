//! Brings the first bytes of an HDF5 file from version 0 or 1 to version 2.
//!
//! h5py writes superblocks of version 0 unless told otherwise. The editor of the HDF5 library
//! mirrors such a file whole in memory, but edits one of version 2 where it lies. Both versions
//! say the same things - where the root group is, where the file ends - so the one can take the
//! other's place (HDF5 File Format Specification 3.0, sections II.A and II.B); everything behind
//! the superblock stays as it is.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";
const UNDEFINED: u64 = u64::MAX;
/// Node sizes that a superblock of version 2 implies.
const DEFAULT_K: (u16, u16, u16) = (4, 16, 32);

/// Rewrites the superblock of a file where that loses nothing; `false` where it was left alone.
pub(super) fn upgrade(file: &mut File) -> io::Result<bool> {
    let mut head = [0; 100];
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    if file.read_exact(&mut head).is_err() {
        return Ok(false);
    }
    let Some(new) = version_2(&head, length) else { return Ok(false) };
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&new)?;
    Ok(true)
}

/// Bytes of a superblock and what follows it, the root's entry in the old form.
pub(super) const HEAD: usize = 100;

/// Notes that the file ends at byte `end` now, and where the root group is if that has moved; `false`
/// where the superblock at byte `base` is none that we know.
pub(super) fn update(file: &mut File, base: u64, end: u64, root: Option<u64>) -> io::Result<bool> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(base))?;
    file.take(HEAD as u64).read_to_end(&mut head)?;
    if change(&mut head, base, end, root).is_none() {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(base))?;
    file.write_all(&head)?;
    Ok(true)
}

/// The same for the bytes from the superblock on; `None` where it is none that we know.
pub(super) fn change(head: &mut [u8], base: u64, end: u64, root: Option<u64>) -> Option<()> {
    // Four addresses: of the base, of something else, of the end, and in the new form of the root. In
    // the old form there is no checksum, and the root's entry of a symbol table follows them.
    let (sizes, addresses, checked) = match head.get(8)? {
        0 => (13, 24, None),
        1 => (13, 28, None),
        2 | 3 => (9, 12, Some(12 + 4 * 8)),
        _ => return None,
    };
    let length = checked.map_or(addresses + 9 * 8, |checked| checked + 4);
    if !head.starts_with(SIGNATURE) || head[sizes] != 8 || head.len() < length {
        return None;
    }
    let mut put = |at: usize, v: u64| head[at..at + 8].copy_from_slice(&v.to_le_bytes());
    // A user block may have been put before the file, or taken away, since this was written.
    put(addresses, base);
    put(addresses + 2 * 8, end);
    match (root, checked) {
        (Some(root), Some(_)) => put(addresses + 3 * 8, root),
        (Some(root), None) => {
            put(addresses + 5 * 8, root);
            // The entry remembers nothing of the group any more.
            (6..9).for_each(|k| put(addresses + k * 8, 0));
        }
        (None, _) => {}
    }
    if let Some(checked) = checked {
        let sum = lookup3(&head[..checked]).to_le_bytes();
        head[checked..checked + 4].copy_from_slice(&sum);
    }
    Some(())
}

/// The superblock of version 2 that says what one of version 0 or 1 says, with as many zeros
/// behind it as the old one was longer.
fn version_2(head: &[u8; 100], length: u64) -> Option<Vec<u8>> {
    let u16_at = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let u64_at = |at: usize| {
        u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes are eight bytes"))
    };
    let (sizes, indexed_k) = match head[8] {
        0 => (24, DEFAULT_K.2),
        1 => (28, u16_at(24)),
        _ => return None,
    };
    let [base, free_space, end, driver, _name, root] =
        [0, 1, 2, 3, 4, 5].map(|k| u64_at(sizes + 8 * k));
    let plain = head[..8] == *SIGNATURE
        && head[13] == 8
        && head[14] == 8
        && (u16_at(16), u16_at(18), indexed_k) == DEFAULT_K
        && head[20..24] == [0; 4]
        && base == 0
        && free_space == UNDEFINED
        && driver == UNDEFINED
        && end <= length;
    // What follows the old superblock: its last part is the root group's entry, 40 bytes.
    let old_length = sizes + 4 * 8 + 40;
    if !plain || root < old_length as u64 || root >= end {
        return None;
    }
    let mut new = SIGNATURE.to_vec();
    new.extend([2, 8, 8, 0]);
    for address in [base, UNDEFINED, end, root] {
        new.extend(address.to_le_bytes());
    }
    new.extend(lookup3(&new).to_le_bytes());
    new.resize(old_length.min(head.len()), 0);
    Some(new)
}

/// Bob Jenkins' hash `lookup3`, which HDF5 uses as a checksum.
pub(super) fn lookup3(bytes: &[u8]) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let (mut a, mut b, mut c) = (start, start, start);
    let mut rest = bytes;
    loop {
        let take = rest.len().min(12);
        let mut block = [0; 12];
        block[..take].copy_from_slice(&rest[..take]);
        let word = |k: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| block[4 * k + i]));
        if take == 0 {
            return c;
        }
        a = a.wrapping_add(word(0));
        b = b.wrapping_add(word(1));
        c = c.wrapping_add(word(2));
        rest = &rest[take..];
        if rest.is_empty() {
            break;
        }
        a = a.wrapping_sub(c) ^ c.rotate_left(4);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(6);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(8);
        b = b.wrapping_add(a);
        a = a.wrapping_sub(c) ^ c.rotate_left(16);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(19);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(4);
        b = b.wrapping_add(a);
    }
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_lookup3() {
        // Values from the author's own driver (lookup3.c, driver5).
        assert_eq!(lookup3(b""), 0xdead_beef);
        assert_eq!(lookup3(b"Four score and seven years ago"), 0x1777_0551);
    }

    #[test]
    fn leaves_other_versions_alone() {
        let mut head = [0; 100];
        head[..8].copy_from_slice(SIGNATURE);
        head[8] = 2;
        assert_eq!(version_2(&head, 1000), None);
        head[8] = 0;
        assert_eq!(version_2(&head, 1000), None);
    }
}
