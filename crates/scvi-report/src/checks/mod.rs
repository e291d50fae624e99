//! Whether counts drawn from a model look like those that were observed.
//!
//! Source: scvi-tools 1.4.2, `criticism/_ppc.py`, `PosteriorPredictiveCheck`.

mod calibration;
mod expression;
mod moments;
mod statistic;

use scvi::data::{CountSource, Dataset};
use scvi::model::{
    Cells, SampleOptions, SampledRows, TaskError, Watch, posterior_predictive_sample,
};
use scvi::module::Inference;
use scvi_kernels::CsrRows;

use crate::AnalysisError;
use crate::metrics::Categories;
use calibration::Calibration;
use expression::GroupMeans;
use moments::Moments;

pub use expression::GroupAgreement;
pub use statistic::Statistic;

/// Cells whose counts are drawn at a time: all draws of them are in memory.
const BATCH: usize = 32;

/// How to check a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckOptions {
    /// Draws of each cell.
    pub n_samples: u32,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { n_samples: 10, seed: 0 }
    }
}

/// Statistics of observed counts and of drawn ones.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictiveChecks {
    /// Cells that were drawn for.
    pub n_cells: usize,
    /// Draws of each.
    pub n_samples: u32,
    /// Coefficient of variation of each gene over cells (scvi-tools' `cv_gene`).
    pub cv_gene: Statistic,
    /// Coefficient of variation of each cell over genes (`cv_cell`).
    pub cv_cell: Statistic,
    /// Share of zeros of each gene (1 less what scvi-tools calls `zero_fraction`).
    pub zero_fraction: Statistic,
    /// Mean of each gene.
    pub mean: Statistic,
    /// Variance of each gene over cells.
    pub variance: Statistic,
    /// Sum over seven central intervals of (share of observed counts within - width)²; lower is better.
    pub calibration_error: f64,
    /// Width of each of these intervals, and the share of observed counts within.
    pub intervals: Vec<(f64, f64)>,
    /// Agreement of differential expression, group by group; of groups with two cells or more.
    pub groups: Vec<GroupAgreement>,
}

/// Draws counts for the chosen cells and compares them with `counts`, those the data set was made of.
///
/// `groups` are of all cells of the data set; differential expression is compared on the first draw,
/// each group with all other cells.
///
/// Memory: 8 bytes for each count of the chosen cells that is not zero, 4 · 32 · n_samples a gene, and
/// 64 for each gene and group. Time grows with cells, genes and draws: choose a sample of many cells.
///
/// # Errors
/// [`AnalysisError::Task`] where the model cannot take the data or draw;
/// [`AnalysisError::Cells`] where there is not one group for each cell.
pub fn posterior_predictive_checks(
    model: &impl Inference,
    data: &Dataset,
    counts: &dyn CountSource,
    cells: &[u32],
    groups: Option<&Categories>,
    options: &CheckOptions,
    watch: &mut Watch,
) -> Result<PredictiveChecks, AnalysisError> {
    let n_cells = data.n_cells();
    if let Some(&found) = cells.iter().find(|&&cell| cell as usize >= n_cells.min(counts.n_cells()))
    {
        return Err(TaskError::Cell { found, n_cells }.into());
    }
    if counts.n_genes() != data.n_genes() {
        let value = counts.n_genes().to_string();
        let expected = "that of the data set";
        return Err(AnalysisError::Option { name: "the number of genes", value, expected });
    }
    groups.map_or(Ok(()), |groups| groups.check("groups", n_cells))?;
    let group_of = |cell: &u32| groups.map_or(0, |groups| groups.codes()[*cell as usize]);
    let mut observed = CsrRows::default();
    observed.clear();
    counts.read(cells, &mut observed).map_err(TaskError::from)?;
    let codes: Vec<u32> = cells.iter().map(group_of).collect();
    let mut chosen_groups = codes.clone();
    chosen_groups.sort_unstable();
    chosen_groups.dedup();
    let codes = groups.map(|_| Categories::new(&codes));
    let mut checks = Comparison::new(&observed, counts.n_genes(), codes, options.n_samples);
    let chosen = Cells::chosen(data, cells, BATCH);
    let draws =
        SampleOptions { n_samples: options.n_samples, seed: options.seed, ..Default::default() };
    let mut sink = |rows: SampledRows| {
        checks.add(&rows);
        Ok(())
    };
    posterior_predictive_sample(model, chosen, &draws, &mut sink, watch)?;
    let mut checks = checks.finish();
    // Codes of the chosen cells were numbered without gaps.
    for group in &mut checks.groups {
        group.group = chosen_groups[group.group as usize];
    }
    Ok(checks)
}

