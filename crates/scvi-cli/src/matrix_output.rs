//! Where a matrix with names goes.

use std::io::Write;
use std::path::{Path, PathBuf};

use scvi_io::output::check_output;
use scvi_io::table::{MatrixFormat, NamedMatrix};

use crate::args::Common;
use crate::error::CliError;

/// A file, or stdout as csv.
pub enum MatrixOutput {
    File(PathBuf),
    Stdout,
}

impl MatrixOutput {
    /// Reads the format off the ending, and makes sure that the file can be written; `range` says
    /// which endings there are.
    pub fn check(path: &Path, range: &'static str, common: &Common) -> Result<Self, CliError> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        if MatrixFormat::of(path).is_none() {
            let found = format!("'{}'", path.display());
            return Err(CliError::Option { option: "output", found, range });
        }
        check_output(path, common.overwrite)?;
        Ok(Self::File(path.to_owned()))
    }

    pub fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }

    /// Writes the matrix.
    pub fn write(&self, matrix: &NamedMatrix, common: &Common) -> Result<(), CliError> {
        match self {
            Self::File(path) => Ok(matrix.save(path, common.overwrite)?),
            Self::Stdout => print(matrix),
        }
    }
}

/// A reader that has seen enough, such as head, is no failure.
fn print(matrix: &NamedMatrix) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match matrix.write(&mut out, MatrixFormat::Csv).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|source| CliError::Stdout { source }),
    }
}
