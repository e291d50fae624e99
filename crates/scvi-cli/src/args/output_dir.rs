//! Outputs of tasks: one of all inputs, or one of each.

use std::path::{Path, PathBuf};

use clap::Args;

/// Heading in `--help`.
const INPUTS: &str = "Output per input";

/// An output for each input.
#[derive(Debug, Clone, Default, Args)]
pub struct OutputDirArgs {
    /// Folder for an output per input, named by sample, instead of --output; created if it is not
    /// there
    #[arg(long, help_heading = INPUTS, value_name = "DIR", conflicts_with = "output")]
    pub output_dir: Option<PathBuf>,
    /// Ending of these outputs, one that --output takes [default: h5ad]
    #[arg(long, help_heading = INPUTS, value_name = "ENDING", requires = "output_dir", conflicts_with = "output")]
    pub output_format: Option<String>,
}

/// The file to write; clap requires one where no folder gives it.
pub fn output_path(output: &Option<PathBuf>) -> &Path {
    output.as_deref().unwrap_or(Path::new("-"))
}
