//! Files: AnnData's `.h5ad` in and out, and the native model folder.

mod error;
pub mod h5ad;
pub mod output;

pub use error::IoError;
