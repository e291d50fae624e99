//! A file of preallocated runs of floats, each filled from its beginning.

use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;

use super::AtomicFile;
use crate::IoError;

/// Values that are turned into bytes at a time.
const BLOCK: usize = 1 << 16;

/// A file that is written in several places at once: the values of each region come in order, and
/// none is kept in memory.
#[derive(Debug)]
pub(crate) struct RegionFile {
    temp: AtomicFile,
    file: fs::File,
    /// What is still to be filled of each, in bytes.
    regions: Vec<Range<u64>>,
    bytes: Vec<u8>,
}

impl RegionFile {
    /// Takes a file whose regions are at the given bytes; it is made long enough for them.
    pub(crate) fn new(temp: AtomicFile, regions: Vec<Range<u64>>) -> Result<Self, IoError> {
        let path = temp.temp_path();
        let opened = || -> io::Result<fs::File> {
            // Opened anew: a writer that took the path may have put another file there.
            let file = fs::OpenOptions::new().write(true).open(path)?;
            let end = regions.iter().map(|r| r.end).max().unwrap_or(0);
            if file.metadata()?.len() < end {
                file.set_len(end)?;
            }
            Ok(file)
        };
        let file = opened().map_err(|e| IoError::os("write", path, e))?;
        Ok(Self { temp, file, regions, bytes: Vec::new() })
    }

    /// Writes bytes that belong to no region.
    pub(crate) fn write_at(&mut self, at: u64, bytes: &[u8]) -> Result<(), IoError> {
        let written = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.write_all(bytes));
        written.map_err(|e| IoError::os("write", self.temp.path(), e))
    }

    /// Goes on filling a region; `also` sees every block of bytes.
    pub(crate) fn append(
        &mut self,
        which: usize,
        values: &[f32],
        mut also: impl FnMut(&[u8]),
    ) -> Result<(), IoError> {
        let room = self.regions[which].end - self.regions[which].start;
        if 4 * values.len() as u64 > room {
            let expected = format!("at most {} more values", room / 4);
            let (what, found) = ("rows".into(), values.len().to_string());
            return Err(IoError::BadInput { what, expected, found });
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        for block in values.chunks(BLOCK) {
            bytes.clear();
            bytes.extend(block.iter().flat_map(|v| v.to_le_bytes()));
            self.append_bytes(which, &bytes)?;
            also(&bytes);
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Goes on filling a region with values of any type.
    pub(crate) fn append_bytes(&mut self, which: usize, bytes: &[u8]) -> Result<(), IoError> {
        let Range { start, end } = self.regions[which];
        let next = start + bytes.len() as u64;
        if next > end {
            let expected = format!("at most {} more bytes", end - start);
            let (what, found) = ("rows".into(), bytes.len().to_string());
            return Err(IoError::BadInput { what, expected, found });
        }
        self.write_at(start, bytes)?;
        self.regions[which].start = next;
        Ok(())
    }

    /// Gives the file its name, once every region is full.
    pub(crate) fn finish(self) -> Result<(), IoError> {
        if let Some(region) = self.regions.iter().find(|r| !r.is_empty()) {
            let expected = format!("{} more values", (region.end - region.start) / 4);
            return Err(IoError::BadInput { what: "rows".into(), expected, found: "none".into() });
        }
        self.temp.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_regions_side_by_side() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let start = || {
            let temp = AtomicFile::create(&path, false).unwrap();
            RegionFile::new(temp, vec![4..12, 16..24]).unwrap()
        };
        let mut file = start();
        file.write_at(0, b"head").unwrap();
        let mut seen = Vec::new();
        file.append(0, &[1.0], |b| seen.extend_from_slice(b)).unwrap();
        assert_eq!(seen, 1_f32.to_le_bytes());
        file.append(1, &[3.0, 4.0], |_| ()).unwrap();
        file.append(0, &[2.0], |_| ()).unwrap();
        assert!(file.append(0, &[5.0], |_| ()).is_err());
        file.finish().unwrap();
        let mut expected = b"head".to_vec();
        for value in [1.0_f32, 2.0, 0.0, 3.0, 4.0] {
            expected.extend(value.to_le_bytes());
        }
        assert_eq!(fs::read(&path).unwrap(), expected);
        fs::remove_file(&path).unwrap();
        assert!(start().finish().unwrap_err().to_string().contains("2 more values"));
        assert!(!path.exists());
    }
}
