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

/// Where a stack leaves the gradients of its inputs. With `true` a gradient is added to what the
/// buffer holds: an input that several networks read gets a gradient from each.
pub(crate) struct InputGrads<'a, B: Backend> {
    /// Of its own input; `None` for counts, and where nobody asks.
    pub(crate) input: Option<(&'a mut B::Buf, bool)>,
    /// Of the batch's embedding.
    pub(crate) embedded: Option<(&'a mut B::Buf, bool)>,
}

impl<'a, B: Backend> InputGrads<'a, B> {
    /// None at all.
    pub(crate) fn none() -> Self {
        Self { input: None, embedded: None }
    }

    /// These, of which none are left here.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::none())
    }

    /// Only that of the batch's embedding, added to what is there.
    pub(crate) fn added_to(embedded: Option<&'a mut B::Buf>) -> Self {
        Self { input: None, embedded: embedded.map(|d| (d, true)) }
    }
}
