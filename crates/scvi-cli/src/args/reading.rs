//! Which counts a command reads, and where they lie while it runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The heading of [`ReadArgs`]. It is named field by field, because `next_help_heading` would also
/// hold for what stands behind them in the struct that they are flattened into.
pub const READING: &str = "Reading";

/// Which counts are read, and how.
#[derive(Debug, Clone, Default, Args)]
pub struct ReadArgs {
    /// Matrix with the raw counts: X, raw (adata.raw.X), or a layer; layers/NAME if a layer is called
    /// X or raw [default: the model's; in training X]
    #[arg(long, requires = "input", value_name = "LAYER", help_heading = READING)]
    pub layer: Option<String>,
    /// Read this matrix even if it holds no counts and another one does
    #[arg(long, requires = "input", help_heading = READING)]
    pub allow_non_counts: bool,
    /// Whether to read all counts into memory; auto: if they take at most 2 GiB there
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, help_heading = READING)]
    pub in_memory: InMemory,
    /// Directory for a temporary compact copy of the counts (about 2 bytes per nonzero), deleted at
    /// exit; speeds up compressed or CSC files that stay on disk [default: no copy]
    #[arg(long, value_name = "DIR", help_heading = READING)]
    pub cache: Option<PathBuf>,
}

/// Whether counts are read into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum InMemory {
    // No doc comments here and on other choices: clap would give each a line of its own in --help.
    #[default]
    Auto,
    Always,
    Never,
}

/// The order of cells while training.
#[derive(Debug, Args)]
#[command(next_help_heading = "Shuffling")]
pub struct ShuffleArgs {
    /// What to shuffle each epoch: single cells, or blocks of cells and then the cells of a buffer;
    /// auto: cells if the counts are in memory, blocks otherwise
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub shuffle: Shuffle,
    /// Neighboring cells of the file that make a block
    #[arg(long, value_name = "CELLS", default_value_t = scvi::data::Shuffling::BLOCK_SIZE)]
    pub block_size: usize,
    /// Cells that are shuffled together; up to twice as many are in memory
    #[arg(long, value_name = "CELLS", default_value_t = scvi::data::Shuffling::BUFFER_SIZE)]
    pub buffer_size: usize,
}

/// What is shuffled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Shuffle {
    #[default]
    Auto,
    Cells,
    Blocks,
}
