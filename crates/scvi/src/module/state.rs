//! A model's tensors by scvi-tools' names, out and in.

use scvi_kernels::Backend;

use super::options::Dispersion;
use super::spec::VaeSpec;
use super::vae::Vae;
use crate::nn::{
    NamedTensor, NotFinite, Slot, StateDict, StateError, Tensors, TensorsMut, TrainableEntries,
    export, first_not_finite, import, reset_optimizer, set_trained,
};

impl<B: Backend> Vae<B> {
    /// Every parameter and running moment, in scvi-tools' names and torch's layout.
    pub fn state_dict(&self) -> StateDict<B::Elem> {
        self.state(Slot::Value)
    }

    /// Every gradient kept by [`Vae::compute_gradients`].
    pub fn gradients(&self) -> StateDict<B::Elem> {
        self.state(Slot::Grad)
    }

    /// One slot of every tensor that has it.
    pub fn state(&self, slot: Slot) -> StateDict<B::Elem> {
        export(&self.backend, slot, self.tensors())
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
    /// As [`Vae::load_state_dict`].
    pub fn load_state(&mut self, slot: Slot, state: StateDict<B::Elem>) -> Result<(), StateError> {
        let (backend, tensors) = self.tensors_mut();
        import(backend, slot, state, tensors)
    }

    /// Makes the optimizer new: Adam's moments of every parameter are zeros again.
    pub fn reset_optimizer(&mut self) {
        reset_optimizer(self.tensors_mut().1);
    }

    /// From now on training moves what `rule` says of each tensor, by its name and shape, and leaves
    /// the rest bit-identical: no gradient, moment or weight decay reaches it. Of running
    /// moments, `Nothing` is the momentum 0, and anything else all of them.
    pub fn set_trained(&mut self, rule: &dyn Fn(&str, &[usize]) -> TrainableEntries) {
        let (backend, tensors) = self.tensors_mut();
        set_trained(backend, rule, tensors);
    }

    /// The first number among these slots of all tensors that is NaN or infinite.
    pub fn first_not_finite(&self, slots: &[Slot]) -> Option<NotFinite> {
        first_not_finite(&self.backend, slots, &self.tensors())
    }

    pub(crate) fn tensors(&self) -> Tensors<'_, B> {
        let Self { spec, encoder, library_encoder, embeddings, decoder, px_r, .. } = self;
        let px_r =
            px_r.as_ref().map(|px_r| NamedTensor::param(PX_R.into(), &px_r_shape(spec), px_r));
        let mut tensors = Vec::from_iter(px_r);
        tensors.extend(encoder.tensors(Z_ENCODER));
        tensors.extend(library_encoder.iter().flat_map(|library| library.tensors(L_ENCODER)));
        tensors.extend(embeddings.tensors());
        tensors.extend(decoder.tensors(DECODER));
        tensors
    }

    /// The device, and everything on it.
    pub(crate) fn tensors_mut(&mut self) -> (&B, TensorsMut<'_, B>) {
        let Self { backend, spec, encoder, library_encoder, embeddings, decoder, px_r, .. } = self;
        let px_r =
            px_r.as_mut().map(|px_r| NamedTensor::param(PX_R.into(), &px_r_shape(spec), px_r));
        let mut tensors = Vec::from_iter(px_r);
        tensors.extend(encoder.tensors_mut(Z_ENCODER));
        tensors
            .extend(library_encoder.iter_mut().flat_map(|library| library.tensors_mut(L_ENCODER)));
        tensors.extend(embeddings.tensors_mut());
        tensors.extend(decoder.tensors_mut(DECODER));
        (backend, tensors)
    }
}

const PX_R: &str = "px_r";
const Z_ENCODER: &str = "z_encoder";
const L_ENCODER: &str = "l_encoder";
const DECODER: &str = "decoder";

/// Shape of the dispersion table: `(genes)`, or `(genes, groups)`.
fn px_r_shape(spec: &VaeSpec) -> Vec<usize> {
    let groups = spec.dispersion_groups().filter(|_| spec.config().dispersion != Dispersion::Gene);
    [spec.config().n_input].into_iter().chain(groups).collect()
}
