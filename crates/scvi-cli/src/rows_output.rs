//! Where the rows of a result go that need not fit into memory.

use std::io;
use std::path::{Path, PathBuf};

use scvi::model::TaskError;
use scvi_io::IoError;
use scvi_io::anndata::{Extras, NewRows, check_copy};
use scvi_io::output::{check_output, check_output_dir};
use scvi_io::rows::{MatrixWriter, Names, NpyRows, TextRows, ZARR_MARKER, ZarrRows};

use crate::args::Common;
use crate::copies::create_copy;
use crate::error::CliError;
use crate::input::Prepared;
use crate::report::is_closed_pipe;

/// A file that is written row by row, or stdout.
pub struct RowsOutput {
    path: PathBuf,
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    /// A copy of the input with the result added.
    Copy,
    Npy,
    Text {
        delimiter: u8,
    },
    Zarr,
    Stdout,
}

impl RowsOutput {
    /// Reads the format off the ending, and makes sure that the file can be written. `input` is what
    /// is copied, where the rows are its cells: an .h5ad file, or a store to one of its kind.
    pub fn check(path: &Path, input: Option<&Path>, common: &Common) -> Result<Self, CliError> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let format = match ending.as_str() {
            _ if path.as_os_str() == "-" => Format::Stdout,
            "h5ad" => Format::Copy,
            "npy" => Format::Npy,
            "csv" => Format::Text { delimiter: b',' },
            "tsv" => Format::Text { delimiter: b'\t' },
            "zarr" if input.is_some_and(Path::is_dir) => Format::Copy,
            "zarr" => Format::Zarr,
            _ => {
                return Err(CliError::Option {
                    option: "output",
                    found: format!("'{}'", path.display()),
                    range: "a file ending in .h5ad, .zarr, .npy, .csv or .tsv, or -",
                });
            }
        };
        let overwrite = common.overwrite;
        match format {
            Format::Stdout => {}
            Format::Copy => match input {
                Some(input) => check_copy(input, path, overwrite)?,
                None => {
                    return Err(CliError::Option {
                        option: "output",
                        found: format!("'{}'", path.display()),
                        range: "no .h5ad with --n-samples-overall, whose rows are not the input's \
                                cells",
                    });
                }
            },
            Format::Zarr => check_output_dir(path, ZARR_MARKER, overwrite)?,
            _ => check_output(path, overwrite)?,
        }
        Ok(Self { path: path.to_owned(), format })
    }

    /// Whether it is a copy of the input with the result added.
    pub fn is_copy(&self) -> bool {
        self.format == Format::Copy
    }

    pub fn is_stdout(&self) -> bool {
        self.format == Format::Stdout
    }

    /// Makes sure that the file can take a matrix per draw.
    pub fn check_draws(&self) -> Result<(), CliError> {
        match self.format {
            Format::Copy | Format::Npy | Format::Zarr => Ok(()),
            Format::Text { .. } | Format::Stdout => Err(CliError::Option {
                option: "output",
                found: format!("'{}'", self.path.display()),
                range: "a file ending in .npy, .h5ad or .zarr with --return-samples, whose draws \
                        make no single table",
            }),
        }
    }

    /// Starts matrices with the named rows, of which those in `kept` come, or all. In a copy of the
    /// input they go to `places`, with what is to stand beside them.
    pub fn start<'a>(
        &self,
        names: Names<'a>,
        kept: Option<&'a [usize]>,
        prepared: &Prepared,
        places: &[NewRows],
        extras: Extras,
        common: &Common,
    ) -> Result<MatrixWriter<'a>, IoError> {
        let (path, overwrite) = (&self.path, common.overwrite);
        let (rows, columns) = (names.rows.len(), names.columns.len());
        Ok(match self.format {
            Format::Copy => {
                let file = create_copy(prepared, path, places, extras, overwrite, common)?;
                MatrixWriter::new(file, rows, kept)
            }
            Format::Npy => {
                let file = match places.len() {
                    1 => NpyRows::create(path, rows, columns, overwrite)?,
                    n => NpyRows::stacked(path, [n, rows, columns], overwrite)?,
                };
                MatrixWriter::new(file, rows, kept)
            }
            Format::Text { delimiter } => {
                let file = TextRows::create(path, delimiter, names, overwrite)?;
                MatrixWriter::new(file, rows, kept)
            }
            Format::Zarr => {
                let layers: Vec<&str> = places.iter().map(|place| place.key).collect();
                let file = match layers.len() {
                    1 => ZarrRows::create(path, names, overwrite)?,
                    _ => ZarrRows::layers(path, names, &layers, overwrite)?,
                };
                MatrixWriter::new(file, rows, kept)
            }
            Format::Stdout => {
                MatrixWriter::new(TextRows::stream(io::stdout().lock(), names)?, rows, kept)
            }
        })
    }
}

/// What a task is told of rows that cannot be written.
pub fn row_error(error: IoError) -> io::Error {
    match error {
        IoError::Os { source, .. } if is_closed_pipe(&source) => source,
        error => io::Error::other(error),
    }
}

/// A reader that has seen enough, such as head, is no failure.
pub fn forgive_closed_pipe(result: Result<(), CliError>) -> Result<(), CliError> {
    let source = match &result {
        Err(CliError::Task { error: TaskError::Write(source) }) => source,
        Err(CliError::Io(IoError::Os { source, .. })) => source,
        _ => return result,
    };
    if is_closed_pipe(source) { Ok(()) } else { result }
}
