//! What the decoder says of each cell and gene.

use scvi_kernels::ops::count_head::HeadOutput;
use scvi_kernels::{Backend, Real};

use super::vae::Vae;
use super::workspace::Workspace;

impl<B: Backend> Vae<B> {
    /// px_scale ρ of the last decoded minibatch: `(cells, genes)`. Each row sums to 1, unless a
    /// size factor is used.
    pub fn px_scale(&self, ws: &Workspace<B>) -> Vec<B::Elem> {
        self.all_genes(ws, HeadOutput::Scale)
    }

    /// px_scale of the listed genes, in their order, or of all: `(cells, genes)` into `out`.
    ///
    /// # Panics
    /// If there is no such gene, or `out` is too short.
    pub fn px_scale_into(&self, ws: &Workspace<B>, genes: Option<&[u32]>, out: &mut [B::Elem]) {
        let cells = ws.inputs.n_cells;
        self.decoder.read(&self.backend, &ws.decoder, HeadOutput::Scale, genes, cells, out);
    }

    fn all_genes(&self, ws: &Workspace<B>, what: HeadOutput) -> Vec<B::Elem> {
        let cells = ws.inputs.n_cells;
        let mut out = vec![B::Elem::default(); cells * self.spec.config().n_input];
        self.decoder.read(&self.backend, &ws.decoder, what, None, cells, &mut out);
        out
    }

    /// px_rate μ = e^library ρ of the last decoded minibatch: `(cells, genes)`, in counts.
    pub fn px_rate(&self, ws: &Workspace<B>) -> Vec<B::Elem> {
        let mut rate = vec![B::Elem::default(); ws.inputs.n_cells * self.spec.config().n_input];
        self.px_rate_into(ws, None, &mut rate);
        rate
    }

    /// px_rate of the listed genes, in their order, or of all: `(cells, genes)` into `out`.
    ///
    /// # Panics
    /// As [`Vae::px_scale_into`].
    pub fn px_rate_into(&self, ws: &Workspace<B>, genes: Option<&[u32]>, out: &mut [B::Elem]) {
        self.px_scale_into(ws, genes, out);
        let n_genes = genes.map_or(self.spec.config().n_input, <[u32]>::len);
        for (row, library) in out.chunks_exact_mut(n_genes.max(1)).zip(self.log_factors(ws)) {
            let factor = library.exp();
            row.iter_mut().for_each(|v| *v *= factor);
        }
    }

    /// px_dropout π, the zero-inflation logits of the minibatch last decoded in evaluation mode:
    /// `(cells, genes)`; `None` where the likelihood has none.
    pub fn px_dropout(&self, ws: &Workspace<B>) -> Option<Vec<B::Elem>> {
        let what = HeadOutput::Dropout;
        self.decoder.has(what).then(|| self.all_genes(ws, what))
    }

    /// Inverse dispersion θ = e^px_r of the minibatch last decoded in evaluation mode (standard
    /// deviation, with the normal likelihood): `(cells, genes)`, or `(genes)` with dispersion gene;
    /// `None` where the likelihood has none.
    pub fn px_r(&self, ws: &Workspace<B>) -> Option<Vec<B::Elem>> {
        let backend = &self.backend;
        let mut px_r = match (&self.px_r, self.spec.dispersion_groups()) {
            (Some(px_r), Some(groups)) => {
                let table = px_r.read(backend, crate::nn::Slot::Value); // (genes, groups)
                match ws.inputs.groups(self.spec.config().dispersion) {
                    None => table,
                    Some(of_cell) => of_cell
                        .iter()
                        .flat_map(|&group| table[group as usize..].iter().step_by(groups).copied())
                        .collect(),
                }
            }
            _ if self.decoder.has(HeadOutput::Dispersion) => {
                self.all_genes(ws, HeadOutput::Dispersion)
            }
            _ => return None,
        };
        px_r.iter_mut().for_each(|v| *v = v.exp());
        Some(px_r)
    }

    /// Loadings of a linear decoder, the effect of each latent dimension on the logarithm of each
    /// gene's share, but for a constant a cell: `(genes, n_latent)`; `None` for other decoders.
    ///
    /// γ/√(running variance + ε) W with batch normalisation, else W, without the batches' columns.
    ///
    /// Source: scvi-tools 1.4.2, `module/_vae.py`, `LDVAE.get_loadings`; Svensson et al. 2020.
    pub fn get_loadings(&self) -> Option<Vec<B::Elem>> {
        self.decoder.loadings(&self.backend)
    }
}
