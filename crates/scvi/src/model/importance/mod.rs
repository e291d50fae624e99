//! Importance weights of posterior samples: how well each explains the cells of a group.
//!
//! With anchors a, cells of the group, and samples z of the group's posteriors:
//! ```text
//! w(z) = p(z) Σ_a p(x_a | z) / p(x_a) / Σ_a q(z | x_a)
//! ```
//! where p(x_a | z) takes px_scale as z decodes it, times the anchor's own size. Samples are drawn
//! again with chances proportional to w. With truncation, weights below their mean are raised to it.
//! The densities are those of the untransformed draw. scvi-tools' Poisson and normal likelihoods
//! keep the size of the sample's own cell.
//!
//! Source: scvi-tools 1.4.2, `model/base/_rnamixin.py`, `get_importance_weights`.

mod anchors;
mod options;
mod resample;

pub use anchors::{Anchors, LatentSamples};
pub use options::{ImportanceOptions, Weights};
pub(super) use resample::{draw_again, shares};
