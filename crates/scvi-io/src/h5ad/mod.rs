//! AnnData's `.h5ad` files: HDF5 with the counts, the tables `obs` and `var`, and results.

mod array;
mod column;
mod counts;
mod dense;
mod file;
mod python_str;
mod read_column;
mod sparse;
mod store;

pub use column::{Categorical, Column};
pub use counts::CountsKey;
pub use file::H5ad;
