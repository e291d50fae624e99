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
    /// Adam's mean of its gradients (torch's `exp_avg`).
    FirstMoment,
    /// Adam's mean of their squares (torch's `exp_avg_sq`).
    SecondMoment,
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

/// Where a layer keeps the numbers behind a name.
pub(crate) enum Place<'a, 'p, B: Backend> {
    /// A parameter stored as torch stores it.
    Param(&'a mut Param<B>),
    /// A layer's weight, torch's `(n_out, n_in)`, stored by the parts of its input as
    /// `(n_part, n_out)`.
    Weight(&'a mut [&'p mut Param<B>]),
    /// A buffer that no gradient reaches.
    Buffer(&'a mut B::Buf),
}

impl<B: Backend> Place<'_, '_, B> {
    /// A buffer has no numbers but its own.
    fn has(&self, slot: Slot) -> bool {
        slot == Slot::Value || !matches!(self, Self::Buffer(_))
    }

    fn is_finite(&self, backend: &B, slot: Slot, shape: &[usize]) -> bool {
        match self {
            Self::Param(param) => param.is_finite(backend, slot),
            Self::Weight(parts) => parts.iter().all(|p| p.is_finite(backend, slot)),
            Self::Buffer(buf) => slot != Slot::Value || backend.is_finite(buf, shape[0]),
        }
    }

    fn read(&self, backend: &B, slot: Slot, shape: &[usize]) -> Vec<B::Elem> {
        match self {
            Self::Param(param) => param.read(backend, slot),
            Self::Weight(parts) => {
                let rows: Vec<_> = parts.iter().flat_map(|p| p.read(backend, slot)).collect();
                transpose(&rows, shape[1], shape[0])
            }
            Self::Buffer(buf) => backend.download(buf, shape[0]),
        }
    }

    fn write(&mut self, backend: &B, slot: Slot, shape: &[usize], data: &[B::Elem]) {
        match self {
            Self::Param(param) => param.write(backend, slot, data),
            Self::Weight(parts) => {
                let rows = transpose(data, shape[0], shape[1]);
                let mut rest = &rows[..];
                for part in parts.iter_mut() {
                    let (first, after) = rest.split_at(part.len());
                    part.write(backend, slot, first);
                    rest = after;
                }
            }
            Self::Buffer(buf) => backend.upload(buf, data),
        }
    }
}

/// Sees every tensor of a model: every layer names each of its tensors once, for whatever is to
/// happen to them.
pub(crate) trait StateVisitor<B: Backend> {
    /// One tensor, in torch's name and shape.
    fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        place: Place<'_, '_, B>,
    ) -> Result<(), StateError>;

    /// A [`Place::Param`].
    fn param(
        &mut self,
        name: &str,
        shape: &[usize],
        param: &mut Param<B>,
    ) -> Result<(), StateError> {
        self.tensor(name, shape, Place::Param(param))
    }

    /// A [`Place::Weight`].
    fn weight(
        &mut self,
        name: &str,
        n_out: usize,
        parts: &mut [&mut Param<B>],
    ) -> Result<(), StateError> {
        let n_in = parts.iter().map(|p| p.len()).sum::<usize>() / n_out;
        self.tensor(name, &[n_out, n_in], Place::Weight(parts))
    }

    /// A [`Place::Buffer`] of `len` numbers.
    fn buffer(&mut self, name: &str, len: usize, buf: &mut B::Buf) -> Result<(), StateError> {
        self.tensor(name, &[len], Place::Buffer(buf))
    }
}

/// Reads a model into a state dict.
pub(crate) struct Export<'a, B: Backend> {
    pub(crate) backend: &'a B,
    pub(crate) slot: Slot,
    pub(crate) state: StateDict<B::Elem>,
}

impl<B: Backend> StateVisitor<B> for Export<'_, B> {
    fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        place: Place<'_, '_, B>,
    ) -> Result<(), StateError> {
        if place.has(self.slot) {
            let data = place.read(self.backend, self.slot, shape);
            self.state.insert(name.to_owned(), Tensor { shape: shape.to_vec(), data });
        }
        Ok(())
    }
}

/// Writes a state dict into a model, taking each tensor out.
pub(crate) struct Import<'a, B: Backend> {
    pub(crate) backend: &'a B,
    pub(crate) slot: Slot,
    pub(crate) state: StateDict<B::Elem>,
}

impl<B: Backend> StateVisitor<B> for Import<'_, B> {
    fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        mut place: Place<'_, '_, B>,
    ) -> Result<(), StateError> {
        if !place.has(self.slot) {
            return Ok(());
        }
        let name = name.to_owned();
        let Some(t) = self.state.remove(&name) else { return Err(StateError::Missing { name }) };
        if t.shape != shape || t.data.len() != shape.iter().product::<usize>() {
            return Err(StateError::Shape { name, expected: shape.to_vec(), found: t.shape });
        }
        place.write(self.backend, self.slot, shape, &t.data);
        Ok(())
    }
}

/// A number of a model that is NaN or infinite.
#[derive(Debug, Clone, PartialEq)]
pub struct NotFinite {
    /// Name of its tensor.
    pub name: String,
    /// Which of the tensor's numbers.
    pub slot: Slot,
    /// Where in the tensor, an index a dimension.
    pub index: Vec<usize>,
    /// What it is.
    pub value: f64,
}

/// Looks for the first number that is not finite.
pub(crate) struct FindNotFinite<'a, B: Backend> {
    pub(crate) backend: &'a B,
    pub(crate) slots: &'a [Slot],
    pub(crate) found: Option<NotFinite>,
}

impl<B: Backend> StateVisitor<B> for FindNotFinite<'_, B> {
    fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        place: Place<'_, '_, B>,
    ) -> Result<(), StateError> {
        for &slot in self.slots {
            if self.found.is_some() || place.is_finite(self.backend, slot, shape) {
                continue;
            }
            let values = place.read(self.backend, slot, shape);
            let first = values.iter().map(|v| v.to_f64()).enumerate().find(|(_, v)| !v.is_finite());
            self.found = first.map(|(at, value)| {
                let (name, index) = (name.to_owned(), index_of(at, shape));
                NotFinite { name, slot, index, value }
            });
        }
        Ok(())
    }
}

/// The indices of a position in row-major order.
fn index_of(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (index, &size) in index.iter_mut().zip(shape).rev() {
        (*index, at) = (at % size, at / size);
    }
    index
}

/// `(rows, cols)` to `(cols, rows)`.
fn transpose<F: Real>(data: &[F], rows: usize, cols: usize) -> Vec<F> {
    (0..cols).flat_map(|j| (0..rows).map(move |i| data[i * cols + j])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_becomes_an_index_a_dimension() {
        assert_eq!(index_of(7, &[2, 4]), [1, 3]);
        assert_eq!(index_of(5, &[6]), [5]);
        assert_eq!(index_of(23, &[2, 3, 4]), [1, 2, 3]);
    }
}
