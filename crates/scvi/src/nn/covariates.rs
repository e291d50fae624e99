//! What enters a network beside its own input.

use scvi_kernels::Backend;

/// Covariates of a minibatch.
pub(crate) struct Covariates<B: Backend> {
    /// One-hot columns that are 1 in a cell: `(cells, categories_per_cell)`.
    pub(crate) columns: B::Ids,
    /// Continuous covariates: `(cells, n_continuous)`.
    pub(crate) continuous: B::Buf,
    /// The batch's embedding: `(cells, n_embedded)`.
    pub(crate) embedded: B::Buf,
}

/// What every layer of a pass needs to know.
pub(crate) struct Pass<'a, B: Backend> {
    pub(crate) backend: &'a B,
    pub(crate) covariates: &'a Covariates<B>,
    /// Cells of the minibatch.
    pub(crate) cells: usize,
}

impl<B: Backend> Clone for Pass<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: Backend> Copy for Pass<'_, B> {}

/// Where a stack leaves the gradients of its inputs.
pub(crate) struct InputGrads<'a, B: Backend> {
    /// Of its own input; `None` for counts.
    pub(crate) input: Option<&'a mut B::Buf>,
    /// Of the batch's embedding, and whether it joins what is there.
    pub(crate) embedded: Option<(&'a mut B::Buf, bool)>,
}

impl<B: Backend> InputGrads<'_, B> {
    /// None at all.
    pub(crate) fn none() -> Self {
        Self { input: None, embedded: None }
    }
}
