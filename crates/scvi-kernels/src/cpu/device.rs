//! Memory of the processor is the host's.

use super::Cpu;
use crate::aligned::{Aligned, aligned};
use crate::backend::Device;
use crate::counts::{CountsBatch, CsrRows};
use crate::real::Real;
use crate::simd::vectorised;

impl<F: Real> Device for Cpu<F> {
    type Elem = F;
    type Buf = Aligned<F>;
    type Ids = Vec<u32>;
    type Counts = CountsBatch<F>;

    fn zeros(&self, len: usize) -> Aligned<F> {
        aligned(len)
    }

    fn upload(&self, buf: &mut Aligned<F>, values: &[F]) {
        buf[..values.len()].copy_from_slice(values);
    }

    fn copy(&self, from: &Aligned<F>, to: &mut Aligned<F>, len: usize) {
        to[..len].copy_from_slice(&from[..len]);
    }

    fn add(&self, from: &Aligned<F>, to: &mut Aligned<F>, len: usize) {
        to[..len].iter_mut().zip(&from[..len]).for_each(|(to, &from)| *to += from);
    }

    fn download(&self, buf: &Aligned<F>, len: usize) -> Vec<F> {
        buf[..len].to_vec()
    }

    fn sum(&self, buf: &Aligned<F>, len: usize) -> f64 {
        buf[..len].iter().map(|v| v.to_f64()).sum()
    }

    fn is_finite(&self, buf: &Aligned<F>, len: usize) -> bool {
        // Without a way out in the middle the loop vectorises. Infinity times 0 is NaN.
        let all = |part: &[F]| part.iter().fold(true, |ok, &v| ok & (v * F::ZERO == F::ZERO));
        vectorised(
            #[inline(always)]
            || all(&buf[..len]),
        )
    }

    fn ids(&self, len: usize) -> Vec<u32> {
        vec![0; len]
    }

    fn upload_ids(&self, ids: &mut Vec<u32>, values: &[u32]) {
        ids[..values.len()].copy_from_slice(values);
    }

    fn counts(&self, dims: [usize; 3], by_gene: bool) -> CountsBatch<F> {
        let [max_cells, max_nnz, n_genes] = dims;
        CountsBatch::new(max_cells, max_nnz, n_genes, by_gene)
    }

    fn load_counts(&self, counts: &mut CountsBatch<F>, rows: &CsrRows, log_variational: bool) {
        counts.load(rows, log_variational);
    }

    fn library<'a>(&self, counts: &'a CountsBatch<F>) -> &'a Aligned<F> {
        &counts.library
    }
}
