//! `differential_expression`: which genes differ between two groups of cells, and by how much.
//!
//! k samples z of each group are drawn from the posteriors of its cells, k cells with replacement
//! and one z each, and decoded to px_scale; the i-th sample of one group is compared with the i-th
//! of the other, gene by gene. Vanilla mode asks how often one is larger (Lopez et al. 2018), change
//! mode how often the fold change leaves an interval around zero (Boyeau et al. 2019).
//!
//! ```text
//! vanilla  p_m1 = P(s1 > s2),  ln Bayes factor = ln p_m1 - ln (1 - p_m1)
//! change   lfc = log2(s1 + c) - log2(s2 + c)
//!          p_de = max(P(lfc ≥ δ), P(lfc < -δ)), or their sum with two hypotheses
//! ```
//!
//! **Cost** depends on the samples and genes, not on the cells: only drawn cells are encoded, and
//! the raw statistics are one pass over the counts for all groups together. **Memory**: samples are
//! kept as hidden states, and 64 genes at a time are decoded from them, each thread on its own. That
//! is 4 bytes x n_hidden x at most 65,536 samples (or those of one comparison, if they are more),
//! 256 bytes x the samples of the comparisons' groups at hand for each thread, and 24 bytes a gene
//! for each group's raw statistics. Leaving out outlier cells encodes every cell that is compared,
//! once, and keeps 4 bytes x n_latent of each.
//!
//! Source: scvi-tools 1.4.2, `model/base/_de_core.py`, `_differential.py`, `_rnamixin.py`.

mod context;
mod delta;
mod draws;
mod error;
mod fdr;
mod genes;
mod importance;
mod intervals;
mod meter;
mod mixture;
mod options;
mod outliers;
mod plan;
mod pseudocount;
mod quantile;
mod raw;
mod raw_of;
mod result;
mod round;
mod run;
mod statistics;
mod table;
#[cfg(test)]
mod tests;

pub use error::DifferentialError;
pub use options::{Batches, Change, Contrast, Delta, DifferentialOptions, Group, Hypotheses, Test};
pub use result::{Column, Comparison, Values};
pub use run::differential_expression;
