//! Learned vectors of categories, as `torch.nn.Embedding` and scvi-tools' extension of it.

use scvi_kernels::Backend;
use scvi_kernels::ops::embedding::{EmbeddingDims, EmbeddingGrad, MaxNorm};
use thiserror::Error;

use super::tensors::{NamedTensor, Tensors, TensorsMut};
use super::{Init, Param, Slot, Update};

/// What an embedding is made from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EmbeddingPlan {
    pub(crate) rows: usize,
    pub(crate) dim: usize,
    pub(crate) max_norm: Option<MaxNorm>,
    pub(crate) grad: EmbeddingGrad,
}

impl EmbeddingPlan {
    pub(crate) fn n_parameters(&self) -> u128 {
        self.rows as u128 * self.dim as u128
    }
}

/// A table with one vector a category, E: `(rows, dim)`.
///
/// Source: torch 2.15, `nn/modules/sparse.py`; scvi-tools 1.4.2, `nn/_embedding.py`.
#[derive(Clone)]
pub struct Embedding<B: Backend> {
    table: Param<B>, // (rows, dim)
    plan: EmbeddingPlan,
}

/// How the vectors of new categories start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewRows<'a> {
    /// N(0, 1), as those of a new table.
    Random {
        /// How many.
        n: usize,
        /// Seed of the draws.
        seed: u64,
    },
    /// Copies of these rows' vectors, one a new row.
    CopiesOf(&'a [u32]),
}

/// An embedding could not be looked up or extended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EmbeddingError {
    /// A row beyond the table.
    #[error("row {found} of an embedding with {rows} rows")]
    Row {
        /// What came.
        found: u32,
        /// Rows there are.
        rows: usize,
    },
    /// Nothing to add.
    #[error("an embedding is extended by 0 rows; at least 1 is needed")]
    NoNewRows,
    /// The key is taken.
    #[error("embedding {key:?} already exists; say overwrite to replace it")]
    Exists {
        /// The key.
        key: String,
    },
    /// The key is unknown.
    #[error("embedding {key:?} not found; there are {known}")]
    NotFound {
        /// The key.
        key: String,
        /// The keys there are.
        known: String,
    },
    /// The model reads this embedding, and the change would leave it without a fitting one.
    #[error("the model needs embedding \"batch\" with {rows} rows or more of {dim} numbers")]
    Needed {
        /// Rows it reads.
        rows: usize,
        /// Numbers a row.
        dim: usize,
    },
}

impl<B: Backend> Embedding<B> {
    /// A table with vectors from N(0, 1), the padding row's at 0.
    pub(crate) fn new(backend: &B, plan: EmbeddingPlan, init: &mut Init) -> Self {
        let mut values: Vec<B::Elem> = init.normal(plan.rows * plan.dim);
        if let Some(row) = plan.grad.padding_idx {
            let start = row as usize * plan.dim;
            values[start..start + plan.dim].fill(B::Elem::default());
        }
        Self { table: Param::new(backend, &values), plan }
    }

    /// A table of zeros.
    pub(crate) fn zeros(backend: &B, plan: EmbeddingPlan) -> Self {
        let values = vec![B::Elem::default(); plan.rows * plan.dim];
        Self { table: Param::new(backend, &values), plan }
    }

    pub(crate) fn plan(&self) -> &EmbeddingPlan {
        &self.plan
    }

    /// Categories.
    pub fn rows(&self) -> usize {
        self.plan.rows
    }

    /// Length of a vector.
    pub fn dim(&self) -> usize {
        self.plan.dim
    }

    /// The vectors of some categories, shortened to max_norm where that is set:
    /// `(indices, dim)`.
    ///
    /// # Errors
    /// [`EmbeddingError::Row`] names an index that is beyond the table.
    pub fn compute(&self, backend: &B, indices: &[u32]) -> Result<Vec<B::Elem>, EmbeddingError> {
        self.check_rows(indices)?;
        let mut ids = backend.ids(indices.len());
        backend.upload_ids(&mut ids, indices);
        let mut out = backend.zeros(indices.len() * self.plan.dim);
        self.forward_eval(backend, &ids, indices.len(), &mut out);
        Ok(backend.download(&out, indices.len() * self.plan.dim))
    }

