//! What can go wrong while charts are drawn.

use thiserror::Error;

/// A chart that cannot be drawn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// It cannot be made a picture.
    #[error("chart {name} cannot be drawn: {problem}")]
    Chart {
        /// The chart.
        name: String,
        /// What is in the way.
        problem: String,
    },
}
