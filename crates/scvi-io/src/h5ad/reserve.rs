//! Room in an HDF5 file for a matrix that is yet to come.
//!
//! The HDF5 library writes a data set from values in memory. A matrix of many cells would not fit
//! there, so the library writes its first row alone, which settles everything but the number of
//! rows; then the data set's header is told that there are more rows, and that its values stand
//! behind what was the end of the file (HDF5 File Format Specification 3.0, sections IV.A.1.b,
//! IV.A.2.b and IV.A.2.i).

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use super::store::Store;
use super::superblock::{self, lookup3};
use crate::IoError;

/// Where matrices begin, in multiples of bytes.
const ALIGNMENT: u64 = 64;
const DATASPACE: u8 = 1;
const DATA_LAYOUT: u8 = 8;

/// Gives each of the data sets so many rows in place of one; the bytes of the file in which their
/// values stand, none where there are no values. The headers of all lie behind byte `start`.
///
/// # Errors
/// [`IoError::CannotCopy`] where a header is not found, or is of a kind that is not known.
pub(super) fn reserve(
    path: &Path,
    start: u64,
    places: &[(&str, u64)],
) -> Result<Vec<Range<u64>>, IoError> {
    let mut first_rows = Vec::new();
    let store = Store::open(path)?;
    for (place, _) in places {
        let array = store.array(place)?;
        first_rows.push(match array.shape().contains(&0) {
            true => 0..0,
            false => array.contiguous()?.ok_or_else(|| cannot(path, place))?,
        });
    }
    // Addresses count from the superblock, places from the beginning of the file.
    let base = store.base();
    drop(store);
    let os = |e| IoError::os("write", path, e);
    let mut file = fs::OpenOptions::new().read(true).write(true).open(path).map_err(os)?;
    let (mut tail, mut end) = tail(&mut file, start).map_err(os)?;
    let mut regions = Vec::new();
    for (&(place, rows), first_row) in places.iter().zip(first_rows) {
        if first_row.is_empty() {
            regions.push(0..0);
            continue;
        }
        let at = end.next_multiple_of(ALIGNMENT);
        let bytes = (first_row.end - first_row.start).checked_mul(rows);
        let first_row = first_row.start - base..first_row.end - base;
        let header = find(&tail, &first_row).ok_or_else(|| cannot(path, place))?;
        end = bytes.and_then(|n| at.checked_add(n)).ok_or_else(|| cannot(path, place))?;
        header.enlarge(&mut tail, rows, at - base..end - base);
        regions.push(at..end);
    }
    let write = |file: &mut fs::File| -> io::Result<bool> {
        file.seek(SeekFrom::Start(start))?;
        file.write_all(&tail)?;
        file.set_len(end)?;
        superblock::update(file, base, end, None)
    };
    match write(&mut file).map_err(os)? {
        true => Ok(regions),
        false => Err(cannot(path, "the superblock")),
    }
}

fn cannot(path: &Path, place: &str) -> IoError {
    let problem = format!("'{place}' was written in a form that cannot be enlarged");
    IoError::CannotCopy { path: path.into(), problem }
}

/// What lies behind byte `start`, and where the file ends.
fn tail(file: &mut fs::File, start: u64) -> io::Result<(Vec<u8>, u64)> {
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.read_to_end(&mut tail)?;
    let end = start + tail.len() as u64;
    Ok((tail, end))
}

/// Where things stand in a data set's object header.
#[derive(Default)]
struct Header {
    start: usize,
    dimensions: usize,
    max_dimensions: Option<usize>,
    layout: usize,
    checksum: usize,
}

/// The header of the data set whose values stand at the given bytes of the file.
fn find(tail: &[u8], values: &Range<u64>) -> Option<Header> {
    const SIGNATURE: &[u8] = b"OHDR";
    let starts = tail.windows(SIGNATURE.len()).enumerate().filter(|(_, w)| *w == SIGNATURE);
    let layout = [values.start.to_le_bytes(), (values.end - values.start).to_le_bytes()].concat();
    starts
        .filter_map(|(start, _)| Header::read(tail, start))
        .find(|h| tail.get(h.layout..).is_some_and(|bytes| bytes.starts_with(&layout)))
}

impl Header {
    /// Reads a header of version 2 with a contiguous layout, if that is what stands there.
    fn read(bytes: &[u8], start: usize) -> Option<Self> {
        let byte = |at: usize| bytes.get(at).copied();
        let number = |at: usize, width: usize| -> Option<usize> {
            let bytes = bytes.get(at..at + width)?;
            Some(bytes.iter().rev().fold(0, |n, &b| n << 8 | usize::from(b)))
        };
        let flags = byte(start + 5)?;
        let has = |bit: u8| usize::from(flags >> bit & 1);
        let width = 1 << (flags & 3);
        // Times of access, and when attributes are stored elsewhere, may come first.
        let at = start + 6 + 16 * has(5) + 4 * has(4);
        let first = at + width;
        let checksum = first.checked_add(number(at, width)?)?;
        let sum = bytes.get(checksum..checksum.checked_add(4)?)?;
        if byte(start + 4)? != 2 || lookup3(&bytes[start..checksum]).to_le_bytes() != *sum {
            return None;
        }
        let mut header = Self { start, checksum, ..Self::default() };
        let (mut at, prefix) = (first, 4 + 2 * has(2));
        while at + prefix <= checksum {
            let (kind, size, body) = (byte(at)?, number(at + 1, 2)?, at + prefix);
            match (kind, byte(body)) {
                (DATASPACE, Some(version)) => {
                    let rank = usize::from(byte(body + 1)?);
                    header.dimensions = body + if version == 1 { 8 } else { 4 };
                    let has_max = byte(body + 2)? & 1 == 1;
                    header.max_dimensions = has_max.then_some(header.dimensions + 8 * rank);
                }
                (DATA_LAYOUT, Some(3 | 4)) if byte(body + 1)? == 1 => header.layout = body + 2,
                _ => {}
            }
            at = body + size;
        }
        (header.dimensions > 0 && header.layout > 0).then_some(header)
    }

    /// Gives the data set `rows` rows, with values at the given bytes of the file.
    fn enlarge(&self, bytes: &mut [u8], rows: u64, values: Range<u64>) {
        let mut put = |at: usize, v: u64| bytes[at..at + 8].copy_from_slice(&v.to_le_bytes());
        put(self.dimensions, rows);
        if let Some(at) = self.max_dimensions {
            put(at, rows);
        }
        put(self.layout, values.start);
        put(self.layout + 8, values.end - values.start);
        let sum = lookup3(&bytes[self.start..self.checksum]).to_le_bytes();
        bytes[self.checksum..self.checksum + 4].copy_from_slice(&sum);
    }
}
