//! Parameters and buffers by their names in scvi-tools' state dict.

use std::collections::BTreeMap;

use scvi_kernels::{Backend, Real};
use thiserror::Error;

use super::Param;

/// A named array in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<F> {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Values.
    pub data: Vec<F>,
}

/// Which numbers of a parameter are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The parameter itself.
    Value,
    /// Its gradient after a backward pass that stores gradients.
    Grad,
}

/// Tensors by name, in scvi-tools' names and torch's layout.
pub type StateDict<F> = BTreeMap<String, Tensor<F>>;

/// A state dict does not fit the model.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum StateError {
    /// A tensor the model needs is absent.
    #[error("tensor {name:?} is missing")]
    Missing {
        /// Its name.
        name: String,
    },
    /// A tensor has another shape than the model needs.
    #[error("tensor {name:?} has shape {found:?}, the model needs {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// What the model needs.
        expected: Vec<usize>,
        /// What came.
        found: Vec<usize>,
    },
    /// A tensor the model has no place for.
    #[error("tensor {name:?} belongs to no part of this model")]
    Unknown {
        /// Its name.
        name: String,
    },
}

/// Collects tensors from a model, or hands them to it: every layer names each of its tensors once,
/// for both directions.
pub(crate) trait StateVisitor<B: Backend> {
    /// A parameter stored as torch stores it.
    fn param(
        &mut self,
        name: &str,
        shape: &[usize],
        param: &mut Param<B>,
    ) -> Result<(), StateError>;
    /// A layer's weight, torch's `(n_out, n_in)`, stored by the parts of its input as
    /// `(n_part, n_out)`.
    fn weight(
        &mut self,
        name: &str,
        n_out: usize,
        parts: &mut [&mut Param<B>],
    ) -> Result<(), StateError>;
    /// A buffer that no gradient reaches: `len` numbers.
    fn buffer(&mut self, name: &str, len: usize, buf: &mut B::Buf) -> Result<(), StateError>;
}

/// Reads a model into a state dict.
pub(crate) struct Export<'a, B: Backend> {
    pub(crate) backend: &'a B,
    pub(crate) slot: Slot,
    pub(crate) state: StateDict<B::Elem>,
}

impl<B: Backend> Export<'_, B> {
    fn put(&mut self, name: &str, shape: &[usize], data: Vec<B::Elem>) {
        self.state.insert(name.to_owned(), Tensor { shape: shape.to_vec(), data });
    }
}

impl<B: Backend> StateVisitor<B> for Export<'_, B> {
    fn param(
        &mut self,
        name: &str,
        shape: &[usize],
        param: &mut Param<B>,
    ) -> Result<(), StateError> {
        self.put(name, shape, param.read(self.backend, self.slot));
        Ok(())
    }

    fn weight(
        &mut self,
        name: &str,
        n_out: usize,
        parts: &mut [&mut Param<B>],
    ) -> Result<(), StateError> {
        let rows: Vec<_> = parts.iter().flat_map(|p| p.read(self.backend, self.slot)).collect();
        let n_in = rows.len() / n_out;
        self.put(name, &[n_out, n_in], transpose(&rows, n_in, n_out));
        Ok(())
    }

    fn buffer(&mut self, name: &str, len: usize, buf: &mut B::Buf) -> Result<(), StateError> {
        if self.slot == Slot::Value {
            self.put(name, &[len], self.backend.download(buf, len));
        }
        Ok(())
    }
}

/// Writes a state dict into a model, taking each tensor out.
pub(crate) struct Import<'a, B: Backend> {
    pub(crate) backend: &'a B,
    pub(crate) state: StateDict<B::Elem>,
}

impl<B: Backend> Import<'_, B> {
    fn take(&mut self, name: &str, expected: &[usize]) -> Result<Vec<B::Elem>, StateError> {
        let name = name.to_owned();
        match self.state.remove(&name) {
            None => Err(StateError::Missing { name }),
            Some(t)
                if t.shape != expected || t.data.len() != expected.iter().product::<usize>() =>
            {
                Err(StateError::Shape { name, expected: expected.to_vec(), found: t.shape })
            }
            Some(t) => Ok(t.data),
        }
    }
}

impl<B: Backend> StateVisitor<B> for Import<'_, B> {
    fn param(
        &mut self,
        name: &str,
        shape: &[usize],
        param: &mut Param<B>,
    ) -> Result<(), StateError> {
        let data = self.take(name, shape)?;
        param.write(self.backend, &data);
        Ok(())
    }

    fn weight(
        &mut self,
        name: &str,
        n_out: usize,
        parts: &mut [&mut Param<B>],
    ) -> Result<(), StateError> {
        let n_in = parts.iter().map(|p| p.len()).sum::<usize>() / n_out;
        let rows = transpose(&self.take(name, &[n_out, n_in])?, n_out, n_in);
        let mut rest = &rows[..];
        for part in parts {
            let (first, after) = rest.split_at(part.len());
            part.write(self.backend, first);
            rest = after;
        }
        Ok(())
    }

    fn buffer(&mut self, name: &str, len: usize, buf: &mut B::Buf) -> Result<(), StateError> {
        let data = self.take(name, &[len])?;
        self.backend.upload(buf, &data);
        Ok(())
    }
}

/// `(rows, cols)` to `(cols, rows)`.
fn transpose<F: Real>(data: &[F], rows: usize, cols: usize) -> Vec<F> {
    (0..cols).flat_map(|j| (0..rows).map(move |i| data[i * cols + j])).collect()
}
