//! Text files line by line, compressed by gzip or not.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::error::InputError;
use crate::IoError;

/// Bytes of a line at most: no line of these formats comes near.
const LONGEST: u64 = 1 << 16;

/// A text file that is read once.
pub(super) struct TextFile {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    bytes: Vec<u8>,
    line: u64,
}

impl TextFile {
    /// Opens a file; whether it is compressed is told by its first bytes, whatever its name.
    pub(super) fn open(path: &Path) -> Result<Self, InputError> {
        let file = File::open(path).map_err(|e| IoError::os("read", path, e))?;
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let start = reader.fill_buf().map_err(|e| IoError::os("read", path, e))?;
        let reader: Box<dyn BufRead> = match start.starts_with(&[0x1f, 0x8b]) {
            true => Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(reader))),
            false => Box::new(reader),
        };
        Ok(Self { path: path.into(), reader, bytes: Vec::new(), line: 0 })
    }

    /// The next line without its end, in any system's form; `None` after the last.
    pub(super) fn next_line(&mut self) -> Result<Option<&str>, InputError> {
        self.bytes.clear();
        let read = (&mut self.reader).take(LONGEST).read_until(b'\n', &mut self.bytes);
        self.line += 1;
        match read {
            Ok(0) => return Ok(None),
            Ok(n) if n as u64 == LONGEST => {
                let found = format!("a line of {LONGEST} bytes or more");
                return Err(self.fault("a shorter line", found));
            }
            Ok(_) => {}
            Err(error) => {
                let found = format!("the end of what can be unpacked ({error})");
                return Err(self.fault("a complete file", found));
            }
        }
        while self.bytes.last().is_some_and(|&b| b == b'\n' || b == b'\r') {
            self.bytes.pop();
        }
        if self.line == 1 && self.bytes.starts_with(b"\xef\xbb\xbf") {
            self.bytes.drain(..3);
        }
        match std::str::from_utf8(&self.bytes) {
            Ok(_) => Ok(Some(std::str::from_utf8(&self.bytes).unwrap_or_default())),
            Err(_) => Err(self.fault("UTF-8 text", "bytes that are none")),
        }
    }

    /// The error that the line last read is not as the format says.
    pub(super) fn fault(&self, expected: &str, found: impl Into<String>) -> InputError {
        InputError::line(&self.path, self.line, expected, found)
    }
}
