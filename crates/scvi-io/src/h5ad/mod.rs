//! AnnData's `.h5ad` files: what is HDF5 alone, and everything that writes them.
//!
//! [`AnnDataFile`](crate::anndata::AnnDataFile) reads them.

mod add_arrays;
pub(crate) mod array;
mod attrs;
mod chunked;
mod compact_group;
mod compact_groups;
mod csr_rows;
mod data_type;
mod dry_run;
mod edited_copy;
mod filters;
mod format;
mod links;
mod minified;
mod new_anndata;
mod pages;
mod reserve;
mod rows;
mod source;
pub(crate) mod store;
mod stored;
mod subset;
mod superblock;
mod write_attrs;
mod write_column;

pub use add_arrays::{NewArray, write_with_arrays};
pub use csr_rows::CsrRows;
pub(crate) use dry_run::{dry_run_copy, dry_run_minified};
pub(crate) use minified::write_minified;
pub use new_anndata::{NewAnnData, SparseMatrix, write_h5ad};
pub use rows::H5adRows;
pub(crate) use subset::write_subset;
