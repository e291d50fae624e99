//! Sparse times dense, blocked so that the rows of W in use stay in cache.

use crate::LANES;
use crate::counts::CountsBatch;
use crate::linalg::{Ahead, Next, add_weighted_rows, touch};
use crate::ops::{Rows, Sink, in_parts, scratch};
use crate::real::Real;
use crate::simd::vectorised;

/// Cells of one task at least and at most: they share a block of W. No cell's sum depends on the
/// task that it falls to, so that tasks may be as few as there are threads.
const CELLS: [usize; 2] = [16, 64];
/// Genes whose rows of W stay in the second-level cache while a task's cells use them.
const GENES: usize = 512;
/// Genes of one task of the gradient.
const GRAD_GENES: usize = 64;

pub(crate) fn sparse_linear_cpu<F: Real>(
    x: &CountsBatch<F>,
    w: &[F],
    bias: Option<&[F]>,
    y: &mut [F],
    n_out: usize,
) {
    let y = Rows::new(&mut y[..x.n_cells() * n_out], n_out);
    let [min, max] = CELLS;
    let task = x.n_cells().div_ceil(rayon::current_num_threads()).clamp(min, max);
    in_parts(x.n_cells(), task, y, &|cells, y: Rows<F>| {
        vectorised(
            #[inline(always)]
            || {
                let mut next = [0; CELLS[1]];
                for (row, (next, cell)) in
                    y.data.chunks_exact_mut(n_out).zip(next.iter_mut().zip(cells.clone()))
                {
                    match bias {
                        Some(bias) => row.copy_from_slice(&bias[..n_out]),
                        None => row.fill(F::ZERO),
                    }
                    *next = x.indptr[cell];
                }
                let mut end_gene = 0;
                for block in w[..x.n_genes * n_out].chunks(GENES * n_out) {
                    if end_gene == 0 {
                        touch(block);
                    }
                    end_gene += GENES as u32;
                    let ahead = &mut Ahead::new(Next::new().and_after(block), cells.len());
                    for (row, (next, cell)) in
                        y.data.chunks_exact_mut(n_out).zip(next.iter_mut().zip(cells.clone()))
                    {
                        let genes = &x.genes[*next..x.indptr[cell + 1]];
                        let inputs = &x.inputs[*next..x.indptr[cell + 1]];
                        let n = before(genes, end_gene);
                        let terms = genes[..n].iter().copied().zip(inputs[..n].iter().copied());
                        add_weighted_rows(row, w, terms);
                        *next += n;
                        ahead.fetch();
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
                        add_weighted_rows(row, dy, x.by_gene[at].iter().map(|c| (c.cell, c.input)));
                    }
                },
            );
            w.take(0, grad);
        });
    });
}

/// How many of the rising `genes` lie before `end`. It reads on from where a cell stands: there are
/// few before the end of a block, and a binary search would wait for one far away after another.
#[inline(always)]
fn before(genes: &[u32], end: u32) -> usize {
    let mut n = 0;
    for part in genes.chunks(LANES) {
        let here: u32 = part.iter().map(|&g| u32::from(g < end)).sum();
        n += here as usize;
        if (here as usize) < LANES {
            break;
        }
    }
    n
}
