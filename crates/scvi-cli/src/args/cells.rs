//! Which cells are used.

use clap::Args;

/// Heading in `--help`.
pub const CELLS: &str = "Cell filters";

/// Filters of cells, by their counts of all genes.
#[derive(Debug, Clone, Default, Args)]
pub struct CellArgs {
    /// Leave out cells with counts of fewer than N genes [default: none]
    #[arg(long, help_heading = CELLS, requires = "input", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub min_genes: Option<u32>,
    /// Leave out cells with a total count below N [default: none]
    #[arg(long, help_heading = CELLS, requires = "input", value_name = "N")]
    pub min_counts: Option<f64>,
    /// Leave out cells with more than so many percent of their counts in mitochondrial genes, 0 to
    /// 100 [default: none]
    #[arg(long, help_heading = CELLS, requires = "input", value_name = "PERCENT")]
    pub max_pct_mito: Option<f64>,
    /// What names of mitochondrial genes begin with [default: MT- and mt-]
    #[arg(long, help_heading = CELLS, requires = "max_pct_mito", value_name = "PREFIX")]
    pub mito_prefix: Option<String>,
    /// Leave out cells whose counts of the genes in use are all zero
    #[arg(long, help_heading = CELLS, requires = "input")]
    pub drop_empty_cells: bool,
}

impl CellArgs {
    /// Whether cells are left out by their counts.
    pub fn are_filtered(&self) -> bool {
        self.min_genes.is_some() || self.min_counts.is_some() || self.max_pct_mito.is_some()
    }
}
