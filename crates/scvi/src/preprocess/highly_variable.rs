//! The genes that vary most.

/// What is found out about every gene, `(genes)` each, under scanpy's names.
#[derive(Debug, Clone, PartialEq)]
pub struct HighlyVariable {
    /// Mean count.
    pub means: Vec<f64>,
    /// Unbiased variance of counts.
    pub variances: Vec<f64>,
    /// Variance of standardised, clipped counts, mean over batches.
    pub variances_norm: Vec<f64>,
    /// Median over batches of the rank by that variance, from 0; NaN where it is among the top in no
    /// batch.
    pub highly_variable_rank: Vec<f32>,
    /// Batches in which it is among the top.
    pub highly_variable_nbatches: Vec<usize>,
    /// Whether it is chosen.
    pub highly_variable: Vec<bool>,
}

impl HighlyVariable {
    /// Numbers of the chosen genes, in the order of the data.
    pub fn chosen(&self) -> Vec<usize> {
        (0..self.highly_variable.len()).filter(|&gene| self.highly_variable[gene]).collect()
    }
}
