//! Embeddings by name, as `EmbeddingModuleMixin` keeps them.

use std::collections::BTreeMap;

use scvi_kernels::Backend;

use super::tensors::{Tensors, TensorsMut};
use super::{Embedding, EmbeddingError};

/// Key of the batch's embedding, which the model itself reads.
pub(crate) const BATCH: &str = "batch";

/// Embeddings by key (scvi-tools 1.4.2, `module/base/_embedding_mixin.py`).
#[derive(Clone)]
pub(crate) struct Embeddings<B: Backend> {
    by_key: BTreeMap<String, Embedding<B>>,
}

impl<B: Backend> Embeddings<B> {
    pub(crate) fn new(batch: Option<Embedding<B>>) -> Self {
        Self { by_key: batch.map(|e| (BATCH.to_owned(), e)).into_iter().collect() }
    }

    /// The batch's, where the batch is represented so.
    pub(crate) fn batch(&self) -> Option<&Embedding<B>> {
        self.by_key.get(BATCH)
    }

    pub(crate) fn batch_mut(&mut self) -> Option<&mut Embedding<B>> {
        self.by_key.get_mut(BATCH)
    }

    pub(crate) fn add(
        &mut self,
        key: &str,
        embedding: Embedding<B>,
        overwrite: bool,
    ) -> Result<(), EmbeddingError> {
        if self.by_key.contains_key(key) && !overwrite {
            return Err(EmbeddingError::Exists { key: key.to_owned() });
        }
        self.by_key.insert(key.to_owned(), embedding);
        Ok(())
    }

    pub(crate) fn remove(&mut self, key: &str) -> Result<Embedding<B>, EmbeddingError> {
        self.by_key.remove(key).ok_or_else(|| self.not_found(key))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Embedding<B>)> {
        self.by_key.iter().map(|(key, embedding)| (key.as_str(), embedding))
    }

    pub(crate) fn get(&self, key: &str) -> Result<&Embedding<B>, EmbeddingError> {
        self.by_key.get(key).ok_or_else(|| self.not_found(key))
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Result<&mut Embedding<B>, EmbeddingError> {
        let unknown = self.not_found(key);
        self.by_key.get_mut(key).ok_or(unknown)
    }

    fn not_found(&self, key: &str) -> EmbeddingError {
        let known = crate::listed(self.by_key.keys());
        EmbeddingError::NotFound { key: key.to_owned(), known }
    }

    pub(crate) fn tensors(&self) -> Tensors<'_, B> {
        let all = self.by_key.iter();
        all.flat_map(|(key, embedding)| embedding.tensors(&name_of(key))).collect()
    }

    pub(crate) fn tensors_mut(&mut self) -> TensorsMut<'_, B> {
        let all = self.by_key.iter_mut();
        all.flat_map(|(key, embedding)| embedding.tensors_mut(&name_of(key))).collect()
    }
}

fn name_of(key: &str) -> String {
    format!("_embeddings_dict.{key}")
}
