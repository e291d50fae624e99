//! The same arguments for the backend behind: its memory is the same.

use scvi::Backend;
use scvi_kernels::ops::count_head::{
    Dispersion, DropoutStep, HeadLayer, HeadLayerSinks, HeadNorm, HeadNormSinks, LikelihoodPass,
};
use scvi_kernels::{BatchNormEval, BatchNormKept, BatchNormState, GradSink, NormalPrior};

use super::Counting;

pub fn sink<B: Backend>(sink: GradSink<Counting<B>>) -> GradSink<B> {
    match sink {
        GradSink::Frozen { value } => GradSink::Frozen { value },
        GradSink::Store { value, grad } => GradSink::Store { value, grad },
        GradSink::Accumulate { value, grad } => GradSink::Accumulate { value, grad },
        GradSink::Adam { value, m, v, step } => GradSink::Adam { value, m, v, step },
        GradSink::AdamWhere { value, m, v, step, mask } => {
            GradSink::AdamWhere { value, m, v, step, mask }
        }
    }
}

pub fn norm_train<B: Backend>(state: BatchNormState<Counting<B>>) -> BatchNormState<B> {
    let BatchNormState {
        gamma,
        beta,
        running_mean,
        running_var,
        momentum,
        eps,
        normalised,
        inv_std,
    } = state;
    BatchNormState { gamma, beta, running_mean, running_var, momentum, eps, normalised, inv_std }
}

pub fn norm_eval<B: Backend>(affine: BatchNormEval<Counting<B>>) -> BatchNormEval<B> {
    let BatchNormEval { gamma, beta, running_mean, running_var, eps } = affine;
    BatchNormEval { gamma, beta, running_mean, running_var, eps }
}

pub fn norm_kept<B: Backend>(kept: BatchNormKept<Counting<B>>) -> BatchNormKept<B> {
    BatchNormKept { normalised: kept.normalised, inv_std: kept.inv_std }
}

pub fn prior<B: Backend>(prior: NormalPrior<Counting<B>>) -> NormalPrior<B> {
    NormalPrior { mean: prior.mean, var: prior.var }
}

pub fn head_layer<B: Backend>(layer: HeadLayer<Counting<B>>) -> HeadLayer<B> {
    let HeadLayer { weight, bias, norm } = layer;
    let norm = norm.map(|norm| match norm {
        HeadNorm::Train(state) => HeadNorm::Train(norm_train(state)),
        HeadNorm::Eval(affine) => HeadNorm::Eval(norm_eval(affine)),
    });
    HeadLayer { weight, bias, norm }
}

pub fn head_sinks<B: Backend>(sinks: HeadLayerSinks<Counting<B>>) -> HeadLayerSinks<B> {
    let norm = sinks.norm.map(|norm| HeadNormSinks {
        kept: norm_kept(norm.kept),
        gamma: sink(norm.gamma),
        beta: sink(norm.beta),
    });
    HeadLayerSinks { weight: sink(sinks.weight), bias: sinks.bias.map(sink), norm }
}

pub fn dispersion<B: Backend>(dispersion: Dispersion<Counting<B>>) -> Dispersion<B> {
    match dispersion {
        Dispersion::None => Dispersion::None,
        Dispersion::FromDecoder => Dispersion::FromDecoder,
        Dispersion::Table { px_r, groups, n_groups } => {
            Dispersion::Table { px_r: sink(px_r), groups, n_groups }
        }
    }
}

pub fn likelihood_pass<B: Backend>(pass: LikelihoodPass<Counting<B>>) -> LikelihoodPass<B> {
    let LikelihoodPass { likelihood, counts, library, grad_weight, dropout } = pass;
    let dropout =
        dropout.map(|step| DropoutStep { input: step.input, sinks: head_sinks(step.sinks) });
    LikelihoodPass { likelihood, counts, library, grad_weight, dropout }
}
