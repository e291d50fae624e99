//! scVI, the variational autoencoder for single-cell RNA counts, as one engine.
//!
//! - [`module`]: the model itself, [`module::Vae`], built from a validated [`module::VaeSpec`];
//! - [`train`]: how it learns, [`train::train`];
//! - [`model`]: what one does with a trained model, one file a task;
//! - [`distributions`]: what it predicts of one count, to evaluate and to draw from;
//! - [`comm`]: workers that train one model together;
//! - [`data`]: counts, registry, split and minibatches;
//! - [`nn`]: the layers the module is made of.
//!
//! Names, defaults and numbers are those of scvi-tools 1.4.2 (`scvi.module.VAE`, `scvi.model.SCVI`).
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use scvi::data::{Dataset, simulate::{SimulateConfig, simulate}};
//! use scvi::model::{Cells, latent_representation, unwatched};
//! use scvi::module::VaeConfig;
//! use scvi::train::{TrainPlan, train};
//!
//! let sim = simulate(&SimulateConfig { n_cells: 60, n_genes: 40, ..Default::default() });
//! let data = Dataset::new(&sim.counts, sim.batch.clone())?;
//! let config = VaeConfig { n_input: 40, n_batch: 2, n_hidden: 16, ..Default::default() };
//! let plan = TrainPlan { max_epochs: Some(2), ..Default::default() };
//! let trained = train(config.validate()?, &data, &plan, &mut |_| ControlFlow::Continue(()))?;
//! let latent = latent_representation(&trained.module, Cells::all(&data, 128), &mut unwatched)?;
//! assert_eq!(latent.mean.len(), 60 * 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod comm;
pub mod data;
pub mod distributions;
mod listed;
pub mod model;
pub mod module;
pub mod nn;
pub mod preprocess;
pub mod train;

/// The device that runs go to unless another is named: the processor, in single precision.
pub type DefaultBackend = scvi_kernels::Cpu<f32>;

pub use listed::{listed, listed_of};
pub use scvi_kernels::{Backend, Cpu, Real, instruction_set};
