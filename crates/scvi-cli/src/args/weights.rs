//! What samples are drawn by, for the commands that weigh them.

use clap::{Args, ValueEnum};
use scvi::model::{ImportanceOptions, Weights};

/// Importance weights.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Importance weights")]
pub struct WeightArgs {
    /// How samples are drawn: with equal chances, or by how well they explain their group (slow)
    #[arg(long = "weights", value_name = "HOW", value_enum, default_value_t = WeightKind::Uniform)]
    pub kind: WeightKind,
    /// Cells of a group that importance weights are computed from, at most
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub importance_max_cells: usize,
    /// Raise importance weights below their mean to the mean
    #[arg(long)]
    pub importance_truncation: bool,
    /// Monte Carlo samples for the marginal likelihood of each of these cells
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub importance_n_mc_samples: u32,
}

/// What samples are drawn by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WeightKind {
    Uniform,
    Importance,
}

impl WeightArgs {
    /// As the engine takes them.
    pub fn weights(&self) -> Weights {
        match self.kind {
            WeightKind::Uniform => Weights::Uniform,
            WeightKind::Importance => Weights::Importance(ImportanceOptions {
                max_cells: self.importance_max_cells,
                truncation: self.importance_truncation,
                n_mc_samples: self.importance_n_mc_samples,
            }),
        }
    }
}
