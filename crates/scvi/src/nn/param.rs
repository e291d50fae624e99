//! A parameter with what its optimiser remembers of it.

use scvi_kernels::{AdamIo, Backend, GradSink, Real};

use super::gradient_tree::GradientTree;
use super::slot::Slot;
use super::update::{GradientClip, OptimizerStep, Update};

/// Which of a parameter's numbers the optimiser moves.
#[derive(Clone)]
enum Moves<B: Backend> {
    All,
    None,
    /// Those whose number here is 1; the others' is 0.
    Where(B::Buf),
}

/// A weight, its gradient where one is kept, and Adam's two moments.
///
/// The last three are made when a backward pass first needs them: a model that only infers
/// carries none, and neither does a frozen parameter.
#[derive(Clone)]
pub(crate) struct Param<B: Backend> {
    pub(crate) value: B::Buf,
    moves: Moves<B>,
    grad: Option<B::Buf>,
    /// Gradients that wait for the optimizer's step.
    staged: GradientTree<B>,
    moments: Option<[B::Buf; 2]>,
    len: usize,
}

impl<B: Backend> Param<B> {
    pub(crate) fn new(backend: &B, values: &[B::Elem]) -> Self {
        let mut value = backend.zeros(values.len());
        backend.upload(&mut value, values);
        let len = values.len();
        Self {
            value,
            moves: Moves::All,
            grad: None,
            staged: GradientTree::new(len),
            moments: None,
            len,
        }
    }

    /// From now on the optimiser moves the numbers whose place in `mask` holds 1 and leaves those
    /// with 0 bit-identical.
    pub(crate) fn set_moves(&mut self, backend: &B, mask: &[B::Elem]) {
        debug_assert_eq!(mask.len(), self.len);
        let moving = mask.iter().filter(|&&m| m != B::Elem::ZERO).count();
        self.moves = match moving {
            0 => Moves::None,
            n if n == self.len => Moves::All,
            _ => {
                let mut buf = backend.zeros(self.len);
                backend.upload(&mut buf, mask);
                Moves::Where(buf)
            }
        };
    }

    /// The next step of the optimizer is its first, and no gradient waits for it.
    pub(crate) fn reset_optimizer(&mut self) {
        self.moments = None;
        self.grad = None;
        self.staged = GradientTree::new(self.len);
    }

    /// Whether a step has any use for this parameter's gradient.
    pub(crate) fn wants_gradient(&self, update: Update<B::Elem>) -> bool {
        !matches!((update, &self.moves), (Update::Adam(_) | Update::Stage(_), Moves::None))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where an operation leaves this parameter's gradient.
    pub(crate) fn sink(&mut self, backend: &B, update: Update<B::Elem>) -> GradSink<'_, B> {
        let zeros = || backend.zeros(self.len);
        match update {
            Update::Stage(_) | Update::Adam(_) if matches!(self.moves, Moves::None) => {
                GradSink::Frozen { value: &self.value }
            }
            Update::Stage(first) => {
                if self.staged.is_empty() {
                    self.staged.begin(first);
                    // The gradient of the step before is of no more use, its memory is.
                    self.grad.take().into_iter().for_each(|grad| self.staged.give(grad));
                }
                GradSink::Store { value: &self.value, grad: self.staged.next(backend) }
            }
            Update::Store => {
                let grad = self.grad.get_or_insert_with(zeros);
                GradSink::Store { value: &self.value, grad }
            }
            Update::Add => {
                let grad = self.grad.get_or_insert_with(zeros);
                GradSink::Accumulate { value: &self.value, grad }
            }
            Update::Adam(step) => {
                let value = &mut self.value;
                let [m, v] = self.moments.get_or_insert_with(|| [zeros(), zeros()]);
                match &self.moves {
                    Moves::Where(mask) => GradSink::AdamWhere { value, m, v, step, mask },
                    _ => GradSink::Adam { value, m, v, step },
                }
            }
        }
    }

    /// The sum of the staged gradients, where there are any: they are no longer staged.
    pub(super) fn take_staged(&mut self, backend: &B) -> bool {
        let is_staged = !self.staged.is_empty();
        if is_staged {
            self.grad = self.staged.take(backend);
        }
        is_staged
    }

