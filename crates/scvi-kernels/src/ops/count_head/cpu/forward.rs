//! First stage: every head's logits of a block of genes, and px_scale up to the softmax's sum.

use super::CountHead;
use super::activation::Activate;
use super::layer::Layer;
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
    head.has_dh = false;
    let cells = padded(d.cells);
    let (part, block) = (p.part_genes(), p.block);
    let training = !head.grad.is_empty();
    head.input.set(h, d, training);
    let input = head.input.view(h, d);
    let (scale_layer, scale) = Layer::new(params.scale, &mut head.scale, part, d);
    let (dropout_layer, pi) =
        params.dropout.map(|layer| Layer::new(layer, &mut head.pi, part, d)).unzip();
    let (px_r_layer, px_r) =
        params.dispersion.map(|layer| Layer::new(layer, &mut head.px_r, part, d)).unzip();
    let state = (
        scale,
        Rows::new(&mut head.block_max, p.blocks_per_part * cells),
        Rows::new(&mut head.block_sum, p.blocks_per_part * cells),
        (pi, px_r),
    );
    in_parts(p.n_parts, 1, state, &|range, (scale, max, sum, (pi, px_r))| {
        let first = range.start * part;
        let scale_of = Activate { activation, max: max.data, sum: sum.data, cells };
        scale_layer.forward(input, first, block, scale, d, scale_of);
        for (layer, logits) in [(dropout_layer, pi), (px_r_layer, px_r)] {
            if let (Some(layer), Some(logits)) = (layer, logits) {
                layer.forward(input, first, block, logits, d, ());
            }
        }
    });
    let blocks = ..d.genes.div_ceil(block) * cells;
    let (max, sum) = (&head.block_max[blocks], &head.block_sum[blocks]);
    activation.log_sums(max, sum, &mut head.log_sum[..cells]);
}
