//! `DecoderSCVI`: from z to the parameters of every count, and back.

use scvi_kernels::Backend;
use scvi_kernels::ops::count_head::{
    Dispersion, HeadDims, HeadLayer, HeadLayerSinks, HeadParams, HeadPlan, HeadSinks,
    LikelihoodPass,
};

use super::state::{StateError, StateVisitor};
use super::{FcActivations, FcInput, FcLayers, FcPlan, Init, Param, Pass, Update};

/// Hidden layers and the heads over genes.
pub(crate) struct Decoder<B: Backend> {
    fc: FcLayers<B>,
    scale: [Param<B>; 2],           // (genes, n_hidden), (genes)
    dropout: Option<[Param<B>; 2]>, // (genes, n_hidden), (genes)
    genes: usize,
    n_hidden: usize,
}

/// The decoder's outputs for a minibatch, and what their gradients need.
pub(crate) struct HeadActivations<B: Backend> {
    pub(crate) fc: FcActivations<B>,
    pub(crate) head: B::Head,
    pub(crate) nll: B::Buf, // (cells)
}

impl<B: Backend> Decoder<B> {
    pub(crate) fn new(
        backend: &B,
        plan: FcPlan,
        genes: usize,
        zero_inflated: bool,
        init: &mut Init,
    ) -> Self {
        let n_hidden = plan.n_hidden;
        let fc = FcLayers::new(backend, plan, init);
        let mut head = || {
            [genes * n_hidden, genes].map(|len| Param::new(backend, &init.linear(len, n_hidden)))
        };
        Self { fc, scale: head(), dropout: zero_inflated.then(head), genes, n_hidden }
    }

    pub(crate) fn activations(
        &self,
        backend: &B,
        plan: &FcPlan,
        max_cells: usize,
        training: bool,
    ) -> HeadActivations<B> {
        let zero_inflated = self.dropout.is_some();
        let heads = HeadPlan { zero_inflated, training, ..HeadPlan::default() };
        HeadActivations {
            fc: FcActivations::new(backend, plan, max_cells),
            head: backend.head(self.dims(max_cells), heads),
            nll: backend.zeros(max_cells),
        }
    }

    pub(crate) fn dims(&self, cells: usize) -> HeadDims {
        HeadDims { cells, genes: self.genes, hidden: self.n_hidden }
    }

    /// Hidden layers and logits in evaluation mode.
    pub(crate) fn forward_eval(&self, pass: Pass<B>, z: &B::Buf, acts: &mut HeadActivations<B>) {
        self.fc.forward_eval(pass, FcInput::Dense(z), &mut acts.fc);
        self.heads(pass.backend, acts, pass.cells);
    }

    /// The same in training mode.
    pub(crate) fn forward_train(
        &mut self,
        pass: Pass<B>,
        z: &B::Buf,
        acts: &mut HeadActivations<B>,
    ) {
        self.fc.forward_train(pass, FcInput::Dense(z), &mut acts.fc);
        self.heads(pass.backend, acts, pass.cells);
    }

    fn heads(&self, backend: &B, acts: &mut HeadActivations<B>, cells: usize) {
        let params = HeadParams {
            scale: layer(&self.scale),
            dropout: self.dropout.as_ref().map(layer),
            dispersion: None,
        };
        backend.head_forward(&mut acts.head, acts.fc.out(), params, self.dims(cells));
    }

    /// -ln p(x | z) of each cell into `acts.nll`, and the derivatives that [`Decoder::backward`]
    /// goes on from.
    pub(crate) fn likelihood(
        &self,
        backend: &B,
        pass: LikelihoodPass<B>,
        dispersion: Dispersion<B>,
        acts: &mut HeadActivations<B>,
        cells: usize,
    ) {
        let dims = self.dims(cells);
        backend.head_likelihood(&mut acts.head, pass, dispersion, &mut acts.nll, dims);
    }

    /// From the likelihood's derivatives to every parameter's gradient, and dL/dz.
    pub(crate) fn backward(
        &mut self,
        pass: Pass<B>,
        z: &B::Buf,
        acts: &mut HeadActivations<B>,
        dz: &mut B::Buf,
        update: Update<B::Elem>,
    ) {
        let Pass { backend, cells, .. } = pass;
        let dims = self.dims(cells);
        let sinks = HeadSinks {
            scale: layer_sinks(&mut self.scale, backend, update),
            dropout: self.dropout.as_mut().map(|p| layer_sinks(p, backend, update)),
            dispersion: None,
        };
        let (h, dh) = acts.fc.out_and_grad();
        backend.head_grad(&mut acts.head, h, sinks, dh, dims);
        let input = FcInput::Dense(z);
        self.fc.backward(pass, input, &mut acts.fc, Some(dz), update);
    }

    pub(crate) fn visit(
        &mut self,
        prefix: &str,
        visitor: &mut impl StateVisitor<B>,
    ) -> Result<(), StateError> {
        self.fc.visit(&format!("{prefix}.px_decoder"), visitor)?;
        let shape = [self.genes, self.n_hidden];
        let scale = Some(("px_scale_decoder.0", &mut self.scale));
        let dropout = self.dropout.as_mut().map(|p| ("px_dropout_decoder", p));
        for (name, [w, b]) in scale.into_iter().chain(dropout) {
            visitor.param(&format!("{prefix}.{name}.weight"), &shape, w)?;
            visitor.param(&format!("{prefix}.{name}.bias"), &shape[..1], b)?;
        }
        Ok(())
    }
}

fn layer<B: Backend>([w, b]: &[Param<B>; 2]) -> HeadLayer<'_, B> {
    HeadLayer { weight: &w.value, bias: Some(&b.value), norm: None }
}

fn layer_sinks<'a, B: Backend>(
    [w, b]: &'a mut [Param<B>; 2],
    backend: &B,
    update: Update<B::Elem>,
) -> HeadLayerSinks<'a, B> {
    HeadLayerSinks {
        weight: w.sink(backend, update),
        bias: Some(b.sink(backend, update)),
        norm: None,
    }
}
