//! scVI, the variational autoencoder for single-cell RNA counts, as one engine.

pub mod data;
