//! A few numbers per cell: one thread.

use super::{EmbeddingDims, EmbeddingGrad, MaxNorm};
use crate::ops::{Sink, scratch};
use crate::real::Real;

pub(crate) fn embedding_renorm_cpu<F: Real>(
    table: &mut [F],
    ids: &[u32],
    d: EmbeddingDims,
    bound: MaxNorm,
) {
    scratch(d.rows, |seen| {
        seen.fill(F::ZERO);
        for &id in &ids[..d.cells] {
            let id = id as usize;
            if seen[id] == F::ZERO {
                seen[id] = F::ONE;
                renorm(&mut table[id * d.dim..][..d.dim], bound);
            }
        }
    });
}

fn renorm<F: Real>(row: &mut [F], MaxNorm { max_norm, norm_type }: MaxNorm) {
    let sizes = row.iter().map(|v| v.to_f64().abs());
    let norm = if norm_type.is_infinite() {
        sizes.fold(0.0, f64::max)
    } else {
        sizes.map(|v| v.powf(norm_type)).sum::<f64>().powf(1.0 / norm_type)
    };
    if norm > max_norm {
        let factor = F::of(max_norm / (norm + 1e-7));
        row.iter_mut().for_each(|v| *v *= factor);
    }
}

pub(crate) fn embedding_cpu<F: Real>(ids: &[u32], table: &[F], out: &mut [F], d: EmbeddingDims) {
    for (row, &id) in out.chunks_exact_mut(d.dim).zip(&ids[..d.cells]) {
        row.copy_from_slice(&table[id as usize * d.dim..][..d.dim]);
    }
}

pub(crate) fn embedding_grad_cpu<F: Real>(
    ids: &[u32],
    d_out: &[F],
    d: EmbeddingDims,
    rule: EmbeddingGrad,
    mut table: Sink<'_, F>,
) {
    scratch(d.rows * (d.dim + 1), |memory| {
        memory.fill(F::ZERO);
        let (grad, cells_of) = memory.split_at_mut(d.rows * d.dim);
        for (&id, d_row) in ids[..d.cells].iter().zip(d_out.chunks_exact(d.dim)) {
            if rule.padding_idx == Some(id) {
                continue;
            }
            let id = id as usize;
            cells_of[id] += F::ONE;
            for (g, &v) in grad[id * d.dim..][..d.dim].iter_mut().zip(d_row) {
                *g += v;
            }
        }
        if rule.scale_grad_by_freq {
            for (row, &n) in grad.chunks_exact_mut(d.dim).zip(&*cells_of) {
                row.iter_mut().for_each(|g| *g = *g / n.max(F::ONE));
            }
        }
        table.take(0, grad);
    });
}
