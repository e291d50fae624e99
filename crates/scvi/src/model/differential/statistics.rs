//! What is estimated of one gene.

use scvi_kernels::ops::pairs::{
    Moments, count_above, count_changes, largest, log_fold_changes, sum,
};

use super::genes::Case;
use super::intervals::narrowest;
use super::options::Hypotheses;
use super::quantile::median;

/// Share of the pseudocount in the fold changes that are described: less than in those that are
/// tested, so as to shrink them less.
const DESCRIBED: f64 = 1e-3;

/// Of vanilla mode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Vanilla {
    /// Mean px_scale of each group.
    pub(super) scales: [f64; 2],
    /// P(s1 > s2).
    pub(super) proba_m1: f64,
}

/// Of change mode.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Changed {
    /// Mean px_scale of each group.
    pub(super) scales: [f64; 2],
    /// Probability that the gene differs.
    pub(super) proba_de: f64,
    /// Of the fold change.
    pub(super) moments: Moments,
    /// Its median.
    pub(super) median: f64,
    /// Its narrowest intervals, one a level.
    pub(super) intervals: Vec<[f64; 2]>,
}

/// What change mode tests, with nothing left to estimate.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChangeTest<'a> {
    pub(super) pseudocount: f64,
    pub(super) delta: f64,
    pub(super) hypotheses: Hypotheses,
    pub(super) levels: &'a [f64],
}

fn means(samples: [&[f32]; 2]) -> [f64; 2] {
    samples.map(|samples| sum(samples) / samples.len() as f64)
}

impl Vanilla {
    pub(super) fn of(case: &Case) -> Self {
        let [a, b] = case.pairs;
        let proba_m1 = count_above(a, b) as f64 / a.len() as f64;
        Self { scales: means(case.samples), proba_m1 }
    }
}

impl Changed {
    pub(super) fn of(case: &Case, test: ChangeTest) -> Self {
        let ([a, b], mut changes) = (case.pairs, Vec::new());
        let counts = count_changes(a, b, test.pseudocount, test.delta);
        let [up, down] = counts.map(|count| count as f64 / a.len() as f64);
        let proba_de = match test.hypotheses {
            Hypotheses::Three => up.max(down),
            Hypotheses::Two => up + down,
        };
        log_fold_changes(a, b, DESCRIBED * test.pseudocount, &mut changes);
        let moments = Moments::of(&changes);
        let median = median(&mut changes);
        if !test.levels.is_empty() {
            changes.sort_unstable_by(f32::total_cmp);
        }
        let intervals = test.levels.iter().map(|&level| narrowest(&changes, level)).collect();
        Self { scales: means(case.samples), proba_de, moments, median, intervals }
    }
}

/// Mean tested fold change.
pub(super) fn mean_change(case: &Case, pseudocount: f64) -> f64 {
    let mut changes = Vec::new();
    log_fold_changes(case.pairs[0], case.pairs[1], pseudocount, &mut changes);
    sum(&changes) / changes.len() as f64
}

/// The largest px_scale of each group's pairs.
pub(super) fn largest_scales(case: &Case) -> [f64; 2] {
    case.pairs.map(|samples| f64::from(largest(samples)))
}
