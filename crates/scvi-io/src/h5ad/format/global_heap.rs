//! Global heaps, in which strings of any length lie.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Blocks;
use crate::h5ad::source::FileSource;

/// Signature, version and size of a heap, padded to eight bytes.
const HEAD: usize = 16;
/// Index, number of references and size of an object, padded to eight bytes.
const OBJECT_HEAD: usize = 16;
/// Bytes of a heap that are looked at in one go.
const WINDOW: u64 = 1 << 16;

/// The texts to which the elements of an array lead, or an attribute: `raw` holds the length of each,
/// the address of its heap and its number there.
///
/// Heaps may not overlap, so that each byte of the file is read once at most.
pub(in crate::h5ad) fn read_texts(blocks: Blocks, raw: &[u8]) -> Result<Vec<String>, String> {
    let offset_size = blocks.superblock().offset_size;
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b));
    let elements = raw.chunks_exact(8 + offset_size);
    let n = elements.len();
    // Heap, number there, length, and element.
    let mut references: Vec<(u64, u64, u64, usize)> = elements
        .enumerate()
        .map(|(k, element)| {
            let (length, rest) = element.split_at(4);
            let (heap, index) = rest.split_at(offset_size);
            (number(heap), number(index), number(length), k)
        })
        .filter(|&(_, _, length, _)| length > 0)
        .collect();
    let total = references.iter().fold(0, |n: u64, r| n.saturating_add(r.2));
    if total > blocks.file_length() {
        return Err(format!("texts of {total} bytes, which the file does not hold"));
    }
    references.sort_unstable();
    let mut texts = vec![String::new(); n];
    let mut end = 0;
    for of_heap in references.chunk_by(|a, b| a.0 == b.0) {
        let heap = of_heap[0].0;
        if heap < end {
            return Err("heaps of texts that lie over each other".into());
        }
        let (bytes, objects) = read_heap(blocks, heap)?;
        end = heap + bytes.len() as u64;
        for &(_, index, length, k) in of_heap {
            let object = objects.binary_search_by_key(&index, |object| object.0);
            let range = object.map(|at| objects[at].1.clone());
            let range = range.map_err(|_| format!("no text {index} in the heap at {heap}"))?;
            let text = bytes[range].get(..length as usize).ok_or("a text that is cut off")?;
            let text = std::str::from_utf8(text).map_err(|_| "a text that is not UTF-8")?;
            texts[k] = text.to_owned();
        }
    }
    Ok(texts)
}

/// The bytes of a heap, and by their number where its objects lie in them.
#[expect(clippy::type_complexity, reason = "used once")]
fn read_heap(blocks: Blocks, heap: u64) -> Result<(Vec<u8>, Vec<(u64, Range<usize>)>), String> {
    let mut head = blocks.read_signed(heap, HEAD as u64, b"GCOL")?;
    head.expect(&[1])?;
    head.skip(3)?;
    let size = head.length()?;
    let bytes = blocks.read(heap, size)?.into_bytes();
    let (mut objects, mut at) = (Vec::new(), HEAD);
    // What is left in the end may be too short for an object.
    while let Some(object) = bytes.get(at..).filter(|rest| rest.len() >= OBJECT_HEAD) {
        let mut object = blocks.part(object[..OBJECT_HEAD].to_vec());
        let index = object.number(2)?;
        object.skip(6)?;
        let length = object.length()?;
        if index == 0 {
            break;
        }
        let start = at + OBJECT_HEAD;
        let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
        let end = end.filter(|&end| end <= bytes.len()).ok_or("a text reaches beyond its heap")?;
        objects.push((index, start..end));
        at = end.next_multiple_of(8);
    }
    objects.sort_by_key(|object| object.0);
    Ok((bytes, objects))
}

/// The bytes at the end of the heap at a place that are too few for an object's head; `None` where
/// there are none, or there is no heap.
///
/// The same walk from object to object that the HDF5 library takes, which goes wrong at these bytes.
fn wasted_tail(source: &FileSource, at: u64) -> Option<Range<u64>> {
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |n: u64, &b| n << 8 | u64::from(b));
    let head = source.read(at, HEAD as u64).ok()?;
    let end = at.checked_add(number(&head[8..]))?;
    if end > source.length() {
        return None;
    }
    let mut next = at + HEAD as u64;
    let (mut window, mut start) = (Vec::new(), 0);
    while next.checked_add(OBJECT_HEAD as u64)? <= end {
        let mut in_window = (next - start) as usize;
        if start == 0 || in_window + OBJECT_HEAD > window.len() {
            window = source.read(next, WINDOW.min(end - next)).ok()?;
            (start, in_window) = (next, 0);
        }
        let object = window.get(in_window..in_window + OBJECT_HEAD)?;
        if object[..2] == [0, 0] {
            return None;
        }
        let length = number(&object[8..]).checked_next_multiple_of(8)?;
        next = next.checked_add(OBJECT_HEAD as u64)?.checked_add(length)?;
    }
    (next < end).then_some(next..end)
}

/// The ends of heaps that the HDF5 library would take for objects.
#[derive(Debug, Default)]
pub(in crate::h5ad) struct WastedTails {
    /// Heaps that were looked at.
    heaps: BTreeSet<u64>,
    /// Where the bytes begin and end.
    tails: BTreeMap<u64, u64>,
    /// Bytes of all heaps that were looked at.
    walked: u64,
}

impl WastedTails {
    /// Shows zeros, which end a heap, in place of such bytes in what was read at a place of the file.
    pub(in crate::h5ad) fn clear(&mut self, source: &FileSource, at: u64, bytes: &mut [u8]) {
        if bytes.starts_with(b"GCOL") && bytes.len() >= HEAD && self.heaps.insert(at) {
            // Heaps that lie over each other would be walked again and again.
            self.walked = self.walked.saturating_add(u64::from_le_bytes(
                bytes[8..HEAD].try_into().expect("eight bytes are eight bytes"),
            ));
            let tail = wasted_tail(source, at).filter(|_| self.walked <= source.length());
            self.tails.extend(tail.map(|tail| (tail.start, tail.end)));
        }
        let end = at + bytes.len() as u64;
        let first = at.saturating_sub(OBJECT_HEAD as u64);
        for (&start, &stop) in self.tails.range(first..end) {
            let (start, stop) = (start.max(at), stop.min(end));
            if start < stop {
                bytes[(start - at) as usize..(stop - at) as usize].fill(0);
            }
        }
    }
}
