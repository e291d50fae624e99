//! Matrices as text, row by row.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use super::{Names, RowSink};
use crate::IoError;
use crate::output::AtomicFile;

/// Bytes that are written at a time.
const BUFFER: usize = 1 << 16;

/// A table with names in the making: floats with as many digits as are needed to read the same
/// back.
pub struct TextRows<'a> {
    table: Table<'a, Output<'a>>,
    columns: [usize; 1],
}

/// A file, or a stream that is somebody else's.
enum Output<'a> {
    File(AtomicFile),
    Stream(Box<dyn Write + 'a>),
}

impl<'a> TextRows<'a> {
    /// Starts a file, with commas or tabs.
    ///
    /// # Errors
    /// As [`check_output`](crate::output::check_output), or where it cannot be written.
    pub fn create(
        path: impl AsRef<Path>,
        delimiter: u8,
        names: Names<'a>,
        overwrite: bool,
    ) -> Result<Self, IoError> {
        let file = AtomicFile::create(path, overwrite)?;
        Self::start(Output::File(file), delimiter, names)
    }

    /// Starts a table in a stream, separated by commas.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn stream(writer: impl Write + 'a, names: Names<'a>) -> Result<Self, IoError> {
        Self::start(Output::Stream(Box::new(writer)), b',', names)
    }

    fn start(output: Output<'a>, delimiter: u8, names: Names<'a>) -> Result<Self, IoError> {
        let path = output.path().to_owned();
        let table = Table::start(output, delimiter, names);
        let table = table.map_err(|e| IoError::os("write", &path, e))?;
        Ok(Self { table, columns: [names.columns.len()] })
    }
}

impl Output<'_> {
    fn path(&self) -> &Path {
        match self {
            Self::File(file) => file.path(),
            Self::Stream(_) => Path::new("the stream"),
        }
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stream(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stream(stream) => stream.flush(),
        }
    }
}

impl RowSink for TextRows<'_> {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn append(&mut self, _: usize, rows: &[f32]) -> Result<(), IoError> {
        self.table
            .append(rows)
            .map_err(|e| IoError::os("write", self.table.csv.get_ref().path(), e))
    }

    fn finish(self: Box<Self>) -> Result<(), IoError> {
        let path = self.table.csv.get_ref().path().to_owned();
        match self.table.finish().map_err(|e| IoError::os("write", &path, e))? {
            Output::File(file) => file.finish(),
            Output::Stream(_) => Ok(()),
        }
    }
}

/// Writes a whole matrix.
pub(crate) fn write_text(
    writer: impl Write,
    delimiter: u8,
    names: Names,
    values: &[f32],
) -> io::Result<()> {
    let mut table = Table::start(writer, delimiter, names)?;
    table.append(values)?;
    table.finish().map(drop)
}

/// The text itself.
struct Table<'a, W: Write> {
    csv: csv::Writer<W>,
    /// Names of the rows to come.
    rows: std::slice::Iter<'a, String>,
    columns: usize,
    number: String,
}

impl<'a, W: Write> Table<'a, W> {
    fn start(writer: W, delimiter: u8, names: Names<'a>) -> io::Result<Self> {
        let mut csv = csv::WriterBuilder::new();
        let mut csv = csv.delimiter(delimiter).buffer_capacity(BUFFER).from_writer(writer);
        csv.write_field(names.corner)?;
        csv.write_record(names.columns)?;
        let (rows, columns) = (names.rows.iter(), names.columns.len());
        Ok(Self { csv, rows, columns, number: String::new() })
    }

    fn append(&mut self, rows: &[f32]) -> io::Result<()> {
        for row in rows.chunks(self.columns.max(1)) {
            let too_many = || io::Error::new(io::ErrorKind::InvalidInput, "a row without a name");
            self.csv.write_field(self.rows.next().ok_or_else(too_many)?)?;
            for value in row {
                self.number.clear();
                write!(self.number, "{value:?}").map_err(io::Error::other)?;
                self.csv.write_field(&self.number)?;
            }
            self.csv.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    fn finish(self) -> io::Result<W> {
        self.csv.into_inner().map_err(|e| e.into_error())
    }
}
