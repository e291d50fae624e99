//! Rows of the cells in use as rows of the file.

use super::RowSink;
use crate::IoError;

/// Rows of NaN that are written at a time.
const BLOCK: usize = 256;

/// Writes matrices with a row for every cell of a file, of which some are left out: these come out
/// as NaN.
///
/// ```
/// use scvi_io::rows::{MatrixWriter, NpyRows};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("z.npy");
/// // Three cells, the second of which has no row.
/// let file = NpyRows::create(&path, 3, 2, false)?;
/// let mut writer = MatrixWriter::new(file, 3, Some(&[0, 2]));
/// writer.append(0, &[1.0, 2.0])?;
/// writer.append(0, &[3.0, 4.0])?;
/// writer.finish()?;
/// assert_eq!(std::fs::metadata(&path)?.len(), 128 + 3 * 2 * 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MatrixWriter<'a> {
    sink: Box<dyn RowSink + 'a>,
    n_rows: usize,
    /// Rows of the file that come; all where `None`.
    kept: Option<&'a [usize]>,
    /// Of each matrix: rows that came, and rows that were written.
    done: Vec<(usize, usize)>,
}

impl<'a> MatrixWriter<'a> {
    /// Writes to `sink`, whose matrices have `n_rows` rows; of those, the rows `kept` come, in
    /// ascending order, or all.
    pub fn new(sink: impl RowSink + 'a, n_rows: usize, kept: Option<&'a [usize]>) -> Self {
        let done = vec![(0, 0); sink.columns().len()];
        Self { sink: Box::new(sink), n_rows, kept, done }
    }

    /// Takes the next rows of a matrix, whole ones.
    ///
    /// # Errors
    /// [`IoError::BadInput`] where they are too many or end in the middle of one, others where they
    /// cannot be written.
    pub fn append(&mut self, matrix: usize, rows: &[f32]) -> Result<(), IoError> {
        let columns = self.sink.columns()[matrix];
        let n = rows.len().checked_div(columns).unwrap_or(0);
        let (came, written) = self.done[matrix];
        let expected = self.kept.map_or(self.n_rows, <[usize]>::len);
        if n * columns != rows.len() || came + n > expected {
            return Err(self.misfit(format!("{} values", rows.len()), matrix));
        }
        let Some(kept) = self.kept else {
            self.done[matrix] = (came + n, written + n);
            return self.sink.append(matrix, rows);
        };
        let mut places = &kept[came..came + n];
        let mut rows = rows;
        while let Some(&first) = places.first() {
            // Rows that follow each other in the file are written together.
            let run = places.iter().zip(first..).take_while(|&(&row, next)| row == next).count();
            self.leave_out_up_to(matrix, first)?;
            let (these, rest) = rows.split_at(run * columns);
            self.sink.append(matrix, these)?;
            self.done[matrix].1 += run;
            (rows, places) = (rest, &places[run..]);
        }
        self.done[matrix].0 += n;
        Ok(())
    }

    fn leave_out_up_to(&mut self, matrix: usize, row: usize) -> Result<(), IoError> {
        let columns = self.sink.columns()[matrix];
        while self.done[matrix].1 < row {
            let n = (row - self.done[matrix].1).min(BLOCK);
            self.sink.append(matrix, &vec![f32::NAN; n * columns])?;
            self.done[matrix].1 += n;
        }
        Ok(())
    }

    /// Completes the file, and gives it its name.
    ///
    /// # Errors
    /// [`IoError::BadInput`] where rows are missing, others where it cannot be written.
    pub fn finish(mut self) -> Result<(), IoError> {
        let expected = self.kept.map_or(self.n_rows, <[usize]>::len);
        for matrix in 0..self.done.len() {
            let came = self.done[matrix].0;
            if came != expected && self.sink.columns()[matrix] > 0 {
                return Err(self.misfit(format!("{came} rows"), matrix));
            }
            if self.kept.is_some() {
                self.leave_out_up_to(matrix, self.n_rows)?;
            }
        }
        self.sink.finish()
    }

    fn misfit(&self, found: String, matrix: usize) -> IoError {
        let rows = self.kept.map_or(self.n_rows, <[usize]>::len);
        let expected = format!("{rows} rows of {} values", self.sink.columns()[matrix]);
        IoError::BadInput { what: format!("matrix {matrix}"), expected, found }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps what it is given.
    struct Kept<'a>(&'a mut Vec<f32>);

    impl RowSink for Kept<'_> {
        fn columns(&self) -> &[usize] {
            &[2]
        }

        fn append(&mut self, _: usize, rows: &[f32]) -> Result<(), IoError> {
            self.0.extend(rows);
            Ok(())
        }

        fn finish(self: Box<Self>) -> Result<(), IoError> {
            Ok(())
        }
    }

    #[test]
    fn rows_left_out_are_nan() {
        let mut values = Vec::new();
        let mut writer = MatrixWriter::new(Kept(&mut values), 6, Some(&[1, 2, 4]));
        writer.append(0, &[1.0, 2.0]).unwrap();
        writer.append(0, &[3.0, 4.0, 5.0, 6.0]).unwrap();
        assert!(writer.append(0, &[0.0, 0.0]).is_err());
        writer.finish().unwrap();
        let numbers: Vec<i32> =
            values.iter().map(|v| if v.is_nan() { -1 } else { *v as i32 }).collect();
        assert_eq!(numbers, [-1, -1, 1, 2, 3, 4, -1, -1, 5, 6, -1, -1]);
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let mut values = Vec::new();
        let mut writer = MatrixWriter::new(Kept(&mut values), 2, None);
        assert!(writer.append(0, &[1.0]).is_err());
        assert!(writer.append(0, &[0.0; 6]).is_err());
        writer.append(0, &[1.0, 2.0]).unwrap();
        let error = writer.finish().unwrap_err().to_string();
        assert_eq!(error, "matrix 0: expected 2 rows of 2 values, got 1 rows");
    }
}
