//! What the report says of a model and its cells, part by part.

mod adequacy;
mod data;
mod expression;
mod expression_table;
mod integration;
mod latent;
mod provenance;
mod training;

pub use adequacy::{Adequacy, Fit, Worst};
pub use data::{Column, DataSummary, Dropped};
pub use expression::{Expression, GroupResult};
pub use expression_table::read as read_expression;
pub use integration::{Integration, Metric};
pub use latent::LatentSpace;
pub use provenance::Provenance;
pub use training::{Terms, TrainingHistory, Verdict};

use crate::page::Table;

/// A table of text in the first column and numbers in the others.
fn table(caption: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Table {
    let columns = columns.iter().enumerate().map(|(k, name)| ((*name).to_owned(), k > 0));
    Table { caption: caption.to_owned(), columns: columns.collect(), rows }
}

/// Values in order, of which shares can be asked.
fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The value below which a share lies, of values in order; NaN of none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}
