//! Highly variable genes by the dispersion of normalised expression.

mod bins;

use super::Pass;
use super::batches::Batches;
use super::error::GeneSelectionError;
use super::gene_moments::GeneMoments;
use super::highly_variable::{GeneColumn, HighlyVariable};
use super::ranks::mean_over_batches;
use crate::data::CsrMatrix;
use bins::{are_bounds_equal, normalized_dispersions};

/// Sum of the normalised counts of a cell.
const TARGET_SUM: f32 = 1e4;
/// In the place of a mean of 0.
const SMALL_MEAN: f64 = 1e-12;

/// Chooses genes by the dispersion of their expression among genes of similar mean, batch by batch; one
/// pass over the counts.
///
/// Expression is ln(1 + 10⁴ x / t), with t the total of the cell, as `scanpy.pp.normalize_total` with
/// `target_sum=1e4` and `scanpy.pp.log1p` give it. With its mean m and variance v, a gene's dispersion
/// v / m is compared with the median of the dispersions in its bin of means, in units of their median
/// absolute deviation. Genes are ordered by the number of batches in which they are among the top, then
/// by the mean of that.
///
/// Source: Zheng et al. 2017; scanpy 1.11, `preprocessing/_highly_variable_genes.py`, flavor
/// `cell_ranger`.
pub(super) fn cell_ranger<E: From<GeneSelectionError>>(
    names: &[String],
    batches: &Batches,
    n_top_genes: usize,
    pass: &mut Pass<'_, E>,
) -> Result<HighlyVariable, E> {
    let mut moments = vec![GeneMoments::new(names.len()); batches.len()];
    pass(&mut |first, counts| {
        for cell in 0..counts.n_cells() {
            add_normalized(&mut moments[batches.of(first + cell)], counts, cell);
        }
    })?;
    GeneMoments::require_cells(&moments)?;
    let with_cells = moments.iter().filter(|of_batch| of_batch.n_cells > 0);
    let of_batch = |moments| Dispersions::new(moments, batches.are_given(), n_top_genes);
    let mut found: Vec<Dispersions> = with_cells.map(of_batch).collect();
    let n_unseen = GeneMoments::joined(&moments).n_unseen();
    Ok(match batches.are_given() {
        false => of_all_cells(found.remove(0), n_unseen),
        true => over_batches(names, &found, n_top_genes, n_unseen),
    })
}

/// Adds the expression of a cell, in single precision as scanpy holds it.
fn add_normalized(moments: &mut GeneMoments, counts: &CsrMatrix, cell: usize) {
    let (genes, values) = counts.row(cell);
    let total = values.iter().map(|&value| f64::from(value)).sum::<f64>() as f32;
    let scale = total / TARGET_SUM;
    moments.n_cells += 1;
    for (&gene, &value) in genes.iter().zip(values).filter(|(_, value)| **value > 0.0) {
        let expression = (value / scale).ln_1p();
        moments.add(gene, expression.into(), (expression * expression).into());
    }
}

/// What is found out in one batch, `(genes)` each; 0 for genes that are left out.
struct Dispersions {
    means: Vec<f64>,
    dispersions: Vec<f64>,
    /// NaN where no gene of the bin differs.
    normalized: Vec<f64>,
    is_top: Vec<bool>,
}

