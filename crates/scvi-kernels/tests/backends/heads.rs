//! The decoder's heads in every combination of what they may be made of.

use proptest::prelude::*;
use scvi_kernels::ops::count_head::{
    Dispersion, DropoutStep, GeneLikelihood, HeadDims, HeadLayer, HeadLayerSinks, HeadNorm,
    HeadNormSinks, HeadOutput, HeadParams, HeadPlan, HeadSinks, LikelihoodPass, ScaleActivation,
};
use scvi_kernels::{Backend, BatchNormEval, BatchNormKept, BatchNormState, Real};

use crate::common::{Case, Parameter, Results};

/// What the heads are made of.
#[derive(Debug, Clone, Copy)]
struct Options {
    likelihood: GeneLikelihood,
    activation: ScaleActivation,
    /// Columns of the dispersion's table; `None` is the decoder's.
    n_groups: Option<usize>,
    /// Whether the layers are normalised.
    normalised: bool,
    /// Whether the likelihood's pass does all the work of the zero-inflation logits.
    dropout_step: bool,
    /// Whether the input is what a ReLU gives.
    gated: bool,
}

/// A head's layer with all that it reads and writes.
struct Layer<B: Backend> {
    dims: HeadDims,
    weight: Parameter<B>,
    bias: Option<Parameter<B>>,
    norm: Option<Norm<B>>,
}

struct Norm<B: Backend> {
    gamma: Parameter<B>,
    beta: Parameter<B>,
    mean: B::Buf,
    var: B::Buf,
    inv_std: B::Buf,
    normalised: B::Buf,
}

const MOMENTUM: f64 = 0.1;
const EPS: f64 = 1e-3;

impl<B: Backend> Layer<B> {
    fn new(case: &mut Case<B>, dims: HeadDims, normalised: bool) -> Self {
        let scale = 1.0 / (dims.hidden as f64).sqrt();
        let mut values = case.normals(dims.genes * dims.hidden);
        values.iter_mut().for_each(|w| *w *= scale);
        // Dispersions stay where the reference's plain formula is precise: ln Γ(x+θ) - ln Γ(θ) loses
        // digits where θ is large.
        let mut halves = |n| case.normals(n).iter().map(|v| 0.5 * v).collect::<Vec<f64>>();
        let [gamma, beta, mean] = [(); 3].map(|()| halves(dims.genes));
        let var: Vec<f64> = halves(dims.genes).iter().map(|v| 1.0 + v * v).collect();
        let norm = normalised.then(|| Norm {
            gamma: case.parameter(&gamma),
            beta: case.parameter(&beta),
            mean: case.buf(&mean),
            var: case.buf(&var),
            inv_std: case.out(dims.genes),
            normalised: case.b.head_normalised(dims),
        });
        let bias = case.coin().then(|| case.random_parameter(dims.genes));
        let mut weight = case.parameter(&values);
        // What belongs to a weight is in its order.
        let size = [dims.genes, dims.hidden];
        let Parameter { value, grad, m, v, mask, len, .. } = &mut weight;
        for buf in [value, grad, m, v, mask] {
            let packed = case.b.pack_head_weight(&case.b.download(buf, *len), size);
            case.b.upload(buf, &packed);
        }
        Self { dims, weight, bias, norm }
    }

    fn train(&mut self) -> HeadLayer<'_, B> {
        let norm = self.norm.as_mut().map(|n| {
            HeadNorm::Train(BatchNormState {
                gamma: &n.gamma.value,
                beta: &n.beta.value,
                running_mean: &mut n.mean,
                running_var: &mut n.var,
                momentum: MOMENTUM,
                eps: EPS,
                normalised: &mut n.normalised,
                inv_std: &mut n.inv_std,
            })
        });
        let bias = self.bias.as_ref().map(|b| &b.value);
        HeadLayer { weight: &self.weight.value, bias, norm }
    }

    fn eval(&self) -> HeadLayer<'_, B> {
        let norm = self.norm.as_ref().map(|n| {
            HeadNorm::Eval(BatchNormEval {
                gamma: &n.gamma.value,
                beta: &n.beta.value,
                running_mean: &n.mean,
                running_var: &n.var,
                eps: EPS,
            })
        });
        let bias = self.bias.as_ref().map(|b| &b.value);
        HeadLayer { weight: &self.weight.value, bias, norm }
    }

    fn sinks(&mut self) -> HeadLayerSinks<'_, B> {
        let norm = self.norm.as_mut().map(|n| HeadNormSinks {
            kept: BatchNormKept { normalised: &n.normalised, inv_std: &n.inv_std },
            gamma: n.gamma.sink(),
            beta: n.beta.sink(),
        });
        let bias = self.bias.as_mut().map(Parameter::sink);
        HeadLayerSinks { weight: self.weight.sink(), bias, norm }
    }

    /// All that a pass may have changed; weights in torch's order.
    fn read(&self, case: &Case<B>) -> Results {
        let size = [self.dims.genes, self.dims.hidden];
        let Parameter { value, grad, m, v, len, .. } = &self.weight;
        let weight = [value, grad, m, v].map(|buf| {
            let rows = case.b.unpack_head_weight(&case.b.download(buf, *len), size);
            rows.iter().map(|w| w.to_f64()).collect::<Vec<f64>>()
        });
        let mut results = vec![("weight", weight.concat())];
        results.extend(self.bias.iter().map(|b| ("bias", case.read_parameter(b))));
        if let Some(n) = &self.norm {
            results.push(("gamma", case.read_parameter(&n.gamma)));
            results.push(("beta", case.read_parameter(&n.beta)));
            results.push(("running_mean", case.read(&n.mean, self.dims.genes)));
            results.push(("running_var", case.read(&n.var, self.dims.genes)));
        }
        results
    }
}

