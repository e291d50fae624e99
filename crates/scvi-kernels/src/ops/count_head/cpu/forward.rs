//! First stage: every head's logits of a block of genes, and px_scale up to the softmax's sum.

use std::ops::Range;

use super::CountHead;
use super::activation::Activate;
use super::layer::Layer;
use super::workspace::input_stride;
use crate::cpu::Cpu;
use crate::linalg::Mat;
use crate::ops::count_head::{HeadDims, HeadParams};
use crate::ops::{Rows, in_parts};
use crate::real::Real;
use crate::simd::vectorised;
use crate::{LANES, padded};

/// Hidden units of one task when the input is transposed.
const UNITS: usize = 32;

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
    transpose(h, &mut head.input, d);
    let input = Mat::strided(&head.input, d.hidden, d.cells, input_stride(d.cells));
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

/// h transposed, once for all blocks: each product would otherwise do it for itself.
fn transpose<F: Real>(h: &[F], input: &mut [F], d: HeadDims) {
    let stride = input_stride(d.cells);
    let rows = Rows::new(&mut input[..d.hidden * stride], stride);
    in_parts(d.hidden, UNITS, rows, &|units, rows: Rows<F>| {
        vectorised(
            #[inline(always)]
            || {
                for (k, cells) in h[..d.cells * d.hidden].chunks(LANES * d.hidden).enumerate() {
                    transpose_some(cells, units.clone(), k * LANES, rows.data, [d.hidden, stride]);
                }
            },
        );
    });
}

/// Some units of at most [`LANES`] cells, which go to columns from `at` on.
#[inline(always)]
fn transpose_some<F: Real>(
    cells: &[F],
    units: Range<usize>,
    at: usize,
    rows: &mut [F],
    [hidden, stride]: [usize; 2],
) {
    // Copied once more, the cells lie where neither bounds nor cache lines stand in the way.
    let mut tile = [[F::ZERO; UNITS]; LANES];
    for (tile, cell) in tile.iter_mut().zip(cells.chunks_exact(hidden)) {
        tile[..units.len()].copy_from_slice(&cell[units.clone()]);
    }
    let n_cells = cells.len() / hidden;
    for (j, row) in rows.chunks_exact_mut(stride).enumerate().take(UNITS) {
        let column: [F; LANES] = std::array::from_fn(|i| tile[i][j]);
        row[at..at + n_cells].copy_from_slice(&column[..n_cells]);
    }
}
