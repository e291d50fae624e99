//! From a save of scvi-tools to a model of ours, and back.
//!
//! | of the save | becomes |
//! |---|---|
//! | `init_params_` | [`VaeConfig`](scvi::module::VaeConfig); absent arguments have the defaults of scvi-tools 1.4.2 |
//! | `registry_` | [`Registry`](scvi::data::Registry), and the configuration's numbers of categories |
//! | `library_log_means`, `library_log_vars` | the configuration's prior of the library |
//! | tensors that the model reads | its weights, in 4-byte floats |
//! | tensors that no option of the model reads | [`SavedModel::unused`](crate::SavedModel::unused) |
//! | `history_`, the indices of the split | the history's table, the split |
//! | `num_batches_tracked`, the version, plain attributes | [`ScviToolsExtras`] |
//!
//! All of this the native folder holds, and a save made from it says the same again. What it does
//! not hold is left out, and named ([`SavedModel::left_out`](crate::SavedModel::left_out)):
//! attributes other than texts, numbers, truth values, and lists and dictionaries of these; the
//! fields of minified data, without which the model is the same, and reads counts. Arguments that
//! were given but say what the default says are not told from absent ones.
//!
//! A save of a model that was none before names the place of the minified data's type, so that
//! `SCVI.load` takes minified data for it, too.
//!
//! A model that scvi-tools never saw lacks the tensors that no option of it reads. A save gets them
//! as the constructor of scvi-tools would: drawn, from the seed of the training, as
//! [`Vae::new`](scvi::module::Vae::new) draws those of a model that does read them.
//!
//! What cannot be carried over is an error that names it: an argument of other versions, an
//! activation function other than [`Activation`](scvi::module::Activation) knows, another class
//! than `SCVI`, `LinearSCVI` and `SCANVI`.
//!
//! Source: scvi-tools 1.4.2, `model/_scvi.py`, `model/_linear_scvi.py`, `model/_scanvi.py`,
//! `module/_vae.py`, `module/_scanvae.py`, `module/base/_base_module.py` (`on_load`),
//! `data/_manager.py`.

mod arguments;
mod config;
mod extras;
mod from_scvi_tools;
mod functions;
mod history;
mod model_class;
mod registry;
mod scanvi;
mod to_scvi_tools;
mod unused;

pub use extras::ScviToolsExtras;
pub use from_scvi_tools::from_scvi_tools;
pub(crate) use model_class::class_name;
pub use to_scvi_tools::to_scvi_tools;
pub(crate) use unused::is_unused;
