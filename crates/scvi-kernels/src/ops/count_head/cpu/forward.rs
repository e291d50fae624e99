//! First stage: logits of a block of genes, their exponentials, and the softmax's sum.

use super::CountHead;
use super::workspace::input_stride;
use crate::cpu::Cpu;
use crate::linalg::{Mat, matmul};
use crate::ops::count_head::{HeadDims, HeadParams};
use crate::ops::{Rows, in_parts};
use crate::padded;
use crate::real::Real;
use crate::simd::vectorised;

pub(crate) fn head_forward_cpu<F: Real>(
    head: &mut CountHead<F>,
    h: &[F],
    params: HeadParams<'_, Cpu<F>>,
    d: HeadDims,
) {
    let p = head.partition;
    let cells = padded(d.cells);
    let (part, block) = (p.part_genes(), p.block);
    transpose(h, &mut head.input, d);
    let input = &head.input;
    let state = (
        Rows::new(&mut head.scale[..d.genes * cells], part * cells),
        Rows::new(&mut head.block_max, p.blocks_per_part * cells),
        Rows::new(&mut head.block_sum, p.blocks_per_part * cells),
        params.dropout.map(|_| Rows::new(&mut head.pi[..d.genes * cells], part * cells)),
    );
    in_parts(p.n_parts, 1, state, &|range, (scale, max, sum, pi)| {
        let first = range.start * part;
        let sums = max.data.chunks_exact_mut(cells).zip(sum.data.chunks_exact_mut(cells));
        for ((k, rows), (max, sum)) in scale.data.chunks_mut(block * cells).enumerate().zip(sums) {
            let bias = logits(input, params.scale, first + k * block, rows, cells, d);
            vectorised(
                #[inline(always)]
                || exponentials(rows, bias, d.cells, max, sum),
            );
        }
        if let (Some(pi), Some(dropout)) = (pi, params.dropout) {
            for (k, rows) in pi.data.chunks_mut(block * cells).enumerate() {
                let bias = logits(input, dropout, first + k * block, rows, cells, d);
                vectorised(
                    #[inline(always)]
                    || add_bias(rows, bias, d.cells),
                );
            }
        }
    });
    log_sums(head, d, cells);
}

/// h transposed, once for all blocks: each product would otherwise do it for itself.
fn transpose<F: Real>(h: &[F], input: &mut [F], d: HeadDims) {
    let rows = input.chunks_exact_mut(input_stride(d.cells)).take(d.hidden);
    for (j, row) in rows.enumerate() {
        for (x, h) in row.iter_mut().zip(h.chunks_exact(d.hidden).take(d.cells)) {
            *x = h[j];
        }
    }
}

/// rows = W h of the genes from `first` on; gives their biases.
fn logits<'a, F: Real>(
    input: &[F], // (hidden, input_stride(cells))
    (w, bias): (&'a Vec<F>, &'a Vec<F>),
    first: usize,
    rows: &mut [F], // (genes of the block, cells)
    stride: usize,
    d: HeadDims,
) -> &'a [F] {
    let genes = rows.len() / stride;
    let w = Mat::new(&w[first * d.hidden..], genes, d.hidden);
    let input = Mat::strided(input, d.hidden, d.cells, input_stride(d.cells));
    matmul(w, input, rows, stride, F::ZERO);
    &bias[first..first + genes]
}

/// Adds each gene's bias, and clears the padding, which a larger minibatch may have used.
#[inline(always)]
fn add_bias<F: Real>(rows: &mut [F], bias: &[F], cells: usize) {
    for (row, &b) in rows.chunks_exact_mut(padded(cells)).zip(bias) {
        row[cells..].fill(F::ZERO);
        row.iter_mut().for_each(|v| *v += b);
    }
}

/// rows becomes exp(rows + bias - max), with max and sum over the block's genes.
#[inline(always)]
fn exponentials<F: Real>(rows: &mut [F], bias: &[F], cells: usize, max: &mut [F], sum: &mut [F]) {
    add_bias(rows, bias, cells);
    let n = max.len();
    let sum = &mut sum[..n];
    max.copy_from_slice(&rows[..n]);
    for row in rows.chunks_exact(n) {
        for i in 0..n {
            max[i] = max[i].max(row[i]);
        }
    }
    sum.fill(F::ZERO);
    for row in rows.chunks_exact_mut(n) {
        for i in 0..n {
            row[i] = (row[i] - max[i]).exp();
            sum[i] += row[i];
        }
    }
}

/// ln Σ exp over all genes, block by block in order.
fn log_sums<F: Real>(head: &mut CountHead<F>, d: HeadDims, cells: usize) {
    let blocks = d.genes.div_ceil(head.partition.block);
    for c in 0..cells {
        let at = |b: usize| b * cells + c;
        let max = (1..blocks).fold(head.block_max[c], |m, b| m.max(head.block_max[at(b)]));
        let sum: F =
            (0..blocks).map(|b| head.block_sum[at(b)] * (head.block_max[at(b)] - max).exp()).sum();
        head.log_sum[c] = max + sum.ln();
    }
}