impl Dispersions {
    /// Genes without counts are left out where that is asked for, and where there are so many that bins
    /// are the same, at which scanpy fails.
    fn new(moments: &GeneMoments, leave_out_unseen: bool, n_top_genes: usize) -> Self {
        let n_genes = moments.sums().len();
        let mut all_means = moments.means();
        all_means.iter_mut().filter(|mean| **mean == 0.0).for_each(|mean| *mean = SMALL_MEAN);
        let leave_out_unseen = leave_out_unseen || are_bounds_equal(&all_means);
        let is_in = |&gene: &usize| !leave_out_unseen || moments.sums()[gene] > 0.0;
        let genes: Vec<usize> = (0..n_genes).filter(is_in).collect();
        let pick = |of: &[f64]| genes.iter().map(|&gene| of[gene]).collect::<Vec<_>>();
        let (means, variances) = (pick(&all_means), pick(&moments.variances()));
        let dispersions: Vec<f64> =
            variances.iter().zip(&means).map(|(v, mean)| v / mean).collect();
        let normalized = normalized_dispersions(&means, &dispersions);
        let least = nth_highest(&normalized, n_top_genes);
        let is_top: Vec<bool> = normalized.iter().map(|&value| value >= least).collect();
        let mut found = Self {
            means: vec![0.0; n_genes],
            dispersions: vec![0.0; n_genes],
            normalized: vec![0.0; n_genes],
            is_top: vec![false; n_genes],
        };
        for (i, gene) in genes.into_iter().enumerate() {
            found.means[gene] = means[i];
            found.dispersions[gene] = dispersions[i];
            found.normalized[gene] = normalized[i];
            found.is_top[gene] = is_top[i];
        }
        found
    }
}

/// The n-th highest of some numbers, the lowest where there are fewer; missing ones do not count.
fn nth_highest(numbers: &[f64], n: usize) -> f64 {
    let mut numbers: Vec<f64> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
    numbers.sort_by(|a, b| b.total_cmp(a));
    numbers.get(n.min(numbers.len()).wrapping_sub(1)).copied().unwrap_or(f64::INFINITY)
}

fn of_all_cells(found: Dispersions, n_unseen: usize) -> HighlyVariable {
    let Dispersions { means, dispersions, normalized, is_top } = found;
    let columns = vec![
        ("means", GeneColumn::Numbers(means)),
        ("dispersions", GeneColumn::Numbers(dispersions)),
        ("dispersions_norm", GeneColumn::Numbers(normalized)),
    ];
    HighlyVariable { columns, highly_variable: is_top, n_unseen }
}

fn over_batches(
    names: &[String],
    found: &[Dispersions],
    n_top_genes: usize,
    n_unseen: usize,
) -> HighlyVariable {
    let mean = |of: fn(&Dispersions) -> &Vec<f64>| {
        mean_over_batches(&found.iter().map(|batch| of(batch).clone()).collect::<Vec<_>>())
    };
    let normalized: Vec<f64> = (0..names.len())
        .map(|gene| mean_of_known(found.iter().map(|batch| batch.normalized[gene])))
        .collect();
    let n_top = |gene: usize| found.iter().filter(|batch| batch.is_top[gene]).count();
    let nbatches: Vec<usize> = (0..names.len()).map(n_top).collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    // NaN comes last. Where nothing tells two genes apart, scanpy's grouping leaves them by name.
    let rank =
        |gene: usize| if normalized[gene].is_nan() { f64::NEG_INFINITY } else { normalized[gene] };
    order.sort_by(|&a, &b| {
        let by_dispersion = rank(b).total_cmp(&rank(a));
        nbatches[b].cmp(&nbatches[a]).then(by_dispersion).then_with(|| names[a].cmp(&names[b]))
    });
    let mut highly_variable = vec![false; names.len()];
    order.iter().take(n_top_genes).for_each(|&gene| highly_variable[gene] = true);
    let in_all = nbatches.iter().map(|&n| n == found.len()).collect();
    let columns = vec![
        ("means", GeneColumn::Numbers(mean(|batch| &batch.means))),
        ("dispersions", GeneColumn::Numbers(mean(|batch| &batch.dispersions))),
        ("dispersions_norm", GeneColumn::Numbers(normalized)),
        ("highly_variable_nbatches", GeneColumn::Counts(nbatches)),
        ("highly_variable_intersection", GeneColumn::Flags(in_all)),
    ];
    HighlyVariable { columns, highly_variable, n_unseen }
}

/// Mean of the numbers that are not missing; NaN of none.
fn mean_of_known(numbers: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = numbers
        .filter(|number| !number.is_nan())
        .fold((0.0, 0), |(sum, n), number| (sum + number, n + 1));
    sum / f64::from(n)
}
