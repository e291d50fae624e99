//! NumPy's `.npz`: a zip container of `.npy` files, stored as they are.
//!
//! Their sizes are known beforehand, so that every byte has its place from the beginning and the
//! members can be filled side by side; only their checksums come last. Sizes and places are written
//! in the zip64 form throughout, as NumPy does (PKWARE APPNOTE 6.3.10, section 4).

use std::path::Path;

use flate2::Crc;

use super::RowSink;
use crate::IoError;
use crate::output::{AtomicFile, RegionFile};
use crate::table::npy_header;

/// Says that a number stands in the zip64 part.
const ELSEWHERE: u32 = u32::MAX;
const VERSION: u16 = 45;
/// 1 January 1980, the first day a zip container can name: equal contents make equal files.
const DATE: u16 = 0x21;

/// A `.npz` file in the making.
#[derive(Debug)]
pub struct NpzRows {
    file: RegionFile,
    columns: Vec<usize>,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    /// With its ending.
    name: String,
    /// Where its entry begins.
    at: u64,
    /// Bytes of the `.npy` file.
    size: u64,
    crc: Crc,
}

impl NpzRows {
    /// Starts a file with matrices of `rows` rows: their names and numbers of columns.
    ///
    /// # Errors
    /// As [`check_output`](crate::output::check_output), or where it cannot be written.
    pub fn create(
        path: impl AsRef<Path>,
        rows: usize,
        matrices: &[(&str, usize)],
        overwrite: bool,
    ) -> Result<Self, IoError> {
        let temp = AtomicFile::create(path, overwrite)?;
        let (mut members, mut regions, mut headers, mut at) =
            (Vec::new(), Vec::new(), Vec::new(), 0);
        for &(name, columns) in matrices {
            let header = npy_header::<f32, 2>([rows, columns]);
            let mut crc = Crc::new();
            crc.update(&header);
            let size = header.len() as u64 + 4 * rows as u64 * columns as u64;
            let member = Member { name: format!("{name}.npy"), at, size, crc };
            let content = at + member.entry().len() as u64;
            at = content + size;
            regions.push(content + header.len() as u64..at);
            headers.push((content, header));
            members.push(member);
        }
        let mut file = RegionFile::new(temp, regions)?;
        for (at, header) in headers {
            file.write_at(at, &header)?;
        }
        Ok(Self { file, columns: matrices.iter().map(|m| m.1).collect(), members })
    }
}

impl Member {
    /// What stands before its content.
    fn entry(&self) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        put(&mut bytes, VERSION);
        self.put_common(&mut bytes, 20);
        bytes.extend(self.name.as_bytes());
        bytes.extend([1, 0, 16, 0]);
        [self.size, self.size].iter().for_each(|n| bytes.extend(n.to_le_bytes()));
        bytes
    }

    /// Its line of the directory.
    fn line(&self) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02".to_vec();
        [VERSION, VERSION].iter().for_each(|&n| put(&mut bytes, n));
        self.put_common(&mut bytes, 28);
        // No comment, on the first disk, no attributes.
        bytes.extend([0; 10]);
        bytes.extend(ELSEWHERE.to_le_bytes());
        bytes.extend(self.name.as_bytes());
        bytes.extend([1, 0, 24, 0]);
        [self.size, self.size, self.at].iter().for_each(|n| bytes.extend(n.to_le_bytes()));
        bytes
    }

    /// No flags, stored, when, checksum, sizes, length of the name and of what follows it.
    fn put_common(&self, bytes: &mut Vec<u8>, extra: u16) {
        [0, 0, 0, DATE].iter().for_each(|&n| put(bytes, n));
        [self.crc.sum(), ELSEWHERE, ELSEWHERE].iter().for_each(|n| bytes.extend(n.to_le_bytes()));
        put(bytes, self.name.len() as u16);
        put(bytes, extra);
    }
}

fn put(bytes: &mut Vec<u8>, n: u16) {
    bytes.extend(n.to_le_bytes());
}

/// The directory, which begins at byte `at`, and what ends the file.
fn directory(members: &[Member], at: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = members.iter().flat_map(Member::line).collect();
    let (n, size) = (members.len() as u64, bytes.len() as u64);
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44_u64.to_le_bytes());
    [VERSION, VERSION].iter().for_each(|&n| put(&mut bytes, n));
    bytes.extend([0; 8]);
    [n, n, size, at].iter().for_each(|n| bytes.extend(n.to_le_bytes()));
    bytes.extend(b"PK\x06\x07\0\0\0\0");
    bytes.extend((at + size).to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([0xff; 12]);
    bytes.extend([0; 2]);
    bytes
}

impl RowSink for NpzRows {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn append(&mut self, matrix: usize, rows: &[f32]) -> Result<(), IoError> {
        let crc = &mut self.members[matrix].crc;
        self.file.append(matrix, rows, |bytes| crc.update(bytes))
    }

    fn finish(mut self: Box<Self>) -> Result<(), IoError> {
        let mut end = 0;
        for member in &self.members {
            let entry = member.entry();
            self.file.write_at(member.at, &entry)?;
            end = member.at + entry.len() as u64 + member.size;
        }
        self.file.write_at(end, &directory(&self.members, end))?;
        self.file.finish()
    }
}
