//! A model's tensors by scvi-tools' names, out and in.

use scvi_kernels::Backend;

use super::options::Dispersion;
use super::vae::Vae;
use crate::nn::{Slot, StateDict, StateError, StateExport, StateImport, StateVisitor};

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
        let backend = self.backend.clone();
        let mut import = StateImport { backend: &backend, state };
        self.visit(&mut import)?;
        match import.state.into_keys().next() {
            Some(name) => Err(StateError::Unknown { name }),
            None => Ok(()),
        }
    }

    fn export(&mut self, slot: Slot) -> StateDict<B::Elem> {
        let backend = self.backend.clone();
        let mut export = StateExport { backend: &backend, slot, state: StateDict::new() };
        self.visit(&mut export).expect("an export refuses nothing");
        export.state
    }

    fn visit(&mut self, visitor: &mut impl StateVisitor<B>) -> Result<(), StateError> {
        if let (Some(px_r), Some(groups)) = (&mut self.px_r, self.spec.dispersion_groups()) {
            let shape = [self.spec.config().n_input, groups];
            let by_gene = self.spec.config().dispersion == Dispersion::Gene;
            visitor.param("px_r", if by_gene { &shape[..1] } else { &shape }, px_r)?;
        }
        self.encoder.visit("z_encoder", visitor)?;
        if let Some(library) = &mut self.library_encoder {
            library.visit("l_encoder", visitor)?;
        }
        self.embeddings.visit(visitor)?;
        self.decoder.visit("decoder", visitor)
    }
}
