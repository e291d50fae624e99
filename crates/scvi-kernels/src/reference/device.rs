//! Memory: plain vectors of the host.

use super::{Reference, store, wide};
use crate::backend::Device;
use crate::counts::CsrRows;
use crate::real::Real;

/// A minibatch of counts as dense matrices.
#[derive(Debug, Clone)]
pub struct DenseCounts<F> {
    pub(super) n_genes: usize,
    /// x: `(cells, genes)`
    pub(super) x: Vec<f64>,
    /// what the encoder sees, x or ln(1 + x): `(cells, genes)`
    pub(super) input: Vec<F>,
    /// ln Σ_g x: `(cells)`
    pub(super) library: Vec<F>,
}

impl<F: Real> DenseCounts<F> {
    /// Cells that were loaded.
    pub(super) fn n_cells(&self) -> usize {
        self.library.len()
    }
}

impl<F: Real> Device for Reference<F> {
    type Elem = F;
    type Buf = Vec<F>;
    type Ids = Vec<u32>;
    type Counts = DenseCounts<F>;

    fn zeros(&self, len: usize) -> Vec<F> {
        vec![F::ZERO; len]
    }

    fn upload(&self, buf: &mut Vec<F>, values: &[F]) {
        buf[..values.len()].copy_from_slice(values);
    }

    fn copy(&self, from: &Vec<F>, to: &mut Vec<F>, len: usize) {
        to[..len].copy_from_slice(&from[..len]);
    }

    fn add(&self, from: &Vec<F>, to: &mut Vec<F>, len: usize) {
        to[..len].iter_mut().zip(&from[..len]).for_each(|(to, &from)| *to += from);
    }

    fn download(&self, buf: &Vec<F>, len: usize) -> Vec<F> {
        buf[..len].to_vec()
    }

    fn sum(&self, buf: &Vec<F>, len: usize) -> f64 {
        wide(&buf[..len]).iter().sum()
    }

    fn is_finite(&self, buf: &Vec<F>, len: usize) -> bool {
        wide(&buf[..len]).iter().all(|v| v.is_finite())
    }

    fn ids(&self, len: usize) -> Vec<u32> {
        vec![0; len]
    }

    fn upload_ids(&self, ids: &mut Vec<u32>, values: &[u32]) {
        ids[..values.len()].copy_from_slice(values);
    }

    /// The matrices are made when a minibatch is loaded: their sizes are its own.
    fn counts(&self, [_, _, n_genes]: [usize; 3], _by_gene: bool) -> DenseCounts<F> {
        DenseCounts { n_genes, x: Vec::new(), input: Vec::new(), library: Vec::new() }
    }

    /// input = x, or ln(1 + x); library = ln Σ_g x.
    fn load_counts(&self, counts: &mut DenseCounts<F>, rows: &CsrRows, log_variational: bool) {
        let (cells, genes) = (rows.n_cells(), counts.n_genes);
        let mut x = vec![0.0; cells * genes];
        for cell in 0..cells {
            let (present, values) = rows.row(cell);
            for (&gene, &value) in present.iter().zip(values) {
                x[cell * genes + gene as usize] = f64::from(value);
            }
        }
        let seen = |&x: &f64| if log_variational { x.ln_1p() } else { x };
        let input: Vec<f64> = x.iter().map(seen).collect();
        let total = |cell: usize| x[cell * genes..][..genes].iter().sum::<f64>();
        let library: Vec<f64> = (0..cells).map(|cell| total(cell).ln()).collect();
        counts.input = vec![F::ZERO; cells * genes];
        counts.library = vec![F::ZERO; cells];
        store(&input, &mut counts.input);
        store(&library, &mut counts.library);
        counts.x = x;
    }

    fn library<'a>(&self, counts: &'a DenseCounts<F>) -> &'a Vec<F> {
        &counts.library
    }
}
