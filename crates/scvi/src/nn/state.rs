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
    /// A head's weight, torch's `(genes, n_in)`, in the device's order ([`scvi_kernels::HeadOps::pack_head_weight`]).
    HeadWeight(&'a mut Param<B>),
    /// A running moment, which no gradient reaches, and whether training leaves it alone.
    Moment(&'a mut B::Buf, &'a mut bool),
}

impl<B: Backend> Place<'_, '_, B> {
    /// A running moment has no numbers but its own.
    fn has(&self, slot: Slot) -> bool {
        slot == Slot::Value || !matches!(self, Self::Moment(..))
    }

    fn is_finite(&self, backend: &B, slot: Slot, shape: &[usize]) -> bool {
        match self {
            Self::Param(param) | Self::HeadWeight(param) => param.is_finite(backend, slot),
            Self::Weight(parts) => parts.iter().all(|p| p.is_finite(backend, slot)),
            Self::Moment(buf, _) => slot != Slot::Value || backend.is_finite(buf, shape[0]),
        }
    }

    fn read(&self, backend: &B, slot: Slot, shape: &[usize]) -> Vec<B::Elem> {
        match self {
            Self::Param(param) => param.read(backend, slot),
            Self::Weight(parts) => {
                let rows: Vec<_> = parts.iter().flat_map(|p| p.read(backend, slot)).collect();
                transpose(&rows, shape[1], shape[0])
            }
            Self::HeadWeight(param) => {
                backend.unpack_head_weight(&param.read(backend, slot), [shape[0], shape[1]])
            }
            Self::Moment(buf, _) => backend.download(buf, shape[0]),
        }
    }

    fn write(&mut self, backend: &B, slot: Slot, shape: &[usize], data: &[B::Elem]) {
        match self {
            Self::Param(param) => param.write(backend, slot, data),
            Self::Weight(parts) => {
                each_part(parts, shape, data, |part, data| part.write(backend, slot, data));
            }
            Self::HeadWeight(param) => {
                let packed = backend.pack_head_weight(data, [shape[0], shape[1]]);
                param.write(backend, slot, &packed);
            }
            Self::Moment(buf, _) => backend.upload(buf, data),
        }
    }

    /// Every parameter behind the name; of a running moment there is none.
    pub(super) fn for_each_param(&mut self, f: &mut dyn FnMut(&mut Param<B>)) {
        match self {
            Self::Param(param) | Self::HeadWeight(param) => f(param),
            Self::Weight(parts) => parts.iter_mut().for_each(|part| f(part)),
            Self::Moment(..) => {}
        }
    }

    fn set_trained(&mut self, backend: &B, shape: &[usize], trained: &Trained) {
        let mask: Vec<B::Elem> = trained.mask(shape);
        match self {
            Self::Param(param) => param.set_moves(backend, &mask),
            Self::Weight(parts) => {
                each_part(parts, shape, &mask, |part, mask| part.set_moves(backend, mask));
            }
            Self::HeadWeight(param) => {
                let packed = backend.pack_head_weight(&mask, [shape[0], shape[1]]);
                param.set_moves(backend, &packed);
            }
            Self::Moment(_, frozen) => **frozen = *trained == Trained::Nothing,
        }
    }
}

/// Gives each part of a layer's weight its rows of `data`, which has torch's layout.
fn each_part<B: Backend>(
    parts: &mut [&mut Param<B>],
    shape: &[usize],
    data: &[B::Elem],
    mut take: impl FnMut(&mut Param<B>, &[B::Elem]),
) {
    let rows = transpose(data, shape[0], shape[1]);
    let mut rest = &rows[..];
    for part in parts {
        let (first, after) = rest.split_at(part.len());
        take(part, first);
        rest = after;
    }
}

/// Which numbers of a tensor training moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trained {
    /// All of them.
    All,
    /// None: they keep every bit.
    Nothing,
    /// Those at these indices of a dimension, such as some columns of a weight.
    Only {
        /// The dimension, 0 for the outermost.
        dim: usize,
        /// The indices.
        indices: Vec<usize>,
    },
}

impl Trained {
    /// 1 for each number that moves, 0 for the others, in row-major order.
    fn mask<F: Real>(&self, shape: &[usize]) -> Vec<F> {
        let len = shape.iter().product();
        let Self::Only { dim, indices } = self else {
            return vec![if *self == Self::All { F::ONE } else { F::ZERO }; len];
        };
        let inner: usize = shape[dim + 1..].iter().product();
        let mut moves = vec![F::ZERO; shape[*dim]];
        indices.iter().for_each(|&i| moves[i] = F::ONE);
        (0..len).map(|at| moves[at / inner % moves.len()]).collect()
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

    /// A [`Place::HeadWeight`].
    fn head_weight(
        &mut self,
        name: &str,
        shape: &[usize],
        weight: &mut Param<B>,
    ) -> Result<(), StateError> {
        self.tensor(name, shape, Place::HeadWeight(weight))
    }

    /// A [`Place::Moment`] of `len` numbers.
    fn moment(
        &mut self,
        name: &str,
        len: usize,
        buf: &mut B::Buf,
        frozen: &mut bool,
    ) -> Result<(), StateError> {
        self.tensor(name, &[len], Place::Moment(buf, frozen))
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

/// Tells every tensor which of its numbers training moves.
pub(crate) struct SetTrained<'a, B: Backend> {
    pub(crate) backend: &'a B,
    /// The answer for a tensor, by its name and shape.
    pub(crate) rule: &'a dyn Fn(&str, &[usize]) -> Trained,
}

impl<B: Backend> StateVisitor<B> for SetTrained<'_, B> {
    fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        mut place: Place<'_, '_, B>,
    ) -> Result<(), StateError> {
        place.set_trained(self.backend, shape, &(self.rule)(name, shape));
        Ok(())
    }
}

/// Makes the optimiser of every parameter new.
pub(crate) struct ForgetMoments;

impl<B: Backend> StateVisitor<B> for ForgetMoments {
    fn tensor(
        &mut self,
        _: &str,
        _: &[usize],
        mut place: Place<'_, '_, B>,
    ) -> Result<(), StateError> {
        place.for_each_param(&mut Param::reset_optimizer);
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
    fn a_mask_of_every_dimension() {
        let mask = |trained: Trained| trained.mask::<f64>(&[2, 3]);
        let only = |dim, indices: &[usize]| mask(Trained::Only { dim, indices: indices.to_vec() });
        assert_eq!(only(1, &[2, 0]), [1.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
        assert_eq!(only(0, &[1]), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!((only(1, &[]), mask(Trained::All)), (vec![0.0; 6], vec![1.0; 6]));
        assert_eq!(mask(Trained::Nothing), [0.0; 6]);
    }

    #[test]
    fn a_position_becomes_an_index_a_dimension() {
        assert_eq!(index_of(7, &[2, 4]), [1, 3]);
        assert_eq!(index_of(5, &[6]), [5]);
        assert_eq!(index_of(23, &[2, 3, 4]), [1, 2, 3]);
    }
}