/// Layers, table and groups of a case.
struct Heads<B: Backend> {
    scale: Layer<B>,
    dropout: Option<Layer<B>>,
    px_r: Option<Layer<B>>,
    /// A number a gene and group, with the group of each cell.
    table: Option<(Parameter<B>, B::Ids, usize)>,
}

impl<B: Backend> Heads<B> {
    fn new(case: &mut Case<B>, d: HeadDims, o: Options) -> Self {
        let has_theta = o.likelihood.has_theta();
        let of_decoder = has_theta && o.n_groups.is_none();
        let layer = |case: &mut Case<B>, normalised| Layer::new(case, d, normalised);
        // A layer that the likelihood does with is not normalised.
        let dropout = o.likelihood.has_pi().then(|| layer(case, o.normalised && !o.dropout_step));
        let table = o.n_groups.filter(|_| has_theta).map(|n_groups| {
            let table = case.random_parameter(d.genes * n_groups);
            (table, case.ids(d.cells, n_groups), n_groups)
        });
        let px_r = of_decoder.then(|| layer(case, o.normalised));
        Self { scale: layer(case, o.normalised), dropout, px_r, table }
    }

    fn eval(&self) -> HeadParams<'_, B> {
        HeadParams {
            scale: self.scale.eval(),
            dropout: self.dropout.as_ref().map(Layer::eval),
            dispersion: self.px_r.as_ref().map(Layer::eval),
        }
    }

    fn read(&self, case: &Case<B>) -> Results {
        let layers = [Some(&self.scale), self.dropout.as_ref(), self.px_r.as_ref()];
        let mut results: Results =
            layers.into_iter().flatten().flat_map(|layer| layer.read(case)).collect();
        results.extend(self.table.iter().map(|(p, ..)| ("px_r", case.read_parameter(p))));
        results
    }
}

fn dispersion<'a, B: Backend>(
    table: &'a mut Option<(Parameter<B>, B::Ids, usize)>,
    has_theta: bool,
) -> Dispersion<'a, B> {
    match table {
        Some((px_r, groups, n_groups)) => Dispersion::Table {
            px_r: px_r.sink(),
            groups: (*n_groups > 1).then_some(&*groups),
            n_groups: *n_groups,
        },
        None if has_theta => Dispersion::FromDecoder,
        None => Dispersion::None,
    }
}

fn plan(o: Options, training: bool) -> HeadPlan {
    HeadPlan {
        activation: o.activation,
        zero_inflated: o.likelihood.has_pi(),
        gene_cell: o.likelihood.has_theta() && o.n_groups.is_none(),
        training,
        gated_input: o.gated,
    }
}

/// The heads' input: `(cells, hidden)`.
fn input<B: Backend>(case: &mut Case<B>, d: HeadDims, gated: bool) -> Vec<f64> {
    let h = case.normals(d.cells * d.hidden);
    h.into_iter().map(|h| if gated { h.max(0.0) } else { h }).collect()
}

/// Forward, likelihood and gradients.
fn training<B: Backend>(b: &B, seed: u64, d: HeadDims, o: Options) -> Results {
    let case = &mut Case::new(b, seed);
    let h_values = input(case, d, o.gated);
    let (h, counts) = (case.buf(&h_values), case.counts(d.cells, d.genes, 0.15));
    let library = case.normals(d.cells).iter().map(|v| 4.0 + v).collect::<Vec<f64>>();
    let library = case.buf(&library);
    let mut heads = Heads::new(case, d, o);
    let mut head = b.head(HeadDims { cells: d.cells + 3, ..d }, plan(o, true));
    let params = HeadParams {
        scale: heads.scale.train(),
        dropout: heads.dropout.as_mut().filter(|_| !o.dropout_step).map(Layer::train),
        dispersion: heads.px_r.as_mut().map(Layer::train),
    };
    b.head_forward(&mut head, &h, params, d);
    let [mut nll, mut d_library] = [(); 2].map(|()| case.out(d.cells));
    let mut dh = case.out(d.cells * d.hidden);
    let step = heads.dropout.as_mut().filter(|_| o.dropout_step);
    let pass = LikelihoodPass {
        likelihood: o.likelihood,
        counts: &counts,
        library: &library,
        grad_weight: Some(B::Elem::of(1.0 / d.cells as f64)),
        dropout: step.map(|layer| DropoutStep { input: &h, sinks: layer.sinks() }),
    };
    let dispersion = dispersion(&mut heads.table, o.likelihood.has_theta());
    b.head_likelihood(&mut head, pass, dispersion, &mut nll, d);
    b.head_library_grad(&head, &mut d_library, d);
    let sinks = HeadSinks {
        scale: heads.scale.sinks(),
        dropout: heads.dropout.as_mut().filter(|_| !o.dropout_step).map(Layer::sinks),
        dispersion: heads.px_r.as_mut().map(Layer::sinks),
    };
    b.head_grad(&mut head, &h, sinks, &mut dh, d);
    let mut dh = case.read(&dh, d.cells * d.hidden);
    if o.gated {
        // Where the input is 0 its gradient is wanted by nobody, and may be 0.
        dh.iter_mut().zip(&h_values).filter(|(_, h)| **h == 0.0).for_each(|(dh, _)| *dh = 0.0);
    }
    let mut results = vec![
        ("nll", case.read(&nll, d.cells)),
        ("d_library", case.read(&d_library, d.cells)),
        ("dh", dh),
    ];
    results.extend(heads.read(case));
    results
}

