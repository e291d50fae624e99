//! Where a table goes that is written as text.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::{Path, PathBuf};

use scvi_io::IoError;
use scvi_io::output::{AtomicFile, check_output};
use scvi_io::table::MatrixFormat;

use crate::args::Common;
use crate::error::CliError;
use crate::report::is_closed_pipe;

/// A csv or tsv file, or stdout as csv.
pub enum TableOutput {
    File { path: PathBuf, delimiter: u8 },
    Stdout,
}

impl TableOutput {
    /// Reads the format off the ending, and makes sure that the file can be written.
    pub fn check(path: &Path, common: &Common) -> Result<Self, CliError> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let delimiter = match MatrixFormat::of(path) {
            Some(MatrixFormat::Csv) => b',',
            Some(MatrixFormat::Tsv) => b'\t',
            _ => {
                return Err(CliError::Option {
                    option: "output",
                    found: path.display().to_string(),
                    range: "a file ending in .csv or .tsv, or -",
                });
            }
        };
        check_output(path, common.overwrite)?;
        Ok(Self::File { path: path.to_owned(), delimiter })
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => Some(path),
            Self::Stdout => None,
        }
    }

    /// Writes the rows that `fill` gives.
    pub fn write(
        &self,
        common: &Common,
        fill: impl FnOnce(&mut csv::Writer<Box<dyn Write + '_>>) -> io::Result<()>,
    ) -> Result<(), CliError> {
        match self {
            Self::Stdout => {
                let out: StdoutLock = io::stdout().lock();
                match written(Box::new(out), b',', fill) {
                    Err(error) if is_closed_pipe(&error) => Ok(()),
                    other => other.map_err(|source| CliError::Stdout { source }),
                }
            }
            Self::File { path, delimiter } => {
                let mut file = AtomicFile::create(path, common.overwrite)?;
                let bad = |e: io::Error| {
                    let path = path.clone();
                    IoError::BadOutput { path, problem: e.to_string() }
                };
                written(Box::new(BufWriter::new(&mut file)), *delimiter, fill).map_err(bad)?;
                Ok(file.finish()?)
            }
        }
    }
}

fn written<'a>(
    out: Box<dyn Write + 'a>,
    delimiter: u8,
    fill: impl FnOnce(&mut csv::Writer<Box<dyn Write + 'a>>) -> io::Result<()>,
) -> io::Result<()> {
    let mut csv = csv::WriterBuilder::new().delimiter(delimiter).from_writer(out);
    fill(&mut csv)?;
    csv.flush()
}

/// A number as text; nothing where there is none, which pandas reads as a missing one.
pub fn number(value: f64) -> String {
    if value.is_nan() { String::new() } else { format!("{value:?}") }
}
