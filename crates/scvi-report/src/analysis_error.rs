//! What can be wrong with what is measured.

use scvi::model::TaskError;
use thiserror::Error;

/// Why something cannot be measured.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AnalysisError {
    /// A matrix has no whole number of rows.
    #[error("{values} values are no matrix of {n_dimensions} dimensions")]
    Shape {
        /// Number of values.
        values: usize,
        /// Number of columns.
        n_dimensions: usize,
    },
    /// A coordinate has no distance from another.
    #[error(
        "coordinate {value} of cell {cell}, dimension {dimension}, is out of range (expected a \
         finite number between -1e15 and 1e15)"
    )]
    Coordinate {
        /// Row.
        cell: usize,
        /// Column.
        dimension: usize,
        /// The coordinate.
        value: f32,
    },
    /// Two results that belong to the same cells are of different lengths.
    #[error("{found} {what} for {expected} cells")]
    Cells {
        /// What there is one of for each cell.
        what: &'static str,
        /// Number of them.
        found: usize,
        /// Number of cells.
        expected: usize,
    },
    /// An option is out of range.
    #[error("{name} is {value}, expected {expected}")]
    Option {
        /// The option.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The counts or the model.
    #[error(transparent)]
    Task(#[from] TaskError),
}