/// Draws against observed counts, as the draws come.
struct Comparison<'a> {
    observed: &'a CsrRows,
    n_genes: usize,
    n_samples: u32,
    of_observed: Moments,
    /// One a draw.
    of_draws: Vec<Moments>,
    calibration: Calibration,
    groups: Option<(Categories, [GroupMeans; 2])>,
}

impl<'a> Comparison<'a> {
    fn new(
        observed: &'a CsrRows,
        n_genes: usize,
        groups: Option<Categories>,
        n_samples: u32,
    ) -> Self {
        let groups = groups.map(|groups| {
            let means = [0, 1].map(|_| GroupMeans::new(&groups, n_genes));
            (groups, means)
        });
        let mut comparison = Self {
            observed,
            n_genes,
            n_samples,
            of_observed: Moments::new(n_genes),
            of_draws: (0..n_samples).map(|_| Moments::new(n_genes)).collect(),
            calibration: Calibration::new(n_samples as usize),
            groups,
        };
        let mut row = vec![0.0; n_genes];
        for cell in 0..observed.n_cells() {
            comparison.observed_row(cell, &mut row);
            comparison.of_observed.add(&row);
            if let Some((groups, [means, _])) = &mut comparison.groups {
                means.add(groups.codes()[cell], &row);
            }
        }
        comparison
    }

    /// Writes the observed counts of one cell: `(genes)`.
    fn observed_row(&self, cell: usize, out: &mut [f32]) {
        out.fill(0.0);
        let (genes, counts) = self.observed.row(cell);
        genes.iter().zip(counts).for_each(|(&gene, &count)| out[gene as usize] = count);
    }

    fn add(&mut self, rows: &SampledRows) {
        let n_genes = self.n_genes.max(1);
        for (cell, row) in (rows.first..).zip(rows.values.chunks_exact(n_genes)) {
            self.of_draws[rows.draw as usize].add(row);
            if let Some((groups, [_, means])) = &mut self.groups
                && rows.draw == 0
            {
                means.add(groups.codes()[cell], row);
            }
        }
        if self.calibration.push(rows.values) {
            let mut observed = vec![0.0; rows.values.len()]; // (cells, genes)
            for (cell, row) in (rows.first..).zip(observed.chunks_exact_mut(n_genes)) {
                self.observed_row(cell, row);
            }
            self.calibration.compare(&observed);
        }
    }

    fn finish(self) -> PredictiveChecks {
        let pairs = |of: fn(&Moments) -> Vec<f64>| {
            Statistic::new(of(&self.of_observed), self.of_draws.iter().map(of))
        };
        let (calibration_error, intervals) = self.calibration.finish();
        let groups = self.groups.as_ref();
        PredictiveChecks {
            n_cells: self.observed.n_cells(),
            n_samples: self.n_samples,
            cv_gene: pairs(Moments::cv_gene),
            cv_cell: pairs(Moments::cv_cell),
            zero_fraction: pairs(Moments::zero_fraction),
            mean: pairs(Moments::mean),
            variance: pairs(Moments::variance),
            calibration_error,
            intervals,
            groups: groups.map_or(Vec::new(), |(_, [of_observed, of_draw])| {
                expression::agreement(of_observed, of_draw)
            }),
        }
    }
}

#[cfg(test)]
mod tests;
