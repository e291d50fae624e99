//! What is compared, and how.

use crate::model::importance::Weights;

/// A group of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name in results and errors.
    pub name: String,
    /// Its cells, by number.
    pub cells: Vec<u32>,
}

/// Two groups to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contrast {
    /// Place of the first group in the list of groups.
    pub group1: usize,
    /// Place of the second; `None` for every cell that is not in the first.
    pub group2: Option<usize>,
}

/// How differential expression is estimated.
///
/// | field | default | what |
/// |---|---|---|
/// | `test` | vanilla | mode |
/// | `n_samples_overall` | 5000 | posterior samples of each group |
/// | `batches` | observed | which batch samples are decoded as |
/// | `m_permutation` | none | random pairs (10000 with scvi-tools' `use_permutation`) |
/// | `weights` | uniform | importance weights of samples |
/// | `filter_outlier_cells` | false | leaves a tenth of each group out |
/// | `all_stats` | true | statistics of raw counts |
/// | `batch_size` | 512 | cells encoded at a time; results do not depend on it |
/// | `seed` | 0 | of every draw |
#[derive(Debug, Clone, PartialEq)]
pub struct DifferentialOptions {
    /// What is tested.
    pub test: Test,
    /// Posterior samples of each group; with batch correction they are shared among its batches.
    pub n_samples_overall: usize,
    /// The batches that samples are decoded as.
    pub batches: Batches,
    /// Compares so many random pairs of samples instead of the i-th with the i-th.
    pub m_permutation: Option<usize>,
    /// What posterior samples are drawn by.
    pub weights: Weights,
    /// Whether the tenth of the cells of each group that lies farthest out is left out, by the
    /// Mahalanobis distance of their latent means under a robust covariance of the group (scikit-
    /// learn's `EllipticEnvelope`). Raw statistics are of all cells none the less.
    pub filter_outlier_cells: bool,
    /// Whether statistics of raw counts are wanted.
    pub all_stats: bool,
    /// Cells encoded at a time.
    pub batch_size: usize,
    /// Seed of every draw.
    pub seed: u64,
}

impl Default for DifferentialOptions {
    fn default() -> Self {
        Self {
            test: Test::Vanilla,
            n_samples_overall: 5000,
            batches: Batches::Observed,
            m_permutation: None,
            weights: Weights::Uniform,
            filter_outlier_cells: false,
            all_stats: true,
            batch_size: 512,
            seed: 0,
        }
    }
}

/// What is tested (scvi-tools' `mode`).
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Which group's expression is larger.
    Vanilla,
    /// Whether the log fold change is large.
    Change(Change),
}

/// The test of change mode.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Least log2 fold change that counts as a difference.
    pub delta: Delta,
    /// Added to px_scale in fold changes; estimated from genes of little expression where `None`.
    pub pseudocount: Option<f64>,
    /// Mean count below which a gene is of little expression in a group.
    pub threshold_counts: f64,
    /// Whether genes that rise and genes that fall are two hypotheses.
    pub hypotheses: Hypotheses,
    /// Levels of highest-density intervals of the fold change, each in (0, 1).
    pub cred_interval_lvls: Vec<f64>,
    /// Expected share of false discoveries among the genes that are called.
    pub fdr_target: f64,
}

impl Default for Change {
    fn default() -> Self {
        Self {
            delta: Delta::Given(0.25),
            pseudocount: None,
            threshold_counts: 0.01,
            hypotheses: Hypotheses::Three,
            cred_interval_lvls: Vec::new(),
            fdr_target: 0.05,
        }
    }
}

/// Where the least fold change comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Delta {
    /// Given, 0 or more.
    Given(f64),
    /// Estimated from the genes' mean fold changes.
    Estimated,
}

/// scvi-tools' `test_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hypotheses {
    /// A gene differs, or not.
    Two,
    /// A gene rises, falls, or neither.
    Three,
}

/// The batches that samples are decoded as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Batches {
    /// Each cell's own.
    Observed,
    /// The listed batches of each group in equal shares, all of the model's where `None`
    /// (`batch_correction`, `batchid1`, `batchid2`). With the same batches in both groups, samples
    /// are paired within a batch.
    Corrected([Option<Vec<u32>>; 2]),
}
