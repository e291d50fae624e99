//! What a report shows of a trained model and its cells, and the page that shows it.

pub mod charts;
mod error;
mod number;
pub mod page;
pub mod sections;

pub use error::ReportError;
