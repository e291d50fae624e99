//! Posterior predictive draws without their zeros.

use super::cells::Cells;
use super::error::TaskError;
use super::sample::{SampleOptions, posterior_predictive_sample};
use super::watch::Watch;
use crate::module::Inference;

/// One draw of every cell, in compressed sparse row form: `(cells, genes)`.
///
/// Values are any that a likelihood gives, those of the normal one negative too.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseSample {
    /// Columns.
    pub n_genes: usize,
    /// Where each row starts, and the last ends: `(cells + 1)`.
    pub indptr: Vec<u64>,
    /// Gene of each value, rising within a row.
    pub indices: Vec<u32>,
    /// Drawn values that are not zero.
    pub values: Vec<f32>,
}

impl SparseSample {
    /// No row of so many genes.
    pub fn new(n_genes: usize) -> Self {
        Self { n_genes, indptr: vec![0], ..Self::default() }
    }

    /// Takes all rows out; the room stays.
    pub fn clear(&mut self) {
        self.indptr.truncate(1);
        self.indices.clear();
        self.values.clear();
    }

    /// Adds rows: `(cells, genes)`, the last of them whole.
    pub fn push(&mut self, rows: &[f32]) {
        for row in rows.chunks_exact(self.n_genes) {
            for (gene, &x) in (0..).zip(row) {
                if x != 0.0 {
                    self.indices.push(gene);
                    self.values.push(x);
                }
            }
            self.indptr.push(self.values.len() as u64);
        }
    }
}

/// The draws of [`posterior_predictive_sample`], one matrix a draw.
///
/// Memory: 8 bytes for each drawn count that is not zero.
///
/// # Errors
/// As [`posterior_predictive_sample`].
pub fn sparse_samples(
    model: &impl Inference,
    cells: Cells,
    options: &SampleOptions,
    watch: &mut Watch,
) -> Result<Vec<SparseSample>, TaskError> {
    let vae = model.vae();
    let n_genes = options.genes.as_ref().map_or(vae.spec().config().n_input, Vec::len);
    let mut draws = vec![SparseSample::new(n_genes); options.n_samples as usize];
    let mut sink = |rows: super::SampledRows| {
        draws[rows.draw as usize].push(rows.values);
        Ok(())
    };
    posterior_predictive_sample(vae, cells, options, &mut sink, watch)?;
    Ok(draws)
}
