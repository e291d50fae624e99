//! Third stage: gradients of the logits, of the heads' parameters and of their input.

use super::CountHead;
use super::layer::LayerSinks;
use crate::cpu::Cpu;
use crate::ops::count_head::{HeadDims, HeadSinks};
use crate::ops::{Rows, in_parts, scratch};
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
    let (p, activation) = (head.partition, head.activation);
    let cells = padded(d.cells);
    let (part, block) = (p.part_genes(), p.block);
    let input = d.cells * d.hidden;
    let (scale, grad_sum) = (&head.scale, &head.grad_sum[..cells]);
    let (used, width) = (d.genes * cells, part * cells);
    let sinks_of = |sinks| LayerSinks::new(sinks, part, d);
    let state = (
        (Rows::new(&mut head.grad[..used], width), sinks_of(sinks.scale)),
        sinks.dropout.map(|s| (Rows::new(&mut head.pi[..used], width), sinks_of(s))),
        sinks.dispersion.map(|s| (Rows::new(&mut head.px_r[..used], width), sinks_of(s))),
        Rows::new(&mut head.part_dh, input),
    );
    in_parts(p.n_parts, 1, state, &|range, ((grad, mut scale_sinks), dropout, px_r, dh)| {
        let dh = &mut dh.data[..input];
        dh.fill(F::ZERO);
        let scale = &scale[range.start * width..][..grad.data.len()];
        scratch(LayerSinks::<F>::memory(block, d), |memory| {
            let blocks = grad.data.chunks_mut(block * cells).zip(scale.chunks(block * cells));
            for (k, (rows, scale)) in blocks.enumerate() {
                vectorised(
                    #[inline(always)]
                    || activation.gradient(rows, scale, grad_sum),
                );
                scale_sinks.backward(rows, k * block, h, dh, memory, d);
            }
            for (d_logits, mut sinks) in [dropout, px_r].into_iter().flatten() {
                for (k, rows) in d_logits.data.chunks(block * cells).enumerate() {
                    sinks.backward(rows, k * block, h, dh, memory, d);
                }
            }
        });
    });
    sum_parts(&head.part_dh, p.n_parts, dh, d);
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
