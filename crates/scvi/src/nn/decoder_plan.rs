//! What a decoder is made from.

use scvi_kernels::Backend;
use scvi_kernels::ops::one_hot::OneHotBeside;

use super::{FcPlan, HeadsPlan, Pass};

/// What a decoder is made from: computed once from the specification.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DecoderPlan {
    /// What stands between z and the heads.
    pub(crate) body: BodyPlan,
    /// The maps over genes.
    pub(crate) heads: HeadsPlan,
}

/// What stands between z and the heads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum BodyPlan {
    /// Hidden layers.
    Layers(FcPlan),
    /// Nothing: the heads read z and the one-hot categories beside each other.
    Linear(LinearInput),
}

impl DecoderPlan {
    /// Numbers that weights and biases hold together.
    pub(crate) fn n_parameters(&self) -> u128 {
        let hidden = match &self.body {
            BodyPlan::Layers(fc) => fc.n_parameters(),
            BodyPlan::Linear(_) => 0,
        };
        hidden + self.heads.n_parameters()
    }
}

/// Sizes of z with one-hot categories beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinearInput {
    /// Width of z.
    pub(crate) n_latent: usize,
    /// One-hot columns of all categorical covariates together.
    pub(crate) n_columns: usize,
    /// How many of those columns are 1 in a cell.
    pub(crate) per_cell: usize,
}

impl LinearInput {
    /// h = [z, one-hot categories].
    pub(super) fn join<B: Backend>(self, pass: Pass<B>, z: &B::Buf, h: &mut B::Buf) {
        let dims = OneHotBeside {
            cells: pass.cells,
            n_in: self.n_latent,
            per_cell: self.per_cell,
            n_columns: self.n_columns,
        };
        pass.backend.one_hot_beside(z, &pass.covariates.columns, h, dims);
    }
}
