//! A parameter with what its optimiser remembers of it.

use scvi_kernels::{AdamStep, Backend, GradSink};

use super::state::Slot;

/// What becomes of gradients in a backward pass.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Update<F> {
    /// Written out, parameters unchanged.
    Store,
    /// Applied at once.
    Adam(AdamStep<F>),
}

/// A weight, its gradient where one is kept, and Adam's two moments.
///
/// The last three are made when a backward pass first needs them: a model that only infers
/// carries none.
pub(crate) struct Param<B: Backend> {
    pub(crate) value: B::Buf,
    grad: Option<B::Buf>,
    moments: Option<[B::Buf; 2]>,
    len: usize,
}

impl<B: Backend> Param<B> {
    pub(crate) fn new(backend: &B, values: &[B::Elem]) -> Self {
        let mut value = backend.zeros(values.len());
        backend.upload(&mut value, values);
        Self { value, grad: None, moments: None, len: values.len() }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where an operation leaves this parameter's gradient.
    pub(crate) fn sink(&mut self, backend: &B, update: Update<B::Elem>) -> GradSink<'_, B> {
        let zeros = || backend.zeros(self.len);
        match update {
            Update::Store => {
                let grad = self.grad.get_or_insert_with(zeros);
                GradSink::Store { value: &self.value, grad }
            }
            Update::Adam(step) => {
                let [m, v] = self.moments.get_or_insert_with(|| [zeros(), zeros()]);
                GradSink::Adam { value: &mut self.value, m, v, step }
            }
        }
    }

    /// The value, or zeros for what no backward pass has made yet.
    pub(crate) fn read(&self, backend: &B, slot: Slot) -> Vec<B::Elem> {
        let buf = match slot {
            Slot::Value => Some(&self.value),
            Slot::Grad => self.grad.as_ref(),
        };
        match buf {
            Some(buf) => backend.download(buf, self.len),
            None => vec![Default::default(); self.len],
        }
    }

    /// Replaces the value.
    pub(crate) fn write(&mut self, backend: &B, values: &[B::Elem]) {
        debug_assert_eq!(values.len(), self.len);
        backend.upload(&mut self.value, values);
    }
}