    fn check_rows(&self, indices: &[u32]) -> Result<(), EmbeddingError> {
        let rows = self.plan.rows;
        match indices.iter().find(|&&i| i as usize >= rows) {
            Some(&found) => Err(EmbeddingError::Row { found, rows }),
            None => Ok(()),
        }
    }

    /// Adds rows at the end. With `freeze_prev` earlier rows get no gradient any more; weight
    /// decay still moves them, as in scvi-tools.
    ///
    /// # Errors
    /// [`EmbeddingError`] where nothing is added, or a row to copy is none of the table's.
    pub fn extend(
        &mut self,
        backend: &B,
        new: NewRows,
        freeze_prev: bool,
    ) -> Result<(), EmbeddingError> {
        if let NewRows::CopiesOf(copies) = new {
            self.check_rows(copies)?;
        }
        let Self { table, plan } = self;
        let (rows, dim) = (plan.rows, plan.dim);
        let mut values = table.read(backend, Slot::Value);
        match new {
            NewRows::Random { n, seed } => {
                values.extend(Init::new(seed).normal::<B::Elem>(n * dim))
            }
            NewRows::CopiesOf(copies) => {
                for &row in copies {
                    let start = row as usize * dim;
                    values.extend_from_within(start..start + dim);
                }
            }
        }
        if values.len() == rows * dim {
            return Err(EmbeddingError::NoNewRows);
        }
        plan.rows = values.len() / dim;
        plan.grad.frozen_rows = if freeze_prev { rows as u32 } else { 0 };
        *table = Param::new(backend, &values);
        Ok(())
    }

    /// Whether a minibatch may come in leaves: no rule goes by how its cells share the rows.
    pub(crate) fn takes_leaves(&self) -> bool {
        self.plan.max_norm.is_none() && !self.plan.grad.scale_grad_by_freq
    }

    fn dims(&self, cells: usize) -> EmbeddingDims {
        EmbeddingDims { rows: self.plan.rows, cells, dim: self.plan.dim }
    }

    /// Each cell's vector in training: those that are too long are shortened in the table, for
    /// good, as torch does. `out`: `(cells, dim)`.
    pub(crate) fn forward_train(
        &mut self,
        backend: &B,
        ids: &B::Ids,
        cells: usize,
        out: &mut B::Buf,
    ) {
        let dims = self.dims(cells);
        if let Some(bound) = self.plan.max_norm {
            backend.embedding_renorm(&mut self.table.value, ids, dims, bound);
        }
        backend.embedding(ids, &self.table.value, out, dims);
    }

    /// The same with the table left as it is.
    pub(crate) fn forward_eval(&self, backend: &B, ids: &B::Ids, cells: usize, out: &mut B::Buf) {
        let (dims, table) = (self.dims(cells), &self.table.value);
        let Some(bound) = self.plan.max_norm else {
            return backend.embedding(ids, table, out, dims);
        };
        let mut shortened = backend.zeros(self.table.len());
        backend.copy(table, &mut shortened, self.table.len());
        backend.embedding_renorm(&mut shortened, ids, dims, bound);
        backend.embedding(ids, &shortened, out, dims);
    }

    /// The table's gradient, from that of each cell's vector.
    pub(crate) fn backward(
        &mut self,
        backend: &B,
        ids: &B::Ids,
        cells: usize,
        d_out: &B::Buf,
        update: Update<B::Elem>,
    ) {
        let (dims, rule) = (self.dims(cells), self.plan.grad);
        backend.embedding_grad(ids, d_out, dims, rule, self.table.sink(backend, update));
    }

    /// Every parameter, without names.
    pub(crate) fn for_each_param(&mut self, f: &mut dyn FnMut(&mut Param<B>)) {
        f(&mut self.table);
    }

    pub(super) fn tensors(&self, name: &str) -> Tensors<'_, B> {
        let shape = [self.plan.rows, self.plan.dim];
        vec![NamedTensor::param(weight_name(name), &shape, &self.table)]
    }

    pub(super) fn tensors_mut(&mut self, name: &str) -> TensorsMut<'_, B> {
        let shape = [self.plan.rows, self.plan.dim];
        vec![NamedTensor::param(weight_name(name), &shape, &mut self.table)]
    }
}

fn weight_name(embedding: &str) -> String {
    format!("{embedding}.weight")
}
