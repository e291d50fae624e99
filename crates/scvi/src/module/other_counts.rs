//! The likelihood of counts that are not the cells' own.

use scvi_kernels::{Backend, CsrRows};

use super::spec::Library;
use super::vae::Vae;
use super::workspace::Workspace;

impl<B: Backend> Vae<B> {
    /// -ln p(x | μ = e^library ρ, θ, π) of other counts x at what was decoded last, in nats:
    /// `(cells)`.
    ///
    /// `counts` and `log_library` have a row and a number for each cell of the minibatch, and take
    /// the place of its own; what was decoded stays, so that one decoding serves any number of
    /// counts. The library is also taken where the model has size factors.
    ///
    /// # Panics
    /// If the lists do not fit the minibatch in `ws`.
    pub fn likelihood_of(
        &self,
        ws: &mut Workspace<B>,
        counts: &CsrRows,
        log_library: &[B::Elem],
    ) -> Vec<B::Elem> {
        let n = ws.n_cells();
        assert_eq!(log_library.len(), n, "one library a cell");
        ws.inputs.replace_counts(&self.backend, counts);
        match self.spec.library() {
            Library::SizeFactor => self.backend.upload(&mut ws.inputs.size_factor, log_library),
            Library::Observed | Library::Latent { .. } => {
                self.backend.upload(&mut ws.given_library, log_library);
                ws.library_is_given = true;
            }
        }
        self.evaluate(ws);
        self.backend.download(&ws.decoder.nll, n)
    }
}
