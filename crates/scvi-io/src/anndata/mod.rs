//! AnnData opened for reading, from an `.h5ad` file or a zarr store: the counts, and the
//! tables `obs` and `var`.

mod additions;
mod array;
mod attrs;
mod by_gene;
mod column;
mod copy;
mod count_matrix;
mod count_rows;
mod counts;
pub(crate) mod encodings;
mod file;
mod matrices;
mod posterior;
mod read_column;
mod sparse;
mod store;
mod subset;
mod summary;
mod target;

pub(crate) use additions::check_additions;
pub use additions::{Extras, NewRows, Slot, UnsValue};
pub(crate) use array::{Kind, MAX_WHOLE};
pub(crate) use attrs::{Attr, Attrs};
pub(crate) use column::py_bool;
pub use column::{Categorical, Column};
pub use copy::{CopyRows, check_copy, check_minified, is_store, write_minified};
pub use count_rows::CountRows;
pub(crate) use count_rows::survey_cells;
pub use counts::StoredCounts;
pub use file::AnnDataFile;
pub use posterior::PosteriorKeys;
pub(crate) use posterior::TYPE;
pub use scvi::data::MatrixKey;
pub(crate) use store::{Node, Store, structure};
pub use subset::write_subset;
pub(crate) use subset::{SubsetArray, SubsetParts};
pub use summary::{MatrixSummary, Storage, ValueKind};
pub(crate) use target::Target;

/// Checks that a string can name a member of a group; what is wrong with it otherwise.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    match name {
        "" => Err("an empty string".into()),
        "." | ".." => Err(format!("'{name}'")),
        _ if name.contains('/') => Err(format!("'{name}', with a slash")),
        _ if name.contains('\0') => Err("a name with a NUL byte".into()),
        _ => Ok(()),
    }
}
