//! The native model folder: `model.safetensors`, `model.json`, `history.csv` and `SHA256SUMS`;
//! `docs/formats.md` specifies it.
//!
//! This layer knows tensors by name, metadata as anything serde can write, and a table of numbers;
//! what they mean is the model's business. The same model gives the same bytes: keys are sorted,
//! and no time is noted. Nothing that is loaded can run code.

mod checksums;
mod history;
mod read;
pub(crate) mod tensors;
mod write;

pub use history::HistoryTable;
pub use read::{is_model_dir, read_history, read_model_dir};
pub use tensors::{Tensor, Tensors};
pub use write::{check_model_output, write_model_beside, write_model_dir};

/// The metadata; its presence makes a folder a model folder.
pub const META_FILE: &str = "model.json";
/// The weights.
pub const TENSORS_FILE: &str = "model.safetensors";
/// The training history.
pub const HISTORY_FILE: &str = "history.csv";
/// SHA-256 of the other files, as `sha256sum` writes and checks them.
pub const SUMS_FILE: &str = "SHA256SUMS";
/// The key of the metadata that holds the format's version, a whole number.
pub const VERSION_KEY: &str = "format_version";
