//! What a comparison gives.

/// Two groups compared: a row a gene, sorted by evidence, strongest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Name of the first group.
    pub group1: String,
    /// Name of the second; `None` for the rest.
    pub group2: Option<String>,
    /// Cells of both, outliers among them.
    pub n_cells: [usize; 2],
    /// Cells of each that were left out as outliers; `None` where that was not asked for, and where
    /// their latent means have no covariance (no more cells than n_latent + 1, or all in a plane),
    /// so that every cell is used.
    pub n_outliers: [Option<usize>; 2],
    /// The gene of each row, by number.
    pub genes: Vec<u32>,
    /// scvi-tools' columns, in its order.
    pub columns: Vec<Column>,
    /// The pseudocount of change mode.
    pub pseudocount: Option<f64>,
    /// The least fold change of change mode.
    pub delta: Option<f64>,
}

/// A column of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// scvi-tools' name for it.
    pub name: String,
    /// A value a row.
    pub values: Values,
}

/// Values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers.
    Numbers(Vec<f64>),
    /// Truth values.
    Flags(Vec<bool>),
}

impl Comparison {
    /// A column's numbers, where there is such a column and it holds numbers.
    pub fn numbers(&self, name: &str) -> Option<&[f64]> {
        match &self.columns.iter().find(|column| column.name == name)?.values {
            Values::Numbers(values) => Some(values),
            Values::Flags(_) => None,
        }
    }

    /// A column's truth values, where there is such a column and it holds them.
    pub fn flags(&self, name: &str) -> Option<&[bool]> {
        match &self.columns.iter().find(|column| column.name == name)?.values {
            Values::Flags(values) => Some(values),
            Values::Numbers(_) => None,
        }
    }
}
