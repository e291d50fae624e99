//! One file a verb: what was typed becomes a library call, and its result a file or a table.

pub mod completions;
pub mod convert;
pub mod correlate;
pub mod de;
mod demonstration;
pub mod evaluate;
pub mod genes;
pub mod inspect;
pub mod latent;
pub mod man;
pub mod map;
mod mapping_report;
pub mod minify;
mod next_step;
pub mod normalize;
mod outputs;
pub mod parameters;
mod plan;
pub mod predict;
pub mod qc;
pub mod report;
pub mod sample;
pub mod simulate;
pub mod train;
pub mod umap;
