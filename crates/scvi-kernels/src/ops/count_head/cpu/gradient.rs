//! Third stage: gradients of the logits, of the heads' parameters and of their input.

use super::CountHead;
use super::pass::lane_sum;
use crate::cpu::Cpu;
use crate::linalg::{Mat, matmul};
use crate::ops::count_head::{HeadDims, HeadSinks};
use crate::ops::{Rows, Sink, in_parts, scratch};
use crate::padded;
use crate::real::Real;
use crate::simd::vectorised;

/// Cells of one task when the parts' input gradients are summed.
const CELLS: usize = 16;

pub(crate) fn head_grad_cpu<F: Real>(
    head: &mut CountHead<F>,
    h: &[F],
    sinks: HeadSinks<'_, Cpu<F>>,
    dh: &mut [F],
    d: HeadDims,
) {
    let p = head.partition;
    let cells = padded(d.cells);
    let part = p.part_genes();
    let input = d.cells * d.hidden;
    let sink = |(w, b)| {
        let w = Sink::new(w, d.genes * d.hidden, part * d.hidden);
        (w, Sink::new(b, d.genes, part))
    };
    let (scale, grad_sum) = (&head.scale, &head.grad_sum[..cells]);
    let state = (
        (Rows::new(&mut head.grad[..d.genes * cells], part * cells), sink(sinks.scale)),
        sinks.dropout.map(|s| (Rows::new(&mut head.pi[..d.genes * cells], part * cells), sink(s))),
        Rows::new(&mut head.part_dh, input),
    );
    in_parts(p.n_parts, 1, state, &|range, ((grad, mut scale_sink), dropout, dh)| {
        let scale = &scale[range.start * part * cells..][..grad.data.len()];
        vectorised(
            #[inline(always)]
            || softmax_grad(grad.data, scale, grad_sum),
        );
        let dh = &mut dh.data[..input];
        dh.fill(F::ZERO);
        head_part(grad.data, h, p.block, cells, &mut scale_sink, dh, d);
        if let Some((pi, mut dropout_sink)) = dropout {
            head_part(pi.data, h, p.block, cells, &mut dropout_sink, dh, d);
        }
    });
    sum_parts(&head.part_dh, p.n_parts, dh, d);
}

/// grad: dL/d ln μ in, dL/d(logit) out.
#[inline(always)]
fn softmax_grad<F: Real>(grad: &mut [F], scale: &[F], grad_sum: &[F]) {
    let n = grad_sum.len();
    for (grad, scale) in grad.chunks_exact_mut(n).zip(scale.chunks_exact(n)) {
        for i in 0..n {
            grad[i] -= scale[i] * grad_sum[i];
        }
    }
}

/// One head's share of dh, then its weights and biases, block by block.
fn head_part<F: Real>(
    d_logits: &[F], // (genes of the part, cells)
    h: &[F],
    block: usize,
    stride: usize,
    (w, b): &mut (Sink<'_, F>, Sink<'_, F>),
    dh: &mut [F],
    d: HeadDims,
) {
    scratch(block * (d.hidden + 1), |memory| {
        let (dw, db) = memory.split_at_mut(block * d.hidden);
        for (k, rows) in d_logits.chunks(block * stride).enumerate() {
            let genes = rows.len() / stride;
            let first = k * block;
            let d_block = Mat::strided(rows, genes, d.cells, stride);
            let weights = Mat::new(&w.value()[first * d.hidden..], genes, d.hidden);
            matmul(d_block.t(), weights, dh, d.hidden, F::ONE);
            matmul(d_block, Mat::new(h, d.cells, d.hidden), dw, d.hidden, F::ZERO);
            for (db, row) in db.iter_mut().zip(rows.chunks_exact(stride)) {
                *db = lane_sum(row);
            }
            w.take(first * d.hidden, &dw[..genes * d.hidden]);
            b.take(first, &db[..genes]);
        }
    });
}

/// dh = Σ over parts, in their order.
fn sum_parts<F: Real>(parts: &[F], n_parts: usize, dh: &mut [F], d: HeadDims) {
    let (cells, hidden) = (d.cells, d.hidden);
    let dh = Rows::new(&mut dh[..cells * hidden], hidden);
    in_parts(cells, CELLS, dh, &|range, dh: Rows<F>| {
        dh.data.fill(F::ZERO);
        let start = range.start * hidden;
        vectorised(
            #[inline(always)]
            || {
                for part in parts.chunks_exact(cells * hidden).take(n_parts) {
                    for (sum, &v) in dh.data.iter_mut().zip(&part[start..]) {
                        *sum += v;
                    }
                }
            },
        );
    });
}