    /// Whether gradients are staged.
    pub(super) fn is_staged(&self) -> bool {
        !self.staged.is_empty()
    }

    /// The sums of the gradients that this worker's leaves have staged; see
    /// [`GradientTree::take_subtrees`].
    pub(super) fn take_subtrees(&mut self, backend: &B) -> Vec<Vec<B::Elem>> {
        let sums = self.staged.take_subtrees(backend);
        // The memory that staging took the gradient for is the gradient's again.
        self.grad = self.grad.take().or_else(|| self.staged.take_spare());
        sums
    }

    /// Zeroes the gradient of frozen numbers, and adds its squares to `sum`.
    pub(super) fn add_squares(&mut self, backend: &B, sum: &mut B::Buf, accumulate: bool) {
        let Some(grad) = &mut self.grad else { return };
        if let Moves::Where(mask) = &self.moves {
            backend.gate_grad(grad, mask, self.len);
        }
        backend.sum_of_squares(grad, self.len, sum, accumulate);
    }

    /// One optimizer step on the sum of the staged gradients, where there are any, clipped as by
    /// [`Self::step`].
    pub(crate) fn step_staged(&mut self, backend: &B, step: &OptimizerStep<B::Elem>, sum: &B::Buf) {
        if self.take_staged(backend) {
            self.step(backend, step, sum);
        }
    }

    /// One optimizer step on the gradient, clipped; `sum` is what [`Self::add_squares`] of all
    /// parameters came to.
    pub(super) fn step(
        &mut self,
        backend: &B,
        OptimizerStep { adam, clip }: &OptimizerStep<B::Elem>,
        sum: &B::Buf,
    ) {
        let Some(grad) = &mut self.grad else { return };
        match *clip {
            Some(GradientClip::Norm(max)) => backend.clip_by_norm(grad, self.len, sum, max),
            Some(GradientClip::Value(limit)) => backend.clip_by_value(grad, self.len, limit),
            None => {}
        }
        let zeros = || backend.zeros(self.len);
        let [m, v] = self.moments.get_or_insert_with(|| [zeros(), zeros()]);
        let mask = match &self.moves {
            Moves::Where(mask) => Some(mask),
            Moves::All | Moves::None => None,
        };
        let io = AdamIo { value: &mut self.value, grad, m, v, mask, step: *adam };
        backend.adam(io, 0..self.len);
    }

    /// The numbers of a slot; none where no backward pass has made them yet.
    fn slot(&self, slot: Slot) -> Option<&B::Buf> {
        match slot {
            Slot::Value => Some(&self.value),
            Slot::Grad => self.grad.as_ref(),
            Slot::FirstMoment => self.moments.as_ref().map(|[m, _]| m),
            Slot::SecondMoment => self.moments.as_ref().map(|[_, v]| v),
        }
    }

    /// The numbers of a slot, or zeros for what no backward pass has made yet.
    pub(crate) fn read(&self, backend: &B, slot: Slot) -> Vec<B::Elem> {
        match self.slot(slot) {
            Some(buf) => backend.download(buf, self.len),
            None => vec![Default::default(); self.len],
        }
    }

    pub(crate) fn is_finite(&self, backend: &B, slot: Slot) -> bool {
        self.slot(slot).is_none_or(|buf| backend.is_finite(buf, self.len))
    }

    /// Replaces the numbers of a slot.
    pub(crate) fn write(&mut self, backend: &B, slot: Slot, values: &[B::Elem]) {
        debug_assert_eq!(values.len(), self.len);
        let zeros = || backend.zeros(self.len);
        let moments = || [zeros(), zeros()];
        let buf = match slot {
            Slot::Value => &mut self.value,
            Slot::Grad => self.grad.get_or_insert_with(zeros),
            Slot::FirstMoment => &mut self.moments.get_or_insert_with(moments)[0],
            Slot::SecondMoment => &mut self.moments.get_or_insert_with(moments)[1],
        };
        backend.upload(buf, values);
    }
}
