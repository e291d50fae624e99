//! Zarr stores, versions 2 and 3 of the format: folders of arrays in chunks, a file each.
//!
//! Read here, and not by a library, for the sake of stores that mean harm: whatever a store claims,
//! no chunk is unpacked to more bytes than its metadata say, and no array is larger than the chunks
//! that are there justify.

pub(crate) mod array;

mod chunk;
pub(crate) mod chunked_rows;

mod consolidate;
pub(crate) mod copy;
mod data_type;
mod meta;
pub(crate) mod store;
mod stored;
pub(crate) mod subset;
pub(crate) mod write;
