//! A model's tensors by scvi-tools' names, out and in.

use scvi_kernels::Backend;

use super::Scanvae;
use crate::nn::{
    NamedTensor, NotFinite, Slot, StateDict, StateError, Tensors, TensorsMut, TrainableEntries,
    export, first_not_finite, import, reset_optimizer, set_trained,
};

impl<B: Backend> Scanvae<B> {
    /// Every parameter and running moment, in scvi-tools' names and torch's layout.
    pub fn state_dict(&self) -> StateDict<B::Elem> {
        self.state(Slot::Value)
    }

    /// Every gradient kept by [`Scanvae::compute_gradients`].
    pub fn gradients(&self) -> StateDict<B::Elem> {
        self.state(Slot::Grad)
    }

    /// One slot of every tensor that has it.
    pub fn state(&self, slot: Slot) -> StateDict<B::Elem> {
        export(self.backend(), slot, self.tensors())
    }

    /// Replaces every parameter and running moment.
    ///
    /// # Errors
    /// [`StateError`] where a tensor is missing, has another shape, or has no place here. The model
    /// is then partly overwritten and must not be used.
    pub fn load_state_dict(&mut self, state: StateDict<B::Elem>) -> Result<(), StateError> {
        self.load_state(Slot::Value, state)
    }

    /// Replaces one slot of every tensor that has it.
    ///
    /// # Errors
    /// As [`Scanvae::load_state_dict`].
    pub fn load_state(&mut self, slot: Slot, state: StateDict<B::Elem>) -> Result<(), StateError> {
        let (backend, tensors) = self.tensors_mut();
        import(backend, slot, state, tensors)
    }

    /// Makes the optimizer new: Adam's moments of every parameter are zeros again.
    pub fn reset_optimizer(&mut self) {
        reset_optimizer(self.tensors_mut().1);
    }

    /// From now on training moves what `rule` says of each tensor; see [`crate::module::Vae`].
    pub fn set_trained(&mut self, rule: &dyn Fn(&str, &[usize]) -> TrainableEntries) {
        let (backend, tensors) = self.tensors_mut();
        set_trained(backend, rule, tensors);
    }

    /// The first number among these slots of all tensors that is NaN or infinite.
    pub fn first_not_finite(&self, slots: &[Slot]) -> Option<NotFinite> {
        first_not_finite(self.backend(), slots, &self.tensors())
    }

    fn tensors(&self) -> Tensors<'_, B> {
        let mut tensors = self.vae.tensors();
        tensors.extend(self.classifier.tensors(CLASSIFIER));
        tensors.extend(self.second_level.tensors());
        tensors.push(y_prior(self.spec.n_labels(), &self.y_prior));
        tensors
    }

    /// The device, and everything on it.
    pub(super) fn tensors_mut(&mut self) -> (&B, TensorsMut<'_, B>) {
        let Self { vae, spec, classifier, second_level, y_prior: prior } = self;
        let (backend, mut tensors) = vae.tensors_mut();
        tensors.extend(classifier.tensors_mut(CLASSIFIER));
        tensors.extend(second_level.tensors_mut());
        tensors.push(y_prior(spec.n_labels(), prior));
        (backend, tensors)
    }
}

const CLASSIFIER: &str = "classifier";

fn y_prior<P, M>(n_labels: usize, values: M) -> NamedTensor<P, M> {
    NamedTensor::given("y_prior".to_owned(), &[1, n_labels], values)
}
