//! Whether drawn counts tell groups of cells apart by the same genes.

use crate::metrics::Categories;

/// Counts that every cell is brought to.
const TARGET: f64 = 1e4;

/// Genes that are compared: at most this many, and at most a tenth of all.
const TOP_GENES: usize = 100;

/// Differential expression of one group against all other cells, observed and drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupAgreement {
    /// The group's code.
    pub group: u32,
    /// Its cells.
    pub n_cells: usize,
    /// Share of the top genes that both have (scvi-tools' `gene_f1`).
    pub gene_f1: f64,
    /// Mean absolute difference of log2 fold changes.
    pub lfc_mae: f64,
    /// Pearson's correlation of log2 fold changes.
    pub lfc_pearson: f64,
    /// Spearman's correlation of log2 fold changes.
    pub lfc_spearman: f64,
}

/// Sums of log counts of each group.
pub(super) struct GroupMeans {
    n_genes: usize,
    /// `(groups)`
    n_cells: Vec<f64>,
    /// Σ y: `(groups, genes)`
    sums: Vec<f64>,
    /// Σ y²: `(groups, genes)`
    squares: Vec<f64>,
}

impl GroupMeans {
    pub(super) fn new(groups: &Categories, n_genes: usize) -> Self {
        let len = groups.n_categories() * n_genes;
        let (sums, squares) = (vec![0.0; len], vec![0.0; len]);
        Self { n_genes, n_cells: vec![0.0; groups.n_categories()], sums, squares }
    }

    /// Takes in the counts of one cell: `(genes)`.
    pub(super) fn add(&mut self, group: u32, row: &[f32]) {
        self.n_cells[group as usize] += 1.0;
        let total: f64 = row.iter().map(|&x| f64::from(x)).sum();
        let start = group as usize * self.n_genes;
        for (gene, &x) in row.iter().enumerate().filter(|(_, x)| **x != 0.0) {
            let y = (f64::from(x) / total * TARGET).ln_1p();
            self.sums[start + gene] += y;
            self.squares[start + gene] += y * y;
        }
    }

    /// Σ y and Σ y² of each gene over all groups.
    fn totals(&self) -> Vec<(f64, f64)> {
        let total =
            |of: &[f64], gene: usize| -> f64 { of.iter().skip(gene).step_by(self.n_genes).sum() };
        (0..self.n_genes)
            .map(|gene| (total(&self.sums, gene), total(&self.squares, gene)))
            .collect()
    }

    /// Welch's t and log2 fold change of each gene, of a group against all others.
    /// `totals` are those of [`Self::totals`].
    fn compare(&self, group: usize, totals: &[(f64, f64)]) -> (Vec<f64>, Vec<f64>) {
        let all: f64 = self.n_cells.iter().sum();
        let (n, n_rest) = (self.n_cells[group], all - self.n_cells[group]);
        let of_gene = |gene: usize| {
            let at = group * self.n_genes + gene;
            let (sum, square) = (self.sums[at], self.squares[at]);
            let (mean, variance) = moments(sum, square, n);
            let rest = (totals[gene].0 - sum, totals[gene].1 - square);
            let (mean_rest, variance_rest) = moments(rest.0, rest.1, n_rest);
            let t = (mean - mean_rest) / (variance / n + variance_rest / n_rest).sqrt();
            let fold = (mean.exp_m1() + 1e-9) / (mean_rest.exp_m1() + 1e-9);
            (if t.is_finite() { t } else { 0.0 }, fold.log2())
        };
        (0..self.n_genes).map(of_gene).unzip()
    }
}

/// Mean and variance with n - 1.
fn moments(sum: f64, square: f64, n: f64) -> (f64, f64) {
    // A difference of two sums may round to below zero.
    let mean = (sum / n).max(0.0);
    (mean, ((square - n * mean * mean) / (n - 1.0)).max(0.0))
}

/// Of each group that has, and leaves, two cells or more.
pub(super) fn agreement(observed: &GroupMeans, drawn: &GroupMeans) -> Vec<GroupAgreement> {
    let all: f64 = observed.n_cells.iter().sum();
    let groups = observed.n_cells.iter().enumerate();
    let large = groups.filter(|&(_, &n)| n >= 2.0 && all - n >= 2.0);
    let (totals, drawn_totals) = (observed.totals(), drawn.totals());
    let of_group = |(group, &n_cells): (usize, &f64)| {
        let (t, lfc) = observed.compare(group, &totals);
        let (drawn_t, drawn_lfc) = drawn.compare(group, &drawn_totals);
        let n_top = TOP_GENES.min(t.len() / 10);
        let (top, drawn_top) = (top_genes(&t, n_top), top_genes(&drawn_t, n_top));
        let shared = top.iter().filter(|gene| drawn_top.contains(gene)).count();
        let differences = lfc.iter().zip(&drawn_lfc).map(|(a, b)| (a - b).abs());
        GroupAgreement {
            group: group as u32,
            n_cells: n_cells as usize,
            gene_f1: shared as f64 / n_top as f64,
            lfc_mae: differences.sum::<f64>() / lfc.len() as f64,
            lfc_pearson: pearson(&lfc, &drawn_lfc),
            lfc_spearman: pearson(&ranks(&lfc), &ranks(&drawn_lfc)),
        }
    };
    large.map(of_group).collect()
}

fn top_genes(scores: &[f64], n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order.truncate(n);
    order
}

fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - mean_a) * (y - mean_b);
        aa += (x - mean_a).powi(2);
        bb += (y - mean_b).powi(2);
    }
    ab / (aa * bb).sqrt()
}

/// Ranks from 0; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = first as f64 + (equal.len() - 1) as f64 / 2.0;
        equal.iter().for_each(|&i| ranks[i] = rank);
        first += equal.len();
    }
    ranks
}
