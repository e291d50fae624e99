//! Files: AnnData's `.h5ad` and zarr stores in and out, matrices as text and `.npy`, the native model folder, and
//! the saves of scvi-tools.
//!
//! Whatever is read is taken for hostile: sizes are checked against the file before memory is
//! asked for, values before they are kept, and nothing that is loaded can run code. Whatever is
//! written appears whole or not at all ([`output`]).

pub mod anndata;
pub mod checkpoint;
mod checksum;
mod chunk_grid;
mod codec;
mod compact;
pub mod convert;
mod element;
mod error;
mod gene_selection;
pub mod h5ad;
mod hint;
mod input_meta;
pub mod inputs;
pub mod model_dir;
pub mod obs_query;
mod open_model;
pub mod output;
pub mod rows;
mod saved_model;
mod saved_module;
mod scanvi;
pub mod scvi_tools;
mod shell;
pub mod table;
pub mod text;
mod zarr;

pub use compact::{CompactCounts, CompactWriter};
pub use error::IoError;
pub use gene_selection::{GeneSelectionMeta, choose_genes};
pub use input_meta::{DroppedCells, InputMeta};
pub use open_model::{ModelKind, model_kind, open_model, open_model_with_prefix};
pub use saved_model::{
    FORMAT_VERSION, MappedFrom, ModelMeta, SCANVI_FORMAT_VERSION, SavedModel, TrainingMeta,
    load_model, save_model,
};
pub use saved_module::SavedModule;
pub use scanvi::ScanviMeta;
pub use shell::{quoted, select_cells_command};
