//! What the heads gave, as rows of cells.

use super::CountHead;
use crate::ops::count_head::{HeadDims, HeadOutput};
use crate::ops::{Rows, in_parts};
use crate::real::Real;
use crate::simd::vectorised;
use crate::{LANES, padded};

/// A number per cell and gene of the listed genes, or of all: `(cells, genes)`.
///
/// px_scale is divided by the softmax's sum on the way.
pub(crate) fn head_read_cpu<F: Real>(
    head: &CountHead<F>,
    what: HeadOutput,
    genes: Option<&[u32]>,
    d: HeadDims,
    out: &mut [F],
) {
    let by_gene = match what {
        HeadOutput::Scale => &head.scale,
        HeadOutput::Dropout => &head.pi,
        HeadOutput::Dispersion => &head.px_r,
    };
    let n_genes = genes.map_or(d.genes, <[u32]>::len);
    let stride = padded(d.cells);
    let rows = Rows::new(&mut out[..d.cells * n_genes], LANES * n_genes);
    in_parts(d.cells.div_ceil(LANES), 1, rows, &|range, rows| {
        let first = range.start * LANES;
        vectorised(
            #[inline(always)]
            || {
                let mut factors = ([F::ONE; LANES], None);
                for i in 0..n_genes {
                    let gene = genes.map_or(i, |genes| genes[i] as usize);
                    let block = gene / head.partition.block;
                    if what == HeadOutput::Scale && factors.1 != Some(block) {
                        factors = (head.factors(block * stride + first, first), Some(block));
                    }
                    let values = &by_gene[gene * stride + first..][..LANES];
                    let places = rows.data.iter_mut().skip(i).step_by(n_genes);
                    let values = values.iter().zip(&factors.0).map(|(&v, &factor)| v * factor);
                    places.zip(values).for_each(|(place, value)| *place = value);
                }
            },
        );
    });
}

impl<F: Real> CountHead<F> {
    /// What turns a block's exponentials into shares, of the cells from `first` on; `at` is where
    /// their maxima of the block stand.
    #[inline(always)]
    fn factors(&self, at: usize, first: usize) -> [F; LANES] {
        std::array::from_fn(|lane| (self.block_max[at + lane] - self.log_sum[first + lane]).exp())
    }
}
