//! The structures of an HDF5 file, as far as the HDF5 library leaves them out: links to other paths
//! and to other files, strings in heaps that the HDF5 C library filled twice, chunks that it lists
//! in a B-tree of version 2.
//!
//! Source: HDF5 File Format Specification, version 4.0 (HDF5 2.0), and the C library where that says
//! more. Everything is read through [`Blocks`], which looks whether the file goes that far before it
//! makes room; what is wrong is told as a text, to which the caller adds the place.

mod blocks;
mod btree_v1;
mod btree_v2;
mod data_set;
mod fractal_heap;
mod global_heap;
mod layout_version;
mod links;
mod object_header;
mod superblock;

pub(super) use blocks::Blocks;
pub(super) use data_set::{ChunkedHeader, StoredChunk};
pub(super) use global_heap::{WastedTails, read_texts};
pub(super) use layout_version::{WideHeads, show_version_4};
pub(super) use links::{Link, Target, for_each_link, heap_of_links, read_link, read_links};
pub(super) use object_header::{Message, MessageKind, ObjectHeader, Prefix, SHARED};
pub(super) use superblock::{Superblock, find_signature};
