//! AnnData's `.h5ad` files: HDF5 with the counts, the tables `obs` and `var`, and results.

mod add_arrays;
mod array;
mod column;
mod counts;
mod csr_rows;
mod dense;
mod edited_copy;
mod file;
mod minified;
mod new_anndata;
pub(crate) mod python_str;
mod read_column;
mod reserve;
mod rows;
mod sparse;
mod store;
mod stored;
mod superblock;
mod write_attrs;
mod write_column;

pub use add_arrays::{NewArray, Slot, write_with_arrays};
pub use column::{Categorical, Column};
pub use counts::CountsKey;
pub use csr_rows::CsrRows;
pub use file::H5ad;
pub use minified::write_minified;
pub use new_anndata::{NewAnnData, SparseMatrix, UnsValue, write_h5ad};
pub use rows::{Extras, H5adRows, NewRows};

/// Checks that a string can name a member of a group; what is wrong with it otherwise.
fn check_name(name: &str) -> Result<(), String> {
    match name {
        "" => Err("an empty string".into()),
        "." | ".." => Err(format!("'{name}'")),
        _ if name.contains('/') => Err(format!("'{name}', with a slash")),
        _ if name.contains('\0') => Err("a name with a NUL byte".into()),
        _ => Ok(()),
    }
}
