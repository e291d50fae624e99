//! Modules that take queries.

use scvi_kernels::{Backend, Real};

use super::freeze::Freeze;
use crate::module::{ConfigError, Scanvae, Vae, VaeSpec};
use crate::nn::{StateDict, StateError, TrainableEntries};

/// A module that queries are mapped onto: a [`Vae`] that grows, and what is beside it, which does
/// not.
pub trait Mappable: Sized {
    /// The numbers.
    type Elem: Real;
    /// The device.
    type Backend: Backend<Elem = Self::Elem> + Clone;

    /// What grows.
    fn vae(&self) -> &Vae<Self::Backend>;

    /// A new module as this one, but for its Vae, as it is trained on a query.
    ///
    /// # Errors
    /// [`ConfigError`] where there is no such module.
    fn with_vae(&self, vae: VaeSpec, freeze: &Freeze, seed: u64) -> Result<Self, ConfigError>;

    /// Every parameter and running moment.
    fn state_dict(&self) -> StateDict<Self::Elem>;

    /// Replaces them.
    ///
    /// # Errors
    /// [`StateError`] where the tensors are not the module's.
    fn load_state_dict(&mut self, state: StateDict<Self::Elem>) -> Result<(), StateError>;

    /// From now on training moves what `rule` says of each tensor.
    fn set_trained(&mut self, rule: &dyn Fn(&str, &[usize]) -> TrainableEntries);
}

impl<B: Backend + Clone> Mappable for Vae<B> {
    type Elem = B::Elem;
    type Backend = B;

    fn vae(&self) -> &Self {
        self
    }

    fn with_vae(&self, vae: VaeSpec, _freeze: &Freeze, seed: u64) -> Result<Self, ConfigError> {
        Ok(Self::new(self.backend().clone(), vae, seed))
    }

    fn state_dict(&self) -> StateDict<B::Elem> {
        self.state_dict()
    }

    fn load_state_dict(&mut self, state: StateDict<B::Elem>) -> Result<(), StateError> {
        self.load_state_dict(state)
    }

    fn set_trained(&mut self, rule: &dyn Fn(&str, &[usize]) -> TrainableEntries) {
        self.set_trained(rule);
    }
}

impl<B: Backend + Clone> Mappable for Scanvae<B> {
    type Elem = B::Elem;
    type Backend = B;

    fn vae(&self) -> &Vae<B> {
        self.vae()
    }

    fn with_vae(&self, vae: VaeSpec, freeze: &Freeze, seed: u64) -> Result<Self, ConfigError> {
        let spec = freeze.scanvae_trained_with(self.spec(), vae)?;
        Ok(Self::new(self.backend().clone(), spec, seed))
    }

    fn state_dict(&self) -> StateDict<B::Elem> {
        self.state_dict()
    }

    fn load_state_dict(&mut self, state: StateDict<B::Elem>) -> Result<(), StateError> {
        self.load_state_dict(state)
    }

    fn set_trained(&mut self, rule: &dyn Fn(&str, &[usize]) -> TrainableEntries) {
        self.set_trained(rule);
    }
}
