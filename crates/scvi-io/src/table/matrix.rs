//! A matrix with names, and the formats it can be written in.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::npy::write_npy;
use crate::IoError;
use crate::output::AtomicFile;
use crate::rows::{Names, write_text};

/// The formats a matrix can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatrixFormat {
    /// NumPy, without the names.
    Npy,
    /// Separated by commas.
    Csv,
    /// Separated by tabs.
    Tsv,
}

impl MatrixFormat {
    /// The format that a path's ending means.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "npy" => Some(Self::Npy),
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            _ => None,
        }
    }
}

/// A matrix with names of rows and columns.
#[derive(Debug, Clone, Copy)]
pub struct NamedMatrix<'a> {
    /// Heading of the column of row names.
    pub corner: &'a str,
    /// Names of the rows.
    pub rows: &'a [String],
    /// Names of the columns.
    pub columns: &'a [String],
    /// The values, row by row.
    pub values: &'a [f32],
}

impl NamedMatrix<'_> {
    /// Writes the matrix; floats with as many digits as are needed to read the same back.
    ///
    /// # Errors
    /// From the writer; [`io::ErrorKind::InvalidInput`] where names and values do not fit.
    pub fn write(&self, writer: impl Write, format: MatrixFormat) -> io::Result<()> {
        let shape = [self.rows.len(), self.columns.len()];
        if shape[0].checked_mul(shape[1]) != Some(self.values.len()) {
            let problem = format!("{shape:?} names for {} values", self.values.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let delimiter = match format {
            MatrixFormat::Npy => return write_npy(writer, shape, self.values),
            MatrixFormat::Csv => b',',
            MatrixFormat::Tsv => b'\t',
        };
        let Self { corner, rows, columns, values } = *self;
        write_text(writer, delimiter, Names { corner, rows, columns }, values)
    }

    /// Writes the matrix to a file, in the format its ending means.
    ///
    /// # Errors
    /// [`IoError::BadOutput`] where the ending means none, others where it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>, overwrite: bool) -> Result<(), IoError> {
        let path = path.as_ref();
        let Some(format) = MatrixFormat::of(path) else {
            let problem = "its ending is none of .npy, .csv, .tsv".into();
            return Err(IoError::BadOutput { path: path.into(), problem });
        };
        let mut file = AtomicFile::create(path, overwrite)?;
        self.write(BufWriter::new(&mut file), format).map_err(|e| IoError::os("write", path, e))?;
        file.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_text() {
        let names = |n: [&str; 2]| n.map(String::from);
        let (rows, columns) = (names(["a", "b,\"c"]), names(["z0", "z1"]));
        let values = [1.0, -0.1, f32::NAN, 1e-30];
        let matrix =
            NamedMatrix { corner: "cell", rows: &rows, columns: &columns, values: &values };
        let text = |format| {
            let mut bytes = Vec::new();
            matrix.write(&mut bytes, format).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        let csv = "cell,z0,z1\na,1.0,-0.1\n\"b,\"\"c\",NaN,1e-30\n";
        assert_eq!(text(MatrixFormat::Csv), csv);
        assert!(text(MatrixFormat::Tsv).starts_with("cell\tz0\tz1\na\t1.0\t-0.1\n"));
        assert!(
            NamedMatrix { rows: &rows[..1], ..matrix }
                .write(io::sink(), MatrixFormat::Csv)
                .is_err()
        );
    }

    #[test]
    fn saves_by_ending() {
        let dir = tempfile::tempdir().unwrap();
        let rows = ["a".to_string()];
        let matrix = NamedMatrix { corner: "", rows: &rows, columns: &rows, values: &[1.0] };
        for name in ["m.npy", "m.csv", "m.TSV"] {
            matrix.save(dir.path().join(name), false).unwrap();
        }
        let save = |name| matrix.save(dir.path().join(name), false).unwrap_err();
        assert!(matches!(save("m.csv"), IoError::Exists { .. }));
        assert!(matches!(save("m.txt"), IoError::BadOutput { .. }));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
    }
}
