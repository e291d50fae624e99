//! Coordinates of cells.

use crate::AnalysisError;

/// Coordinates beyond this could not be squared and summed.
const MAX_COORDINATE: f32 = 1e15;

/// Coordinates of cells in any space: `(cells, dimensions)`, all of them finite.
#[derive(Debug, Clone, Copy)]
pub struct Embedding<'a> {
    values: &'a [f32],
    n_dimensions: usize,
}

impl<'a> Embedding<'a> {
    /// Takes the rows of a matrix, one a cell.
    ///
    /// # Errors
    /// [`AnalysisError::Shape`] where the last row is cut short, there is no column, or there are
    /// 2³² cells or more; [`AnalysisError::Coordinate`] where a value is NaN, infinite, or beyond
    /// 1e15.
    pub fn new(values: &'a [f32], n_dimensions: usize) -> Result<Self, AnalysisError> {
        let whole = n_dimensions > 0 && values.len().is_multiple_of(n_dimensions);
        if !whole || values.len() / n_dimensions >= u32::MAX as usize {
            return Err(AnalysisError::Shape { values: values.len(), n_dimensions });
        }
        match values.iter().position(|v| v.is_nan() || v.abs() > MAX_COORDINATE) {
            None => Ok(Self { values, n_dimensions }),
            Some(at) => Err(AnalysisError::Coordinate {
                cell: at / n_dimensions,
                dimension: at % n_dimensions,
                value: values[at],
            }),
        }
    }

    /// Number of rows.
    pub fn n_cells(&self) -> usize {
        self.values.len() / self.n_dimensions
    }

    /// Number of columns.
    pub fn n_dimensions(&self) -> usize {
        self.n_dimensions
    }

    /// All coordinates: `(cells, dimensions)`.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// Coordinates of one cell.
    ///
    /// # Panics
    /// If `cell` is not below [`Self::n_cells`].
    pub fn row(&self, cell: usize) -> &'a [f32] {
        &self.values[cell * self.n_dimensions..][..self.n_dimensions]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_has_no_distances() {
        for bad in [f32::NAN, f32::INFINITY, -2e15] {
            let values = [0.0, 1.0, 2.0, bad];
            let error = Embedding::new(&values, 2).unwrap_err();
            assert!(error.to_string().contains("cell 1, dimension 1"), "{error}");
        }
    }

    #[test]
    fn refuses_a_row_cut_short_and_no_columns() {
        assert!(Embedding::new(&[0.0; 5], 2).is_err());
        assert!(Embedding::new(&[], 0).is_err());
        assert_eq!(Embedding::new(&[], 3).unwrap().n_cells(), 0);
    }
}
