//! Zero-inflation logits of a block's genes, and where their gradient goes.

use std::ops::Range;

use super::input::Input;
use super::layer::LayerSinks;
use crate::linalg::Next;
use crate::ops::count_head::HeadDims;
use crate::ops::{Rows, Split};
use crate::padded;
use crate::real::Real;

/// A part's π.
#[allow(clippy::large_enum_variant, reason = "a box would allocate in every step")]
pub(super) enum Pi<'a, F> {
    None,
    /// of the stage before, whose gradient takes their place: `(genes, cells)`
    Kept(Rows<'a, F>),
    /// formed and done with block by block
    Formed {
        layer: LayerSinks<'a, F>,
        /// the part's share of the input's gradient
        dh: Rows<'a, F>,
    },
}

impl<F: Real> Pi<'_, F> {
    /// How much memory [`Pi::block`] wants for a block of genes.
    pub(super) fn memory(&self, block: usize, d: HeadDims) -> usize {
        match self {
            Self::None | Self::Kept(_) => 0,
            Self::Formed { .. } => block * padded(d.cells),
        }
    }

    /// Before the first block.
    pub(super) fn start(&mut self, input: Option<Input<F>>) {
        if let (Self::Formed { dh, .. }, Some(input)) = (self, input) {
            dh.data[..input.dh_len()].fill(F::ZERO);
        }
    }

    /// Runs `op` on π of some genes, and takes what it leaves in their place for the gradient. What
    /// `op` reads `next` beside π may be fetched before.
    pub(super) fn block(
        &mut self,
        genes: Range<usize>,
        input: Option<Input<F>>,
        memory: &mut [F],
        next: Next<F>,
        d: HeadDims,
        op: impl FnOnce(&mut [F]),
    ) {
        let cells = padded(d.cells);
        match (self, input) {
            (Self::None, _) => op(&mut []),
            (Self::Kept(rows), _) => op(&mut rows.data[genes.start * cells..genes.end * cells]),
            (Self::Formed { layer, dh }, Some(input)) => {
                let pi = &mut memory[..genes.len() * cells];
                layer.logits(input, genes.start, pi, next, d);
                op(pi);
                let dh = &mut dh.data[..input.dh_len()];
                layer.backward(genes.start, pi, input, dh, Next::new(), d);
            }
            (Self::Formed { .. }, None) => unreachable!("a layer has its input"),
        }
    }
}

impl<F: Real> Split for Pi<'_, F> {
    fn split(self, mid: usize) -> (Self, Self) {
        match self {
            Self::None => (Self::None, Self::None),
            Self::Kept(rows) => {
                let (a, b) = rows.split(mid);
                (Self::Kept(a), Self::Kept(b))
            }
            Self::Formed { layer, dh } => {
                let ((layer, layer2), (dh, dh2)) = (layer.split(mid), dh.split(mid));
                (Self::Formed { layer, dh }, Self::Formed { layer: layer2, dh: dh2 })
            }
        }
    }
}
