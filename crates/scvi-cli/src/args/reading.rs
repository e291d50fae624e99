//! Where counts lie while a command runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How counts are read.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading")]
pub struct ReadArgs {
    /// Whether counts are read into memory, or as they are needed; auto: into memory where they
    /// take no more than 2 GiB there
    #[arg(long, value_enum, value_name = "W", default_value_t)]
    pub in_memory: InMemory,
    /// Folder for a compact copy of counts that are not read into memory: for files that are
    /// compressed, or stored gene by gene (csc). About two bytes a count, gone when the command ends
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
}

/// Whether counts are read into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum InMemory {
    /// Where they take little.
    #[default]
    Auto,
    /// Whatever they take.
    Always,
    /// They stay in the file.
    Never,
}

/// The order of cells while training.
#[derive(Debug, Args)]
#[command(next_help_heading = "Shuffling")]
pub struct ShuffleArgs {
    /// What is shuffled each epoch: all cells, or blocks of neighbours and then the cells of a buffer
    /// of blocks; auto: cells in memory, blocks otherwise
    #[arg(long, value_enum, value_name = "W", default_value_t)]
    pub shuffle: Shuffle,
    /// Neighbours in the file that are read together
    #[arg(long, value_name = "CELLS", default_value_t = scvi::data::Shuffling::BLOCK_SIZE)]
    pub block_size: usize,
    /// Cells that are shuffled together; twice as many are held in memory
    #[arg(long, value_name = "CELLS", default_value_t = scvi::data::Shuffling::BUFFER_SIZE)]
    pub buffer_size: usize,
}

/// What is shuffled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Shuffle {
    /// As counts are read.
    #[default]
    Auto,
    /// All cells.
    Cells,
    /// Blocks of cells.
    Blocks,
}
