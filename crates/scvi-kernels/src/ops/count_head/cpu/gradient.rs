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
    let state = (
        LayerSinks::new(sinks.scale, &mut head.grad, part, d),
        sinks.dropout.map(|s| LayerSinks::new(s, &mut head.pi, part, d)),
        sinks.dispersion.map(|s| LayerSinks::new(s, &mut head.px_r, part, d)),
        Rows::new(&mut head.part_dh, input),
    );
    in_parts(p.n_parts, 1, state, &|range, (scale_sinks, dropout, px_r, dh)| {
        let dh = &mut dh.data[..input];
        dh.fill(F::ZERO);
        let scale = &scale[range.start * part * cells..];
        scratch(LayerSinks::<F>::memory(block, d), |memory| {
            scale_sinks.backward(
                h,
                dh,
                memory,
                block,
                d,
                #[inline(always)]
                |k, rows| {
                    let scale = &scale[k * block * cells..][..rows.len()];
                    activation.gradient(rows, scale, grad_sum);
                },
            );
            for sinks in [dropout, px_r].into_iter().flatten() {
                sinks.backward(h, dh, memory, block, d, |_, _| {});
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
