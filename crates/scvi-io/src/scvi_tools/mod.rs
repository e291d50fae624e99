//! The saves of scvi-tools: `model.pt`, read without running anything in it, and written so that
//! `scvi.model.SCVI.load` opens it.
//!
//! A save is what `torch.save` makes of a dict: a zip file with a pickle and, beside it, the
//! numbers of each tensor. Unpickling may run any code; scvi-tools loads saves that way. Here the
//! pickle is parsed into a graph of values and of calls that nobody makes, and the
//! few calls that scvi-tools, torch, numpy and pandas use to write plain data are given their
//! meaning by a fixed table. Everything else is refused by name.
//!
//! [`ScviToolsSave`] is the content, typed as far as scvi-tools fixes it. What it means for a
//! model is decided elsewhere.
//!
//! Source: scvi-tools 1.4.2, `model/base/_save_load.py` and `_base_model.py`; torch 2.x,
//! `serialization.py`; pickles of numpy 1.20 to 2.5 and pandas 1.2 to 3.0.

mod archive;
mod budget;
mod container;
mod decode;
mod encode;
mod error;
mod find;
mod history;
mod parse;
mod pickle;
mod registry;
mod save;
mod state;
mod unpack;
mod value;
mod write;

pub use error::SaveError;
pub(crate) use find::{FILE as SAVE_FILE, LEGACY_FILE};
pub use find::{check_save_output, saves_in};
pub use history::HistoryColumn;
pub use registry::{SetupField, SetupRegistry};
pub use save::ScviToolsSave;
pub use state::StateTensor;
pub use value::{Array, ArrayData, Frame, Global, Value};
