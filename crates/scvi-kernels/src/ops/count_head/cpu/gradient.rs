//! Third stage: gradients of the logits, of the heads' parameters and of their input.

use super::CountHead;
use super::cell_rows::share_factors;
use super::layer::LayerSinks;
use crate::cpu::Cpu;
use crate::linalg::Next;
use crate::ops::count_head::{HeadDims, HeadSinks};
use crate::ops::{Rows, in_parts, scratch};
use crate::padded;
use crate::real::Real;
use crate::simd::vectorised;

pub(crate) fn head_grad_cpu<F: Real>(
    head: &mut CountHead<F>,
    h: &[F],
    sinks: HeadSinks<'_, Cpu<F>>,
    dh: &mut [F],
    d: HeadDims,
) {
    let CountHead { partition: p, activation, has_dh, .. } = *head;
    let cells = padded(d.cells);
    let (part, block) = (p.part_genes(), p.block);
    let CountHead {
        input: kept, scale, grad, block_max, log_sum, grad_sum, pi, px_r, part_dh, ..
    } = head;
    let input = kept.view(h, d);
    let len = input.dh_len();
    let (log_sum, grad_sum) = (&log_sum[..cells], &grad_sum[..cells]);
    let rows = |rows| Rows::new(rows, part * cells);
    let state = (
        LayerSinks::new(sinks.scale, part, d),
        sinks.dropout.map(|s| (LayerSinks::new(s, part, d), rows(&mut pi[..d.genes * cells]))),
        sinks.dispersion.map(|s| (LayerSinks::new(s, part, d), rows(&mut px_r[..d.genes * cells]))),
        Rows::new(&mut part_dh[..], len),
    );
    in_parts(p.n_parts, 1, state, &|range, (mut scale_sinks, mut dropout, mut px_r, dh)| {
        let dh = &mut dh.data[..len];
        if !has_dh {
            dh.fill(F::ZERO);
        }
        let first = range.start * part;
        let genes = part.min(d.genes - first);
        scratch((block + 1) * cells, |memory| {
            let (sum, rows) = memory.split_at_mut(cells);
            for local in (0..genes).step_by(block) {
                let at = (first + local) * cells..(first + genes.min(local + block)) * cells;
                let rows = &mut rows[..at.len()];
                let max = &block_max[(first + local) / block * cells..][..cells];
                vectorised(
                    #[inline(always)]
                    || {
                        share_factors(max, log_sum, sum);
                        sum.iter_mut().zip(grad_sum).for_each(|(sum, &of)| *sum *= of);
                        let kept = grad[at.clone()].chunks_exact(cells);
                        let kept = kept.zip(scale[at.clone()].chunks_exact(cells));
                        for (row, (grad, scale)) in rows.chunks_exact_mut(cells).zip(kept) {
                            activation.gradient(grad, scale, sum, row);
                        }
                    },
                );
                let next = Next::new().and_after(&grad[at.clone()]).and_after(&scale[at.clone()]);
                scale_sinks.backward(local, rows, input, dh, next, d);
                for (sinks, rows) in [&mut dropout, &mut px_r].into_iter().flatten() {
                    let rows = &mut rows.data[local * cells..][..at.len()];
                    sinks.backward(local, rows, input, dh, Next::new(), d);
                }
            }
        });
    });
    input.finish(&part_dh[..p.n_parts * len], dh);
}
