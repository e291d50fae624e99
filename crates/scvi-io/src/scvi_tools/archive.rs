//! The zip container that torch writes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;

use rawzip::{
    CompressionMethod, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive, ZipVerification, crc32,
};

use super::SaveError;
use super::budget::Budget;

/// The entries of one `torch.save`, unpacked, each with its checksum verified.
///
/// torch stores entries as they are. Deflated ones, of a container that was packed again, are read
/// as well.
#[derive(Debug)]
pub(super) struct Archive<'a> {
    /// By their whole names.
    entries: BTreeMap<String, Cow<'a, [u8]>>,
    /// The folder of the pickle: `archive/`, or as the file was called when it was written.
    root: String,
}

/// The pickle's name in its folder.
const PICKLE: &str = "data.pkl";
/// How torch's saves began before they were zip files: a pickled magic number.
const LEGACY: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

impl<'a> Archive<'a> {
    /// Reads all entries. No two may lie over each other, so that a small file cannot be large.
    pub(super) fn open(bytes: &'a [u8], budget: &Budget) -> Result<Self, SaveError> {
        if bytes.starts_with(LEGACY) {
            return Err(SaveError::Legacy {
                format: "torch's of before 1.6, which is no zip file",
            });
        }
        let zip = ZipArchive::from_slice(bytes)
            .map_err(|e| container("the container", format!("not a zip file: {e}")))?;
        let mut entries = BTreeMap::new();
        let mut ranges = Vec::new();
        for record in zip.entries() {
            let record = record.map_err(|e| container("the zip directory", e))?;
            budget.take(1, record.file_path().as_bytes().len() + 128, "the zip directory")?;
            let Ok(name) = str::from_utf8(record.file_path().as_bytes()) else {
                return Err(container("the zip directory", "a name that is not UTF-8"));
            };
            let packed = packed(&zip, bytes, &record, name, &mut ranges)?;
            if entries.insert(name.to_owned(), (record, packed)).is_some() {
                return Err(container(name, "there are two of that name"));
            }
        }
        if entries.len() as u64 != zip.entries_hint() {
            let found = format!("{} entries, announced are {}", entries.len(), zip.entries_hint());
            return Err(container("the zip directory", found));
        }
        ranges.sort_unstable();
        if ranges.windows(2).any(|pair| pair[0].1 > pair[1].0) {
            return Err(container("the zip directory", "entries that lie over each other"));
        }
        let root = root(entries.keys())?;
        let mut unpacked = BTreeMap::new();
        for (name, (record, packed)) in entries {
            let data = unpack(packed, &record, &name, budget)?;
            unpacked.insert(name, data);
        }
        let archive = Self { entries: unpacked, root };
        archive.check_byte_order()?;
        Ok(archive)
    }

    /// The pickle.
    pub(super) fn pickle(&self) -> Result<&[u8], SaveError> {
        self.entry(PICKLE)
    }

    /// The bytes of a storage.
    pub(super) fn storage(&self, key: &str) -> Result<&[u8], SaveError> {
        self.entry(&format!("data/{key}"))
    }

    fn entry(&self, name: &str) -> Result<&[u8], SaveError> {
        let name = format!("{}{name}", self.root);
        match self.entries.get(&name) {
            Some(data) => Ok(data),
            None => Err(container(&name, "the container has no such entry")),
        }
    }

    /// Saves of before torch 2.1 do not say, and are little-endian.
    fn check_byte_order(&self) -> Result<(), SaveError> {
        match self.entry("byteorder") {
            Ok(b"little") | Err(_) => Ok(()),
            Ok(_) => Err(container("byteorder", "expected little; big-endian saves are not read")),
        }
    }
}

/// An entry's bytes as they lie in the file, and where.
fn packed<'a>(
    zip: &ZipSliceArchive<&'a [u8]>,
    bytes: &'a [u8],
    record: &ZipFileHeaderRecord<'_>,
    name: &str,
    ranges: &mut Vec<(u64, u64)>,
) -> Result<&'a [u8], SaveError> {
    if record.flags().is_encrypted() {
        return Err(container(name, "it is encrypted"));
    }
    let entry = zip.get_entry(record.wayfinder()).map_err(|e| container(name, e))?;
    let (start, end) = entry.compressed_data_range();
    if start < end {
        ranges.push((start, end));
    }
    // Both lie within the file: get_entry has checked it.
    Ok(&bytes[start as usize..end as usize])
}

fn unpack<'a>(
    packed: &'a [u8],
    record: &ZipFileHeaderRecord<'_>,
    name: &str,
    budget: &Budget,
) -> Result<Cow<'a, [u8]>, SaveError> {
    let claimed =
        ZipVerification { crc: record.crc32(), uncompressed_size: record.uncompressed_size_hint() };
    let data = match record.compression_method() {
        CompressionMethod::STORE => Cow::Borrowed(packed),
        CompressionMethod::DEFLATE => {
            Cow::Owned(inflate(packed, claimed.uncompressed_size, name, budget)?)
        }
        other => {
            let problem = format!("packed by method {}, expected 0 or 8", other.as_u16());
            return Err(container(name, problem));
        }
    };
    let found = ZipVerification { crc: crc32(&data), uncompressed_size: data.len() as u64 };
    claimed.valid(found).map_err(|e| container(name, e))?;
    Ok(data)
}

/// Unpacks as many bytes as the container declares, and no more.
fn inflate(packed: &[u8], len: u64, name: &str, budget: &Budget) -> Result<Vec<u8>, SaveError> {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    budget.take(len, 1, name)?;
    let mut data = vec![0; len];
    let mut decoder = flate2::read::DeflateDecoder::new(packed);
    decoder.read_exact(&mut data).map_err(|e| container(name, e))?;
    match decoder.read(&mut [0]) {
        Ok(0) => Ok(data),
        _ => Err(container(name, format!("it is longer than the {len} bytes it declares"))),
    }
}

fn root<'s>(names: impl Iterator<Item = &'s String>) -> Result<String, SaveError> {
    let mut roots = names.filter_map(|name| {
        name.strip_suffix(PICKLE).filter(|root| root.is_empty() || root.ends_with('/'))
    });
    match (roots.next(), roots.next()) {
        (Some(root), None) => Ok(root.to_owned()),
        (None, _) => Err(container(PICKLE, "the container has no such entry")),
        (Some(_), Some(_)) => Err(container(PICKLE, "the container has several")),
    }
}

fn container(entry: &str, problem: impl ToString) -> SaveError {
    let entry = entry.chars().take(200).collect::<String>().escape_debug().to_string();
    SaveError::Container { entry, problem: problem.to_string() }
}
