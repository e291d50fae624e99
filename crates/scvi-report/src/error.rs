//! What can go wrong with what a report shows.

use std::path::PathBuf;

use thiserror::Error;

/// A chart that cannot be drawn, or a table that cannot be shown.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A file is no table of differential expression.
    #[error("{} is no table of differential expression: {problem}", path.display())]
    DeTable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// It cannot be made a picture.
    #[error("chart {name} cannot be drawn: {problem}")]
    Chart {
        /// The chart.
        name: String,
        /// What is in the way.
        problem: String,
    },
}
