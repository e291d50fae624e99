//! The maps from the decoder's hidden layer, or from z itself, to a number per gene and cell.

use scvi_kernels::Backend;
use scvi_kernels::ops::count_head::{
    DropoutStep, HeadDims, HeadLayer, HeadLayerSinks, HeadNorm, HeadNormSinks, HeadParams,
    HeadPlan, HeadSinks, ScaleActivation,
};

use super::batch_norm::BatchNormActivations;
use super::tensors::{NamedTensor, Tensors, TensorsMut};
use super::{BatchNorm, Init, Param, Slot, Update};

/// Which of the heads a pass needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded {
    /// Only px_scale.
    Scale,
    /// All that the likelihood reads.
    All,
}

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

    /// Shape of a head's weight in torch's order.
    fn weight_shape(&self) -> [usize; 2] {
        [self.genes, self.n_in]
    }
}

/// One head.
#[derive(Clone)]
struct Head<B: Backend> {
    weight: Param<B>,       // (genes, n_in), in the device's order
    bias: Option<Param<B>>, // (genes)
    batch_norm: Option<BatchNorm<B>>,
}

/// What the normalisation of heads keeps for its gradient.
pub(super) struct HeadsActivations<B: Backend> {
    scale: Option<BatchNormActivations<B>>,
    dropout: Option<BatchNormActivations<B>>,
}

/// All heads.
#[derive(Clone)]
pub(super) struct Heads<B: Backend> {
    scale: Head<B>,
    dropout: Option<Head<B>>,
    px_r: Option<Head<B>>,
    pub(super) plan: HeadsPlan,
}

impl<B: Backend> Head<B> {
    fn new(backend: &B, plan: &HeadsPlan, init: &mut Init) -> Self {
        let mut linear = |len| init.linear(len, plan.n_in);
        let weight = linear(plan.genes * plan.n_in);
        let weight = backend.pack_head_weight(&weight, plan.weight_shape());
        Self {
            weight: Param::new(backend, &weight),
            bias: plan.bias.then(|| Param::new(backend, &linear(plan.genes))),
            batch_norm: plan.batch_norm.then(|| BatchNorm::new(backend, plan.genes)),
        }
    }

    fn layer(&self) -> HeadLayer<'_, B> {
        HeadLayer {
            weight: &self.weight.value,
            bias: self.bias.as_ref().map(|b| &b.value),
            norm: self.batch_norm.as_ref().map(|norm| HeadNorm::Eval(norm.eval())),
        }
    }

    fn layer_train<'a>(
        &'a mut self,
        kept: Option<&'a mut BatchNormActivations<B>>,
    ) -> HeadLayer<'a, B> {
        let norm = self.batch_norm.as_mut().zip(kept);
        HeadLayer {
            weight: &self.weight.value,
            bias: self.bias.as_ref().map(|b| &b.value),
            norm: norm.map(|(norm, kept)| HeadNorm::Train(norm.train(kept))),
        }
    }

    fn sinks<'a>(
        &'a mut self,
        backend: &B,
        kept: Option<&'a BatchNormActivations<B>>,
        update: Update<B::Elem>,
    ) -> HeadLayerSinks<'a, B> {
        let norm = self.batch_norm.as_mut().zip(kept);
        HeadLayerSinks {
            weight: self.weight.sink(backend, update),
            bias: self.bias.as_mut().map(|b| b.sink(backend, update)),
            norm: norm.map(|(norm, kept)| {
                let [gamma, beta] = norm.sinks(backend, update);
                HeadNormSinks { kept: kept.kept(), gamma, beta }
            }),
        }
    }

    fn tensors(&self, name: &str, shape: [usize; 2]) -> Tensors<'_, B> {
        let mut tensors = named(name, shape, &self.weight, self.bias.as_ref());
        if let (Some(norm), Some(name)) = (&self.batch_norm, norm_name(name)) {
            tensors.extend(norm.tensors(&name));
        }
        tensors
    }

    fn tensors_mut(&mut self, name: &str, shape: [usize; 2]) -> TensorsMut<'_, B> {
        let mut tensors = named(name, shape, &mut self.weight, self.bias.as_mut());
        if let (Some(norm), Some(name)) = (&mut self.batch_norm, norm_name(name)) {
            tensors.extend(norm.tensors_mut(&name));
        }
        tensors
    }
}

fn named<P, M>(
    name: &str,
    shape: [usize; 2],
    weight: P,
    bias: Option<P>,
) -> Vec<NamedTensor<P, M>> {
    let weight = NamedTensor::head_weight(format!("{name}.weight"), shape, weight);
    let bias = bias.map(|bias| NamedTensor::param(format!("{name}.bias"), &shape[..1], bias));
    std::iter::once(weight).chain(bias).collect()
}

