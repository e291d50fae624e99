//! Embeddings by key, as scvi-tools' `EmbeddingModuleMixin` offers them.

use scvi_kernels::Backend;
use serde::{Deserialize, Serialize};

use super::config_error::ConfigError;
use super::kwargs::EmbeddingKwargs;
use super::vae::Vae;
use crate::nn::{BATCH, Embedding, EmbeddingError, Init, NewRows};

/// An embedding that is not the one that a model's configuration describes: under another key,
/// replaced, or extended. Its vectors are in the state dict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AddedEmbedding {
    /// Its key.
    pub key: String,
    /// Categories.
    pub rows: usize,
    /// Its options.
    pub kwargs: EmbeddingKwargs,
    /// Rows before this one get no gradient.
    pub frozen_rows: u32,
}

impl<B: Backend> Vae<B> {
    /// The embeddings that the configuration does not describe.
    pub fn added_embeddings(&self) -> Vec<AddedEmbedding> {
        let described = self.spec.embedding();
        let added = self.embeddings.iter().filter(|(key, embedding)| {
            *key != BATCH || described.as_ref() != Some(embedding.plan())
        });
        let added = added.map(|(key, embedding)| AddedEmbedding {
            key: key.to_owned(),
            rows: embedding.rows(),
            kwargs: EmbeddingKwargs::of(embedding.plan()),
            frozen_rows: embedding.plan().grad.frozen_rows,
        });
        added.collect()
    }

    /// Adds what [`Vae::added_embeddings`] named in another model, with vectors of 0.
    ///
    /// # Errors
    /// [`EmbeddingError`] where the model reads the key and the new embedding does not fit.
    pub fn add_embeddings(
        &mut self,
        added: impl IntoIterator<Item = AddedEmbedding>,
    ) -> Result<(), EmbeddingError> {
        for AddedEmbedding { key, rows, kwargs, frozen_rows } in added {
            let mut plan = kwargs.plan(rows);
            plan.grad.frozen_rows = frozen_rows;
            self.add_embedding(&key, Embedding::zeros(&self.backend, plan), true)?;
        }
        Ok(())
    }

    /// A new embedding with one vector from N(0, 1) for each of `rows` categories.
    ///
    /// # Errors
    /// [`ConfigError`] names the option that is out of range.
    pub fn init_embedding(
        &self,
        rows: usize,
        kwargs: &EmbeddingKwargs,
        seed: u64,
    ) -> Result<Embedding<B>, ConfigError> {
        kwargs.validate(rows)?;
        let plan = kwargs.plan(rows);
        Ok(Embedding::new(&self.backend, plan, &mut Init::new(seed)))
    }

    /// Adds an embedding under a key, or replaces the one there where `overwrite` says so.
    ///
    /// # Errors
    /// [`EmbeddingError`] where the key is taken, or the model reads that key and the new embedding
    /// does not fit.
    pub fn add_embedding(
        &mut self,
        key: &str,
        embedding: Embedding<B>,
        overwrite: bool,
    ) -> Result<(), EmbeddingError> {
        match self.needed(key) {
            Some((rows, dim)) if embedding.rows() < rows || embedding.dim() != dim => {
                Err(EmbeddingError::Needed { rows, dim })
            }
            _ => self.embeddings.add(key, embedding, overwrite),
        }
    }

    /// Takes an embedding out.
    ///
    /// # Errors
    /// [`EmbeddingError`] where the key is unknown, or the model reads it.
    pub fn remove_embedding(&mut self, key: &str) -> Result<Embedding<B>, EmbeddingError> {
        match self.needed(key) {
            Some((rows, dim)) => Err(EmbeddingError::Needed { rows, dim }),
            None => self.embeddings.remove(key),
        }
    }

    /// Rows and numbers a row that the model itself reads of the embedding under a key.
    fn needed(&self, key: &str) -> Option<(usize, usize)> {
        let plan = self.spec.embedding().filter(|_| key == BATCH)?;
        Some((plan.rows, plan.dim))
    }

    /// The embedding under a key.
    ///
    /// # Errors
    /// [`EmbeddingError::NotFound`] lists the keys there are.
    pub fn embedding(&self, key: &str) -> Result<&Embedding<B>, EmbeddingError> {
        self.embeddings.get(key)
    }

    /// The vectors of some categories: `(indices, dim)`.
    ///
    /// # Errors
    /// [`EmbeddingError`] where the key is unknown, or an index is beyond the table.
    pub fn compute_embedding(
        &self,
        key: &str,
        indices: &[u32],
    ) -> Result<Vec<B::Elem>, EmbeddingError> {
        self.embeddings.get(key)?.compute(&self.backend, indices)
    }

    /// Adds rows to an embedding; with `freeze_prev` earlier rows get no gradient any more.
    ///
    /// # Errors
    /// [`EmbeddingError`] where the key is unknown or there is nothing to add.
    pub fn extend_embedding(
        &mut self,
        key: &str,
        new: NewRows,
        freeze_prev: bool,
    ) -> Result<(), EmbeddingError> {
        let Self { embeddings, backend, .. } = self;
        embeddings.get_mut(key)?.extend(backend, new, freeze_prev)
    }
}
