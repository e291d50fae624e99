//! First stage: every head's logits of a block of genes, and px_scale up to the softmax's sum.

use super::CountHead;
use super::layer::Layer;
use super::workspace::input_stride;
use crate::cpu::Cpu;
use crate::ops::count_head::{HeadDims, HeadParams};
use crate::ops::{Rows, in_parts};
use crate::padded;
use crate::real::Real;

pub(crate) fn head_forward_cpu<F: Real>(
    head: &mut CountHead<F>,
    h: &[F],
    params: HeadParams<'_, Cpu<F>>,
    d: HeadDims,
) {
    let (p, activation) = (head.partition, head.activation);
    let cells = padded(d.cells);
    let (part, block) = (p.part_genes(), p.block);
    transpose(h, &mut head.input, d);
    let input = &head.input;
    let scale_layer = Layer::new(params.scale);
    let [dropout_layer, px_r_layer] =
        [params.dropout, params.dispersion].map(|l| l.map(Layer::new));
    let (used, width) = (d.genes * cells, part * cells);
    let state = (
        Rows::new(&mut head.scale[..used], width),
        Rows::new(&mut head.block_max, p.blocks_per_part * cells),
        Rows::new(&mut head.block_sum, p.blocks_per_part * cells),
        (
            dropout_layer.map(|_| Rows::new(&mut head.pi[..used], width)),
            px_r_layer.map(|_| Rows::new(&mut head.px_r[..used], width)),
        ),
    );
    in_parts(p.n_parts, 1, state, &|range, (scale, max, sum, (pi, px_r))| {
        let first = range.start * part;
        let sums = max.data.chunks_exact_mut(cells).zip(sum.data.chunks_exact_mut(cells));
        for ((k, rows), (max, sum)) in scale.data.chunks_mut(block * cells).enumerate().zip(sums) {
            scale_layer.logits(
                input,
                first + k * block,
                rows,
                d,
                #[inline(always)]
                |rows| activation.activate(rows, max, sum),
            );
        }
        for (rows, layer) in [(pi, dropout_layer), (px_r, px_r_layer)] {
            let (Some(rows), Some(layer)) = (rows, layer) else { continue };
            for (k, rows) in rows.data.chunks_mut(block * cells).enumerate() {
                layer.logits(input, first + k * block, rows, d, |_| {});
            }
        }
    });
    let blocks = ..d.genes.div_ceil(block) * cells;
    let (max, sum) = (&head.block_max[blocks], &head.block_sum[blocks]);
    activation.log_sums(max, sum, &mut head.log_sum[..cells]);
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