/// Outputs and the likelihood of two minibatches of counts, and the scale of single genes.
fn evaluation<B: Backend>(b: &B, seed: u64, d: HeadDims, o: Options) -> Results {
    let case = &mut Case::new(b, seed);
    let h = input(case, d, o.gated);
    let library = case.normal(d.cells);
    let mut heads = Heads::new(case, d, o);
    let mut head = b.head(HeadDims { cells: d.cells + 3, ..d }, plan(o, false));
    b.head_forward(&mut head, &case.buf(&h), heads.eval(), d);
    let mut results = Vec::new();
    for _ in 0..2 {
        let counts = case.counts(d.cells, d.genes, 0.15);
        let mut nll = case.out(d.cells);
        let pass = LikelihoodPass {
            likelihood: o.likelihood,
            counts: &counts,
            library: &library,
            grad_weight: None,
            dropout: None,
        };
        let dispersion = dispersion(&mut heads.table, o.likelihood.has_theta());
        b.head_likelihood(&mut head, pass, dispersion, &mut nll, d);
        results.push(("nll", case.read(&nll, d.cells)));
    }
    let genes: Vec<u32> = (0..7).map(|_| case.below(d.genes) as u32).collect();
    let outputs = [
        ("scale", HeadOutput::Scale, true),
        ("dropout", HeadOutput::Dropout, heads.dropout.is_some()),
        ("px_r", HeadOutput::Dispersion, heads.px_r.is_some()),
    ];
    for (name, what, _) in outputs.into_iter().filter(|(.., is_there)| *is_there) {
        for genes in [None, Some(&genes[..])] {
            let n = genes.map_or(d.genes, <[u32]>::len);
            let mut out = vec![B::Elem::ZERO; d.cells * n];
            b.head_read(&head, what, genes, d, &mut out);
            results.push((name, out.iter().map(|v| v.to_f64()).collect()));
        }
    }
    let hidden: Vec<B::Elem> = h.iter().map(|&h| B::Elem::of(h)).collect();
    let samples = b.head_samples(&hidden, heads.scale.eval(), o.activation, d);
    let stride = b.samples_stride(&samples);
    let mut rows = vec![B::Elem::ZERO; genes.len() * stride];
    b.head_scale_rows(&samples, heads.scale.eval(), o.activation, &genes, d, &mut rows);
    let samples = rows.chunks_exact(stride).flat_map(|row| &row[..d.cells]);
    results.push(("scale of samples", samples.map(|v| v.to_f64()).collect()));
    results.extend(heads.read(case));
    results
}

fn any_options() -> impl Strategy<Value = Options> {
    use GeneLikelihood::{Nb, Normal, Poisson, Zinb};
    let likelihood = prop::sample::select(vec![Zinb, Nb, Poisson, Normal]);
    let activation =
        prop::sample::select(vec![ScaleActivation::Softmax, ScaleActivation::Softplus]);
    let n_groups = prop::option::of(1usize..4);
    (likelihood, activation, n_groups, any::<[bool; 3]>()).prop_map(
        |(likelihood, activation, n_groups, [normalised, dropout_step, gated])| Options {
            likelihood,
            activation,
            n_groups,
            normalised,
            dropout_step,
            gated,
        },
    )
}

fn any_dims() -> impl Strategy<Value = HeadDims> {
    (1usize..70, 1usize..500, 1usize..60).prop_map(|(cells, genes, hidden)| HeadDims {
        cells,
        genes,
        hidden,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn training_agrees(seed in any::<u64>(), d in any_dims(), o in any_options()) {
        hold_to_reference!(training, seed, d, o);
    }

    #[test]
    fn evaluation_agrees(seed in any::<u64>(), d in any_dims(), o in any_options()) {
        hold_to_reference!(evaluation, seed, d, o);
    }
}