/// Of a layer the map is part 0 and the normalisation part 1.
fn norm_name(map: &str) -> Option<String> {
    map.strip_suffix(".0").map(|layer| format!("{layer}.1"))
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
    pub(super) fn kernel_plan(&self, training: bool, gated_input: bool) -> HeadPlan {
        HeadPlan {
            activation: self.activation(),
            zero_inflated: self.plan.zero_inflated,
            gene_cell: self.plan.px_r,
            training,
            gated_input,
        }
    }

    fn activation(&self) -> ScaleActivation {
        match self.plan.softplus {
            true => ScaleActivation::Softplus,
            false => ScaleActivation::Softmax,
        }
    }

    /// px_scale's layer in evaluation mode, and what follows it.
    pub(super) fn scale(&self) -> (HeadLayer<'_, B>, ScaleActivation) {
        (self.scale.layer(), self.activation())
    }

    /// Buffers for what normalization saves for backward.
    pub(super) fn activations(&self, backend: &B, dims: HeadDims) -> HeadsActivations<B> {
        let HeadsPlan { zero_inflated, batch_norm, .. } = self.plan;
        let norm = |wanted: bool| {
            (batch_norm && wanted).then(|| BatchNormActivations::of_head(backend, dims))
        };
        HeadsActivations { scale: norm(true), dropout: norm(zero_inflated) }
    }

    /// The layers in evaluation mode.
    pub(super) fn params(&self, wanted: Decoded) -> HeadParams<'_, B> {
        let others = wanted == Decoded::All;
        let [dropout, dispersion] = [&self.dropout, &self.px_r]
            .map(|head| head.as_ref().filter(|_| others).map(Head::layer));
        HeadParams { scale: self.scale.layer(), dropout, dispersion }
    }

    /// The layers in training mode.
    pub(super) fn params_train<'a>(
        &'a mut self,
        acts: &'a mut HeadsActivations<B>,
    ) -> HeadParams<'a, B> {
        let Self { scale, dropout, px_r, plan } = self;
        let dropout = dropout.as_mut().filter(|_| plan.batch_norm);
        HeadParams {
            scale: scale.layer_train(acts.scale.as_mut()),
            dropout: dropout.map(|h| h.layer_train(acts.dropout.as_mut())),
            dispersion: px_r.as_mut().map(|h| h.layer_train(None)),
        }
    }

    pub(super) fn sinks<'a>(
        &'a mut self,
        backend: &B,
        acts: &'a HeadsActivations<B>,
        update: Update<B::Elem>,
    ) -> HeadSinks<'a, B> {
        let (scale_acts, dropout_acts) = (acts.scale.as_ref(), acts.dropout.as_ref());
        let Self { scale, dropout, px_r, plan } = self;
        let dropout = dropout.as_mut().filter(|_| plan.batch_norm);
        HeadSinks {
            scale: scale.sinks(backend, scale_acts, update),
            dropout: dropout.map(|h| h.sinks(backend, dropout_acts, update)),
            dispersion: px_r.as_mut().map(|h| h.sinks(backend, None, update)),
        }
    }

    /// What the likelihood does of the layer of zero-inflation logits in training mode: all of it,
    /// where that is not normalised.
    pub(super) fn dropout_step<'a>(
        &'a mut self,
        backend: &B,
        input: &'a B::Buf,
        update: Update<B::Elem>,
    ) -> Option<DropoutStep<'a, B>> {
        let dropout = self.dropout.as_mut().filter(|_| !self.plan.batch_norm);
        dropout.map(|head| DropoutStep { input, sinks: head.sinks(backend, None, update) })
    }

    /// Weights of the px_scale head, `(genes, n_in)`, times the normalisation's factors where there
    /// is one.
    pub(super) fn scale_weights(&self, backend: &B) -> Vec<B::Elem> {
        let weights = self.scale.weight.read(backend, Slot::Value);
        let mut weights = backend.unpack_head_weight(&weights, self.plan.weight_shape());
        if let Some(norm) = &self.scale.batch_norm {
            let rows = weights.chunks_exact_mut(self.plan.n_in);
            for (row, factor) in rows.zip(norm.factors(backend)) {
                row.iter_mut().for_each(|w| *w *= factor);
            }
        }
        weights
    }

    /// `names` are those of the three heads: scale, dropout, px_r.
    pub(super) fn tensors(&self, names: [String; 3]) -> Tensors<'_, B> {
        let shape = self.plan.weight_shape();
        let heads = [Some(&self.scale), self.dropout.as_ref(), self.px_r.as_ref()];
        let named = names.iter().zip(heads);
        named.filter_map(|(name, head)| Some(head?.tensors(name, shape))).flatten().collect()
    }

    /// The same to change.
    pub(super) fn tensors_mut(&mut self, names: [String; 3]) -> TensorsMut<'_, B> {
        let shape = self.plan.weight_shape();
        let heads = [Some(&mut self.scale), self.dropout.as_mut(), self.px_r.as_mut()];
        let named = names.iter().zip(heads);
        named.filter_map(|(name, head)| Some(head?.tensors_mut(name, shape))).flatten().collect()
    }
}
