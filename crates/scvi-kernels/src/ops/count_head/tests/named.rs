//! A case's parameters and normalisations as the heads want them.

use std::collections::BTreeMap;

use super::case::{Case, MOMENTUM, NORM_EPS};
use crate::ops::count_head::{
    HeadDims, HeadLayer, HeadLayerSinks, HeadNorm, HeadNormSinks, HeadParams, HeadSinks,
};
use crate::testing::{Mode, Parameter, buf, cast, full};
use crate::{Aligned, BatchNormEval, BatchNormKept, BatchNormState, Cpu, Real, padded};

/// What normalisations read and write beside their parameters.
pub(super) struct Norms<F> {
    pub(super) heads: BTreeMap<&'static str, NormBuffers<F>>,
    pub(super) training: bool,
}

pub(super) struct NormBuffers<F> {
    pub(super) running: [Aligned<F>; 2],
    normalised: Aligned<F>,
    inv_std: Aligned<F>,
}

impl<F: Real> Norms<F> {
    pub(super) fn new(case: &Case) -> Self {
        let HeadDims { cells, genes, .. } = case.dims;
        let buffers = |running: &[Vec<f64>; 2]| NormBuffers {
            running: running.each_ref().map(|v| buf(&cast(v))),
            // Buffers for more cells, and nothing that could pass for a number.
            normalised: full(genes * padded(cells + 20), F::of(f64::NAN)),
            inv_std: full(genes, F::of(f64::NAN)),
        };
        let heads = case.running.iter().map(|(&head, running)| (head, buffers(running)));
        Self { heads: heads.collect(), training: true }
    }
}

impl<F: Real> NormBuffers<F> {
    fn norm<'a>(
        &'a mut self,
        gamma: &'a Aligned<F>,
        beta: &'a Aligned<F>,
        training: bool,
    ) -> HeadNorm<'a, Cpu<F>> {
        let [running_mean, running_var] = &mut self.running;
        let eps = NORM_EPS;
        if !training {
            return HeadNorm::Eval(BatchNormEval { gamma, beta, running_mean, running_var, eps });
        }
        HeadNorm::Train(BatchNormState {
            gamma,
            beta,
            running_mean,
            running_var,
            momentum: MOMENTUM,
            eps,
            normalised: &mut self.normalised,
            inv_std: &mut self.inv_std,
        })
    }
}

/// Parameters by their names.
pub(super) struct Named<'a, F>(pub(super) BTreeMap<&'a str, &'a mut Parameter<F>>);

impl<'a, F: Real> Named<'a, F> {
    pub(super) fn new(case: &'a Case, parameters: &'a mut [Parameter<F>]) -> Self {
        Self(case.parameters.keys().map(String::as_str).zip(parameters).collect())
    }

    fn value(&self, head: &str, of: &str) -> Option<&Aligned<F>> {
        Some(&self.0.get(format!("{head} {of}").as_str())?.value)
    }

    pub(super) fn params<'b>(&'b self, norms: &'b mut Norms<F>) -> HeadParams<'b, Cpu<F>> {
        let training = norms.training;
        let mut layers = ["dropout", "px_r", "scale"].map(|head| {
            let weight = self.value(head, "weight")?;
            Some(HeadLayer { weight, bias: self.value(head, "bias"), norm: None })
        });
        for (&head, buffers) in &mut norms.heads {
            let at = ["dropout", "px_r", "scale"].iter().position(|&h| h == head).unwrap();
            let [gamma, beta] = ["gamma", "beta"].map(|of| self.value(head, of).unwrap());
            layers[at].as_mut().unwrap().norm = Some(buffers.norm(gamma, beta, training));
        }
        let [dropout, dispersion, scale] = layers;
        HeadParams { scale: scale.unwrap(), dropout, dispersion }
    }

    pub(super) fn sinks(mut self, norms: &'a Norms<F>, mode: Mode) -> HeadSinks<'a, Cpu<F>> {
        let [scale, dropout, dispersion] =
            ["scale", "dropout", "px_r"].map(|head| self.layer_sinks(head, Some(norms), mode));
        HeadSinks { scale: scale.unwrap(), dropout, dispersion }
    }

    /// Sinks of one head, if there is one and nobody has taken them.
    pub(super) fn layer_sinks(
        &mut self,
        head: &str,
        norms: Option<&'a Norms<F>>,
        mode: Mode,
    ) -> Option<HeadLayerSinks<'a, Cpu<F>>> {
        let mut sink =
            |of: &str| self.0.remove(format!("{head} {of}").as_str()).map(|p| p.sink(mode));
        let (weight, bias) = (sink("weight")?, sink("bias"));
        let buffers = norms.and_then(|norms| norms.heads.get(head));
        let norm = buffers.map(|NormBuffers { normalised, inv_std, .. }| {
            let kept = BatchNormKept { normalised, inv_std };
            let [gamma, beta] = ["gamma", "beta"].map(|of| sink(of).unwrap());
            HeadNormSinks { kept, gamma, beta }
        });
        Some(HeadLayerSinks { weight, bias, norm })
    }
}
