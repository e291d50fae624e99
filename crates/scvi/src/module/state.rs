//! A model's tensors by scvi-tools' names, out and in.

use scvi_kernels::Backend;

use super::options::Dispersion;
use super::spec::VaeSpec;
use super::vae::Vae;
use crate::nn::{
    Decoder, Embeddings, Encoder, FindNotFinite, ForgetMoments, NotFinite, Param, SetTrained, Slot,
    StateDict, StateError, StateExport, StateImport, StateVisitor, Trained,
};

impl<B: Backend> Vae<B> {
    /// Every parameter and running moment, in scvi-tools' names and torch's layout.
    pub fn state_dict(&mut self) -> StateDict<B::Elem> {
        self.export(Slot::Value)
    }

    /// Every gradient kept by [`Vae::compute_gradients`].
    pub fn gradients(&mut self) -> StateDict<B::Elem> {
        self.export(Slot::Grad)
    }

    /// Replaces every parameter and running moment.
    ///
    /// # Errors
    /// [`StateError`] where a tensor is missing, has another shape, or has no place here. The model
    /// is then partly overwritten and must not be used.
    pub fn load_state_dict(&mut self, state: StateDict<B::Elem>) -> Result<(), StateError> {
        self.import(Slot::Value, state)
    }

    /// Adam's two moments of every parameter; zeros before the first step.
    pub fn moments(&mut self) -> [StateDict<B::Elem>; 2] {
        [Slot::FirstMoment, Slot::SecondMoment].map(|slot| self.export(slot))
    }

    /// Replaces Adam's two moments of every parameter.
    ///
    /// # Errors
    /// As [`Vae::load_state_dict`].
    pub fn load_moments(&mut self, moments: [StateDict<B::Elem>; 2]) -> Result<(), StateError> {
        let [first, second] = moments;
        self.import(Slot::FirstMoment, first)?;
        self.import(Slot::SecondMoment, second)
    }

    /// Makes the optimiser new: Adam's moments of every parameter are zeros again.
    pub fn forget_moments(&mut self) {
        let (_, parts) = self.parts();
        parts.visit(&mut ForgetMoments).expect("nothing is refused");
    }

    /// From now on training moves what `rule` says of each tensor, by its name and shape, and leaves
    /// the rest as it is, to the bit: no gradient, moment or weight decay reaches it. Of running
    /// moments, `Nothing` is the momentum 0, and anything else all of them.
    pub fn set_trained(&mut self, rule: &dyn Fn(&str, &[usize]) -> Trained) {
        let (backend, parts) = self.parts();
        parts.visit(&mut SetTrained { backend, rule }).expect("rules refuse nothing");
    }

    /// The first number among these slots of all tensors that is NaN or infinite.
    pub fn first_not_finite(&mut self, slots: &[Slot]) -> Option<NotFinite> {
        let (backend, parts) = self.parts();
        let mut find = FindNotFinite { backend, slots, found: None };
        parts.visit(&mut find).expect("a search refuses nothing");
        find.found
    }

    fn import(&mut self, slot: Slot, state: StateDict<B::Elem>) -> Result<(), StateError> {
        let (backend, parts) = self.parts();
        let mut import = StateImport { backend, slot, state };
        parts.visit(&mut import)?;
        match import.state.into_keys().next() {
            Some(name) => Err(StateError::Unknown { name }),
            None => Ok(()),
        }
    }

    pub(crate) fn export(&mut self, slot: Slot) -> StateDict<B::Elem> {
        let (backend, parts) = self.parts();
        let mut export = StateExport { backend, slot, state: StateDict::new() };
        parts.visit(&mut export).expect("an export refuses nothing");
        export.state
    }

    /// The device, and everything that has tensors on it.
    pub(super) fn parts(&mut self) -> (&B, Parts<'_, B>) {
        let Self { backend, spec, encoder, library_encoder, embeddings, decoder, px_r, .. } = self;
        (backend, Parts { spec, encoder, library_encoder, embeddings, decoder, px_r })
    }
}

/// What a model's tensors belong to.
pub(super) struct Parts<'a, B: Backend> {
    spec: &'a VaeSpec,
    encoder: &'a mut Encoder<B>,
    library_encoder: &'a mut Option<Encoder<B>>,
    embeddings: &'a mut Embeddings<B>,
    decoder: &'a mut Decoder<B>,
    px_r: &'a mut Option<Param<B>>,
}

impl<B: Backend> Parts<'_, B> {
    pub(super) fn visit(self, visitor: &mut impl StateVisitor<B>) -> Result<(), StateError> {
        if let (Some(px_r), Some(groups)) = (self.px_r, self.spec.dispersion_groups()) {
            let shape = [self.spec.config().n_input, groups];
            let by_gene = self.spec.config().dispersion == Dispersion::Gene;
            visitor.param("px_r", if by_gene { &shape[..1] } else { &shape }, px_r)?;
        }
        self.encoder.visit("z_encoder", visitor)?;
        if let Some(library) = self.library_encoder {
            library.visit("l_encoder", visitor)?;
        }
        self.embeddings.visit(visitor)?;
        self.decoder.visit("decoder", visitor)
    }
}
