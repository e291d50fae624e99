//! Everything a step computes of its minibatches, in buffers made once.

use scvi_kernels::Backend;

use super::Scanvae;
use super::inputs::ScanvaeInputs;
use super::labelled::Labelled;
use super::second_level::SecondLevelActivations;
use super::spec::ScanvaeSpec;
use crate::module::Workspace;
use crate::nn::ClassifierActivations;

/// Device buffers for minibatches of up to so many cells.
pub struct ScanvaeWorkspace<B: Backend> {
    pub(super) vae: Workspace<B>,
    pub(super) labels: LabelTerms<B>,
    pub(super) labelled: Labelled<B>,
}

/// What trying every label adds to a minibatch of the Vae.
pub(super) struct LabelTerms<B: Backend> {
    pub(super) second_level: SecondLevelActivations<B>,
    pub(super) classifier: ClassifierActivations<B>,
    /// w: `(cells, labels)`.
    pub(super) probabilities: B::Buf,
    /// ln q(z1|x): `(cells)`.
    pub(super) log_q: B::Buf,
    /// Its gradients by the posterior's mean and variance: `(cells, n_latent)`.
    pub(super) d_mean: B::Buf,
    pub(super) d_var: B::Buf,
    /// All divergences but that of the library: `(cells)`.
    pub(super) kl_local: B::Buf,
}

impl<B: Backend> LabelTerms<B> {
    pub(super) fn new(backend: &B, spec: &ScanvaeSpec, max_cells: usize) -> Self {
        let zeros = |width| backend.zeros(max_cells * width);
        let n_latent = spec.config().vae.n_latent;
        Self {
            second_level: SecondLevelActivations::new(backend, spec, max_cells),
            classifier: ClassifierActivations::new(backend, &spec.classifier_plan(), max_cells),
            probabilities: zeros(spec.n_labels()),
            log_q: zeros(1),
            d_mean: zeros(n_latent),
            d_var: zeros(n_latent),
            kl_local: zeros(1),
        }
    }
}

impl<B: Backend> Scanvae<B> {
    /// Buffers for minibatches of up to so many cells and nonzero counts: all cells', then those of
    /// labelled cells.
    pub fn workspace(&self, full: [usize; 2], labelled: [usize; 2]) -> ScanvaeWorkspace<B> {
        let (backend, spec) = (self.backend(), &self.spec);
        let [max_cells, max_nnz] = full;
        ScanvaeWorkspace {
            vae: self.vae.workspace(max_cells, max_nnz, true),
            labels: LabelTerms::new(backend, spec, max_cells),
            labelled: Labelled::new(backend, spec, self.labelled_inputs(labelled)),
        }
    }
}

impl<B: Backend> ScanvaeWorkspace<B> {
    /// The part that belongs to the Vae.
    pub fn vae(&self) -> &Workspace<B> {
        &self.vae
    }

    /// Makes minibatches that were loaded elsewhere those at hand, and gives back the others.
    pub fn swap_inputs(&mut self, inputs: &mut ScanvaeInputs<B>) {
        self.vae.swap_inputs(&mut inputs.full);
        std::mem::swap(&mut self.labelled.inputs, &mut inputs.labelled);
    }
}
