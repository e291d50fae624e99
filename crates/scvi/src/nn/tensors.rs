//! Which tensors a layer has, by their names in scvi-tools' state dict.

use scvi_kernels::{Backend, Real};

use super::{Param, Slot, TrainableEntries};

/// A running moment, which no gradient reaches.
#[derive(Clone)]
pub(crate) struct RunningMoment<B: Backend> {
    pub(super) values: B::Buf,
    /// Whether training leaves it as it is.
    pub(super) frozen: bool,
}

/// Where a layer keeps the numbers behind a name: `P` is a reference to a parameter, `M` one to a
/// running moment, both shared or both exclusive.
pub(crate) enum Place<P, M> {
    /// A parameter stored as torch stores it.
    Param(P),
    /// A layer's weight, torch's `(n_out, n_in)`, stored by the parts of its input as
    /// `(n_part, n_out)`.
    Weight(Vec<P>),
    /// A head's weight, torch's `(genes, n_in)`, in the device's order
    /// ([`scvi_kernels::HeadOps::pack_head_weight`]).
    HeadWeight(P),
    /// A running moment.
    Moment(M),
}

/// A tensor in torch's name and shape.
pub(crate) struct NamedTensor<P, M> {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) place: Place<P, M>,
}

/// Tensors to read.
pub(crate) type Tensors<'a, B> = Vec<NamedTensor<&'a Param<B>, &'a RunningMoment<B>>>;
/// Tensors to change.
pub(crate) type TensorsMut<'a, B> = Vec<NamedTensor<&'a mut Param<B>, &'a mut RunningMoment<B>>>;

impl<B: Backend> RunningMoment<B> {
    pub(crate) fn new(values: B::Buf) -> Self {
        Self { values, frozen: false }
    }

    pub(crate) fn values(&self) -> &B::Buf {
        &self.values
    }
}

impl<P, M> NamedTensor<P, M> {
    pub(crate) fn param(name: String, shape: &[usize], param: P) -> Self {
        Self { name, shape: shape.to_vec(), place: Place::Param(param) }
    }

    pub(super) fn weight(name: String, shape: [usize; 2], parts: Vec<P>) -> Self {
        Self { name, shape: shape.to_vec(), place: Place::Weight(parts) }
    }

    pub(super) fn head_weight(name: String, shape: [usize; 2], weight: P) -> Self {
        Self { name, shape: shape.to_vec(), place: Place::HeadWeight(weight) }
    }

    pub(super) fn moment(name: String, len: usize, moment: M) -> Self {
        Self { name, shape: vec![len], place: Place::Moment(moment) }
    }

    /// Numbers that are given and not learned, which are kept as running moments are.
    pub(crate) fn given(name: String, shape: &[usize], values: M) -> Self {
        Self { name, shape: shape.to_vec(), place: Place::Moment(values) }
    }

    /// Its numbers.
    fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// A running moment has no gradient and no optimizer.
    pub(super) fn has(&self, slot: Slot) -> bool {
        slot == Slot::Value || !matches!(self.place, Place::Moment(_))
    }
}

impl<B: Backend> NamedTensor<&Param<B>, &RunningMoment<B>> {
    pub(super) fn is_finite(&self, backend: &B, slot: Slot) -> bool {
        match &self.place {
            Place::Param(param) | Place::HeadWeight(param) => param.is_finite(backend, slot),
            Place::Weight(parts) => parts.iter().all(|p| p.is_finite(backend, slot)),
            Place::Moment(moment) => {
                slot != Slot::Value || backend.is_finite(&moment.values, self.len())
            }
        }
    }

    /// Its numbers in torch's layout.
    pub(super) fn read(&self, backend: &B, slot: Slot) -> Vec<B::Elem> {
        let shape = &self.shape;
        match &self.place {
            Place::Param(param) => param.read(backend, slot),
            Place::Weight(parts) => {
                let rows: Vec<_> = parts.iter().flat_map(|p| p.read(backend, slot)).collect();
                transpose(&rows, shape[1], shape[0])
            }
            Place::HeadWeight(param) => {
                backend.unpack_head_weight(&param.read(backend, slot), [shape[0], shape[1]])
            }
            Place::Moment(moment) => backend.download(&moment.values, self.len()),
        }
    }
}

impl<B: Backend> NamedTensor<&mut Param<B>, &mut RunningMoment<B>> {
    /// Replaces its numbers by `data` in torch's layout.
    pub(super) fn write(&mut self, backend: &B, slot: Slot, data: &[B::Elem]) {
        let shape = &self.shape;
        match &mut self.place {
            Place::Param(param) => param.write(backend, slot, data),
            Place::Weight(parts) => {
                each_part(parts, shape, data, |part, data| part.write(backend, slot, data));
            }
            Place::HeadWeight(param) => {
                let packed = backend.pack_head_weight(data, [shape[0], shape[1]]);
                param.write(backend, slot, &packed);
            }
            Place::Moment(moment) => backend.upload(&mut moment.values, data),
        }
    }

    /// From now on the optimizer moves only the numbers that `trained` names.
    pub(super) fn set_trained(&mut self, backend: &B, trained: &TrainableEntries) {
        let shape = &self.shape;
        let mask: Vec<B::Elem> = trained.mask(shape);
        match &mut self.place {
            Place::Param(param) => param.set_moves(backend, &mask),
            Place::Weight(parts) => {
                each_part(parts, shape, &mask, |part, mask| part.set_moves(backend, mask));
            }
            Place::HeadWeight(param) => {
                let packed = backend.pack_head_weight(&mask, [shape[0], shape[1]]);
                param.set_moves(backend, &packed);
            }
            Place::Moment(moment) => moment.frozen = *trained == TrainableEntries::Nothing,
        }
    }

    /// Every parameter behind the name; of a running moment there is none.
    pub(super) fn params(&mut self) -> impl Iterator<Item = &mut Param<B>> {
        let (one, parts): (_, &mut [_]) = match &mut self.place {
            Place::Param(param) | Place::HeadWeight(param) => (Some(&mut **param), &mut []),
            Place::Weight(parts) => (None, parts),
            Place::Moment(_) => (None, &mut []),
        };
        one.into_iter().chain(parts.iter_mut().map(|part| &mut **part))
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

/// `(rows, cols)` to `(cols, rows)`.
fn transpose<F: Real>(data: &[F], rows: usize, cols: usize) -> Vec<F> {
    (0..cols).flat_map(|j| (0..rows).map(move |i| data[i * cols + j])).collect()
}
