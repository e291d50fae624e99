//! Why genes cannot be chosen.

use thiserror::Error;

/// Genes cannot be chosen from these counts.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum GeneSelectionError {
    /// Cells without a variance.
    #[error("{} {n_cells} cells; at least 2 are needed to choose genes", cells_of(.batch, "has", "there are"))]
    FewCells {
        /// The batch, where there are batches.
        batch: Option<String>,
        /// Its cells.
        n_cells: usize,
    },
    /// Cells without a trend.
    #[error(
        "the counts of {n_genes} genes vary{}; at least {needed} such genes are needed to choose among",
        in_batch(.batch)
    )]
    FewGenes {
        /// The batch, where there are batches.
        batch: Option<String>,
        /// Genes that vary.
        n_genes: usize,
        /// Genes that would be enough.
        needed: usize,
    },
    /// No gene differs from others.
    #[error(
        "no gene varies more than others of the same mean: the counts may be too few to choose by"
    )]
    NoneVaries,
    /// Nothing is left.
    #[error("no gene has counts in at least {min_cells} cells")]
    NoGenes {
        /// Cells that were asked for.
        min_cells: usize,
    },
    /// A parameter of a flavor.
    #[error("{parameter} is {found}; expected {range}")]
    Parameter {
        /// Its name.
        parameter: &'static str,
        /// Its value.
        found: f64,
        /// Values that it may have.
        range: &'static str,
    },
}

fn cells_of(batch: &Option<String>, has: &str, are: &str) -> String {
    batch.as_ref().map_or_else(|| are.to_owned(), |batch| format!("batch '{batch}' {has}"))
}

fn in_batch(batch: &Option<String>) -> String {
    batch.as_ref().map_or_else(String::new, |batch| format!(" in batch '{batch}'"))
}
