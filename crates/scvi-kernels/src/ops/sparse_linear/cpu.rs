//! Sparse times dense, blocked so that the rows of W in use stay in cache.

use crate::counts::CountsBatch;
use crate::ops::{Rows, Sink, in_parts, scratch};
use crate::real::Real;
use crate::simd::vectorised;

/// Cells of one task: they share a block of W.
const CELLS: usize = 16;
/// Genes whose rows of W stay in the second-level cache while a task's cells use them.
const GENES: u32 = 1024;
/// Genes of one task of the gradient.
const GRAD_GENES: usize = 64;

pub(crate) fn sparse_linear_cpu<F: Real>(
    x: &CountsBatch<F>,
    w: &[F],
    bias: &[F],
    y: &mut [F],
    n_out: usize,
) {
    let y = Rows::new(&mut y[..x.n_cells() * n_out], n_out);
    in_parts(x.n_cells(), CELLS, y, &|cells, y: Rows<F>| {
        vectorised(
            #[inline(always)]
            || {
                let mut next = [0; CELLS];
                for (row, (next, cell)) in
                    y.data.chunks_exact_mut(n_out).zip(next.iter_mut().zip(cells.clone()))
                {
                    row.copy_from_slice(&bias[..n_out]);
                    *next = x.indptr[cell];
                }
                let mut end_gene = 0;
                while (end_gene as usize) < x.n_genes {
                    end_gene += GENES;
                    for (row, (next, cell)) in
                        y.data.chunks_exact_mut(n_out).zip(next.iter_mut().zip(cells.clone()))
                    {
                        let genes = &x.genes[*next..x.indptr[cell + 1]];
                        let inputs = &x.inputs[*next..x.indptr[cell + 1]];
                        let n = genes.partition_point(|&g| g < end_gene);
                        add_weighted_rows(row, w, &genes[..n], &inputs[..n]);
                        *next += n;
                    }
                }
            },
        );
    });
}

pub(crate) fn sparse_linear_grad_cpu<F: Real>(
    x: &CountsBatch<F>,
    dy: &[F],
    n_out: usize,
    w: Sink<'_, F>,
) {
    in_parts(x.n_genes, GRAD_GENES, w, &|genes, mut w: Sink<F>| {
        scratch(genes.len() * n_out, |grad| {
            grad.fill(F::ZERO);
            vectorised(
                #[inline(always)]
                || {
                    for (row, gene) in grad.chunks_exact_mut(n_out).zip(genes.clone()) {
                        let at = x.gene_ptr[gene]..x.gene_ptr[gene + 1];
                        add_weighted_rows(row, dy, &x.cells[at.clone()], &x.inputs_by_gene[at]);
                    }
                },
            );
            w.take(0, grad);
        });
    });
}

/// row += Σ_k weights[k] * table[indices[k]], four rows of the table at a time.
#[inline(always)]
fn add_weighted_rows<F: Real>(row: &mut [F], table: &[F], indices: &[u32], weights: &[F]) {
    let n = row.len();
    let at = |i: u32| &table[i as usize * n..][..n];
    let (fours, rest) = indices.as_chunks::<4>();
    let (fours_w, rest_w) = weights.as_chunks::<4>();
    for (i, w) in fours.iter().zip(fours_w) {
        let (a, b, c, d) = (at(i[0]), at(i[1]), at(i[2]), at(i[3]));
        for j in 0..n {
            let low = w[0].mul_add(a[j], row[j]);
            let low = w[1].mul_add(b[j], low);
            let high = w[2].mul_add(c[j], w[3] * d[j]);
            row[j] = low + high;
        }
    }
    for (&i, &w) in rest.iter().zip(rest_w) {
        for (r, &t) in row.iter_mut().zip(at(i)) {
            *r = w.mul_add(t, *r);
        }
    }
}
