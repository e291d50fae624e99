//! The maps from the decoder's hidden layer, or from z itself, to a number per gene and cell.

use scvi_kernels::Backend;
use scvi_kernels::ops::count_head::{
    HeadLayer, HeadLayerSinks, HeadParams, HeadPlan, HeadSinks, ScaleActivation,
};

use super::state::{StateError, StateVisitor};
use super::{BatchNorm, Init, Param, Update};

/// Which heads there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeadsPlan {
    /// Genes.
    pub(crate) genes: usize,
    /// Width of what they read.
    pub(crate) n_in: usize,
    /// Whether there are zero-inflation logits.
    pub(crate) zero_inflated: bool,
    /// Whether the dispersion is a head's, too.
    pub(crate) px_r: bool,
    /// Whether px_scale is a softplus instead of a softmax.
    pub(crate) softplus: bool,
    /// Whether they have a bias.
    pub(crate) bias: bool,
    /// Whether they are batch-normalised.
    pub(crate) batch_norm: bool,
}

impl HeadsPlan {
    /// Numbers that weights and biases hold together.
    pub(crate) fn n_parameters(&self) -> u128 {
        let heads = 1 + u128::from(self.zero_inflated) + u128::from(self.px_r);
        let fixed = u128::from(self.bias) + if self.batch_norm { 2 } else { 0 };
        heads * self.genes as u128 * (self.n_in as u128 + fixed)
    }
}

/// One head.
struct Head<B: Backend> {
    weight: Param<B>,       // (genes, n_in)
    bias: Option<Param<B>>, // (genes)
    batch_norm: Option<BatchNorm<B>>,
}

/// All heads.
pub(super) struct Heads<B: Backend> {
    scale: Head<B>,
    dropout: Option<Head<B>>,
    px_r: Option<Head<B>>,
    pub(super) plan: HeadsPlan,
}

impl<B: Backend> Head<B> {
    fn new(backend: &B, plan: &HeadsPlan, init: &mut Init) -> Self {
        let mut linear = |len| Param::new(backend, &init.linear(len, plan.n_in));
        Self {
            weight: linear(plan.genes * plan.n_in),
            bias: plan.bias.then(|| linear(plan.genes)),
            batch_norm: plan.batch_norm.then(|| BatchNorm::new(backend, plan.genes)),
        }
    }

    fn layer(&self) -> HeadLayer<'_, B> {
        HeadLayer { weight: &self.weight.value, bias: self.bias.as_ref().map(|b| &b.value) }
    }

    fn sinks(&mut self, backend: &B, update: Update<B::Elem>) -> HeadLayerSinks<'_, B> {
        HeadLayerSinks {
            weight: self.weight.sink(backend, update),
            bias: self.bias.as_mut().map(|b| b.sink(backend, update)),
        }
    }

    fn visit(
        &mut self,
        name: &str,
        shape: &[usize; 2],
        visitor: &mut impl StateVisitor<B>,
    ) -> Result<(), StateError> {
        visitor.param(&format!("{name}.weight"), shape, &mut self.weight)?;
        if let Some(bias) = &mut self.bias {
            visitor.param(&format!("{name}.bias"), &shape[..1], bias)?;
        }
        match (&mut self.batch_norm, name.strip_suffix(".0")) {
            // Of a layer the map is part 0 and the normalisation part 1.
            (Some(norm), Some(layer)) => norm.visit(&format!("{layer}.1"), visitor),
            _ => Ok(()),
        }
    }
}

impl<B: Backend> Heads<B> {
    pub(super) fn new(backend: &B, plan: HeadsPlan, init: &mut Init) -> Self {
        let mut head = || Head::new(backend, &plan, init);
        let scale = head();
        let dropout = plan.zero_inflated.then(&mut head);
        let px_r = plan.px_r.then(&mut head);
        Self { scale, dropout, px_r, plan }
    }

    /// What their buffers are made for.
    pub(super) fn kernel_plan(&self, training: bool) -> HeadPlan {
        HeadPlan {
            activation: match self.plan.softplus {
                true => ScaleActivation::Softplus,
                false => ScaleActivation::Softmax,
            },
            zero_inflated: self.plan.zero_inflated,
            gene_cell: self.plan.px_r,
            training,
        }
    }

    pub(super) fn params(&self) -> HeadParams<'_, B> {
        HeadParams {
            scale: self.scale.layer(),
            dropout: self.dropout.as_ref().map(Head::layer),
            dispersion: self.px_r.as_ref().map(Head::layer),
        }
    }

    pub(super) fn sinks(&mut self, backend: &B, update: Update<B::Elem>) -> HeadSinks<'_, B> {
        HeadSinks {
            scale: self.scale.sinks(backend, update),
            dropout: self.dropout.as_mut().map(|h| h.sinks(backend, update)),
            dispersion: self.px_r.as_mut().map(|h| h.sinks(backend, update)),
        }
    }

    /// `names` are those of the three heads: scale, dropout, px_r.
    pub(super) fn visit(
        &mut self,
        names: [String; 3],
        visitor: &mut impl StateVisitor<B>,
    ) -> Result<(), StateError> {
        let shape = [self.plan.genes, self.plan.n_in];
        let heads = [Some(&mut self.scale), self.dropout.as_mut(), self.px_r.as_mut()];
        for (name, head) in names.into_iter().zip(heads) {
            if let Some(head) = head {
                head.visit(&name, &shape, visitor)?;
            }
        }
        Ok(())
    }
}
