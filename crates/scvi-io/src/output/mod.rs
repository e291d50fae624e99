//! Outputs that appear whole or not at all.
//!
//! What is written goes to a temporary name in the target folder, is flushed to disk and renamed.
//! A killed run leaves the old file or the new one, never half of one.

mod atomic_dir;
mod atomic_file;
mod check;
mod lock;
mod region_file;
mod unfinished;

pub use atomic_dir::AtomicDir;
pub use atomic_file::AtomicFile;
pub(crate) use check::with_ending;
pub use check::{check_output, check_output_dir, free_name};
pub use lock::OutputLock;
pub(crate) use region_file::RegionFile;
pub use unfinished::remove_unfinished;
