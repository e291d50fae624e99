//! Parameters and buffers by their names in scvi-tools' state dict.

use std::collections::BTreeMap;

use scvi_kernels::{Backend, Real};
use thiserror::Error;

use super::tensors::{Tensors, TensorsMut};
use super::{Param, Slot, TrainableEntries};

/// A named array in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor<F> {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// Values.
    pub data: Vec<F>,
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

/// Reads a slot of tensors into a state dict.
pub(crate) fn export<B: Backend>(
    backend: &B,
    slot: Slot,
    tensors: Tensors<B>,
) -> StateDict<B::Elem> {
    let read = tensors.into_iter().filter(|tensor| tensor.has(slot)).map(|tensor| {
        let data = tensor.read(backend, slot);
        (tensor.name, Tensor { shape: tensor.shape, data })
    });
    read.collect()
}

/// Replaces a slot of every tensor by that of a state dict.
///
/// # Errors
/// [`StateError`] where a tensor is missing, has another shape, or has no place among them; some
/// are replaced by then.
pub(crate) fn import<B: Backend>(
    backend: &B,
    slot: Slot,
    mut state: StateDict<B::Elem>,
    tensors: TensorsMut<B>,
) -> Result<(), StateError> {
    for mut tensor in tensors.into_iter().filter(|tensor| tensor.has(slot)) {
        let Some(found) = state.remove(&tensor.name) else {
            return Err(StateError::Missing { name: tensor.name });
        };
        let expected = tensor.shape.clone();
        if found.shape != expected || found.data.len() != expected.iter().product::<usize>() {
            return Err(StateError::Shape { name: tensor.name, expected, found: found.shape });
        }
        tensor.write(backend, slot, &found.data);
    }
    match state.into_keys().next() {
        Some(name) => Err(StateError::Unknown { name }),
        None => Ok(()),
    }
}

/// From now on training moves what `rule` says of each tensor, by its name and shape.
pub(crate) fn set_trained<B: Backend>(
    backend: &B,
    rule: &dyn Fn(&str, &[usize]) -> TrainableEntries,
    tensors: TensorsMut<B>,
) {
    for mut tensor in tensors {
        let trained = rule(&tensor.name, &tensor.shape);
        tensor.set_trained(backend, &trained);
    }
}

/// Makes the optimizer of every parameter new.
pub(crate) fn reset_optimizer<B: Backend>(tensors: TensorsMut<B>) {
    for mut tensor in tensors {
        tensor.params().for_each(Param::reset_optimizer);
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

/// The first number among these slots of all tensors that is NaN or infinite.
pub(crate) fn first_not_finite<B: Backend>(
    backend: &B,
    slots: &[Slot],
    tensors: &Tensors<B>,
) -> Option<NotFinite> {
    let of_slots = |tensor| slots.iter().map(move |&slot| (tensor, slot));
    let (tensor, slot) = tensors
        .iter()
        .flat_map(of_slots)
        .find(|(tensor, slot)| !tensor.is_finite(backend, *slot))?;
    let values = tensor.read(backend, slot);
    let mut values = values.iter().map(|v| v.to_f64()).enumerate();
    let (at, value) = values.find(|(_, v)| !v.is_finite())?;
    let (name, index) = (tensor.name.clone(), index_of(at, &tensor.shape));
    Some(NotFinite { name, slot, index, value })
}

/// The indices of a position in row-major order.
fn index_of(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (index, &size) in index.iter_mut().zip(shape).rev() {
        (*index, at) = (at % size, at / size);
    }
    index
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
