//! A model's tensors by scvi-tools' names, out and in.

use scvi_kernels::Backend;

use super::options::Dispersion;
use super::spec::VaeSpec;
use super::vae::Vae;
use crate::nn::{
    Decoder, Embeddings, Encoder, Param, Slot, StateDict, StateError, StateExport, StateImport,
    StateVisitor,
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
        let (backend, parts) = self.parts();
        let mut import = StateImport { backend, state };
        parts.visit(&mut import)?;
        match import.state.into_keys().next() {
            Some(name) => Err(StateError::Unknown { name }),
            None => Ok(()),
        }
    }

    fn export(&mut self, slot: Slot) -> StateDict<B::Elem> {
        let (backend, parts) = self.parts();
        let mut export = StateExport { backend, slot, state: StateDict::new() };
        parts.visit(&mut export).expect("an export refuses nothing");
        export.state
    }

    /// The device, and everything that has tensors on it.
    fn parts(&mut self) -> (&B, Parts<'_, B>) {
        let Self { backend, spec, encoder, library_encoder, embeddings, decoder, px_r, .. } = self;
        (backend, Parts { spec, encoder, library_encoder, embeddings, decoder, px_r })
    }
}

/// What a model's tensors belong to.
struct Parts<'a, B: Backend> {
    spec: &'a VaeSpec,
    encoder: &'a mut Encoder<B>,
    library_encoder: &'a mut Option<Encoder<B>>,
    embeddings: &'a mut Embeddings<B>,
    decoder: &'a mut Decoder<B>,
    px_r: &'a mut Option<Param<B>>,
}

impl<B: Backend> Parts<'_, B> {
    fn visit(self, visitor: &mut impl StateVisitor<B>) -> Result<(), StateError> {
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
