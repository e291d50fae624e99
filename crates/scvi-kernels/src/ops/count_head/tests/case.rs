//! One random case of the heads, its inputs by name, and the whole pass over it.

use std::collections::BTreeMap;

use super::named::{Named, Norms};
use crate::ops::count_head::{
    CountHead, Dispersion, DropoutStep, GeneLikelihood, HeadDims, HeadOutput, HeadPlan,
    LikelihoodPass, ScaleActivation, WeightBlocks,
};
use crate::testing::{Draw, Mode, Parameter, buf, cast, full};
use crate::{CountsBatch, Cpu, CsrRows, HeadOps, Real};

/// A normalisation's, scVI's own.
pub(super) const MOMENTUM: f64 = 0.01;
/// A normalisation's, larger than scVI's: the curve around a variance of zero is then flat enough
/// for differences.
pub(super) const NORM_EPS: f64 = 0.1;

pub(super) const LIKELIHOODS: [GeneLikelihood; 4] =
    [GeneLikelihood::Zinb, GeneLikelihood::Nb, GeneLikelihood::Poisson, GeneLikelihood::Normal];

/// Genes about the bounds of a vector of 16, of 128, of one block and of several; cells about those
/// of a vector.
const SHAPES: [[usize; 3]; 9] = [
    [1, 1, 1],
    [2, 1, 5],
    [3, 2, 1],
    [15, 127, 3],
    [16, 128, 4],
    [17, 129, 7],
    [40, 300, 5],
    [5, 40, 17],
    [33, 257, 2],
];

/// What θ is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Theta {
    /// a table with so many columns; cells take turns
    Table(usize),
    /// a head's output
    Head,
}

/// A choice along every axis of options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kind {
    pub(super) likelihood: GeneLikelihood,
    pub(super) theta: Theta,
    pub(super) activation: ScaleActivation,
    /// whether layers have a bias
    pub(super) bias: bool,
    /// whether they are normalised
    pub(super) norm: bool,
    /// whether the layer of zero-inflation logits is kept from the likelihood, normalised or not
    pub(super) dropout_apart: bool,
    /// whether the input's gradient is wanted only where the input is not zero
    pub(super) gated: bool,
}

impl Kind {
    /// scVI's own choices but for the likelihood.
    pub(super) fn new(likelihood: GeneLikelihood) -> Self {
        let activation = ScaleActivation::Softmax;
        Self {
            likelihood,
            theta: Theta::Table(1),
            activation,
            bias: true,
            norm: false,
            dropout_apart: false,
            gated: false,
        }
    }

    /// Every likelihood with every kind of θ, and with every other option.
    pub(super) fn all() -> Vec<Self> {
        let each = |likelihood: GeneLikelihood| {
            let plain = Self::new(likelihood);
            [
                plain,
                Self { theta: Theta::Table(3), ..plain },
                Self { theta: Theta::Head, ..plain },
                Self { activation: ScaleActivation::Softplus, ..plain },
                Self { bias: false, ..plain },
                Self { norm: true, ..plain },
                Self { dropout_apart: true, ..plain },
                Self {
                    theta: Theta::Head,
                    activation: ScaleActivation::Softplus,
                    bias: false,
                    norm: true,
                    ..plain
                },
            ]
        };
        LIKELIHOODS.into_iter().flat_map(each).collect()
    }

    /// Whether there is a head of px_r.
    pub(super) fn gene_cell(self) -> bool {
        self.likelihood.has_theta() && self.theta == Theta::Head
    }

    /// Whether training leaves the layer of zero-inflation logits to the likelihood.
    fn dropout_in_likelihood(self) -> bool {
        self.likelihood.has_pi() && !self.norm && !self.dropout_apart
    }

    pub(super) fn plan(self, training: bool) -> HeadPlan {
        let zero_inflated = self.likelihood.has_pi();
        HeadPlan {
            activation: self.activation,
            zero_inflated,
            gene_cell: self.gene_cell(),
            training,
            gated_input: self.gated,
        }
    }
}

/// Inputs of one pass.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) dims: HeadDims,
    pub(super) kind: Kind,
    pub(super) rows: CsrRows,
    pub(super) library: Vec<f64>,
    pub(super) h: Vec<f64>,
    /// every parameter that this kind has
    pub(super) parameters: BTreeMap<String, Vec<f64>>,
    /// running mean and variance of each head, where heads are normalised
    pub(super) running: BTreeMap<&'static str, [Vec<f64>; 2]>,
}

/// What a pass gives.
#[derive(Debug, Clone)]
pub(super) struct Outcome<F> {
    pub(super) nll: Vec<F>,
    pub(super) dh: Vec<F>,
    pub(super) d_library: Vec<F>,
    /// in the order of [`Case::parameters`]
    pub(super) parameters: Vec<Parameter<F>>,
    /// in the order of [`Case::running`], moved by the pass
    pub(super) running: Vec<[Vec<F>; 2]>,
}

/// What can be read after an evaluation.
#[derive(Debug, Clone)]
pub(super) struct Evaluation<F> {
    pub(super) nll: Vec<F>,
    pub(super) scale: Vec<F>,
    pub(super) dropout: Option<Vec<F>>,
    pub(super) px_r: Option<Vec<F>>,
}

impl Case {
    pub(super) fn new([cells, genes, hidden]: [usize; 3], kind: Kind, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let mut rows = draw.counts(cells, genes, 0.15, 30.0);
        if !kind.likelihood.of_counts() {
            // Neither whole nor positive.
            rows.counts.iter_mut().for_each(|x| *x *= draw.within(-0.7, 1.3) as f32);
        }
        let mut parameters = BTreeMap::new();
        let mut running = BTreeMap::new();
        let mut head = |name: &'static str| {
            let mut parameter = |of, n| parameters.insert(format!("{name} {of}"), draw.normal(n));
            parameter("weight", genes * hidden);
            if kind.bias {
                parameter("bias", genes);
            }
            if kind.norm {
                parameter("gamma", genes);
                parameter("beta", genes);
                let var = draw.normal(genes).iter().map(|v| 0.5 + v * v).collect();
                running.insert(name, [draw.normal(genes), var]);
            }
        };
        head("scale");
        if kind.likelihood.has_pi() {
            head("dropout");
        }
        match kind.theta {
            _ if !kind.likelihood.has_theta() => {}
            Theta::Head => head("px_r"),
            Theta::Table(groups) => {
                parameters.insert("px_r".into(), draw.normal(genes * groups));
            }
        }
        // Off the observed size: at it a Poisson's library gradient is zero for the softmax.
        let off = draw.normal(cells);
        Self {
            dims: HeadDims { cells, genes, hidden },
            kind,
            library: library(&rows).iter().zip(off).map(|(l, off)| l + 0.5 * off).collect(),
            rows,
            h: draw.normal(cells * hidden),
            parameters,
            running,
        }
    }

    /// Every kind in every shape.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Kind::all().into_iter().flat_map(|kind| SHAPES.map(|shape| Self::new(shape, kind, 1)))
    }

    pub(super) fn name(&self) -> String {
        format!("{:?} {:?}", self.kind, self.dims)
    }

    pub(super) fn n_groups(&self) -> usize {
        match self.kind.theta {
            Theta::Table(groups) => groups,
            Theta::Head => 1,
        }
    }

    pub(super) fn group(&self, cell: usize) -> usize {
        // Not the plain order of cells, so that groups differ in size.
        cell * cell % self.n_groups()
    }

    /// Sets every number of a parameter, where this kind has it.
    pub(super) fn fill(&mut self, name: &str, mut value: impl FnMut() -> f64) {
        for v in self.parameters.get_mut(name).into_iter().flatten() {
            *v = value();
        }
    }

    pub(super) fn head<F: Real>(&self) -> CountHead<F> {
        Cpu::new().head(self.dims, self.kind.plan(true))
    }

    pub(super) fn batch<F: Real>(&self) -> CountsBatch<F> {
        let mut batch =
            CountsBatch::new(self.dims.cells, self.rows.counts.len(), self.dims.genes, true);
        batch.load(&self.rows, true);
        batch
    }

    /// As the heads store them.
    pub(super) fn fresh_parameters<F: Real>(&self) -> Vec<Parameter<F>> {
        let order = WeightBlocks::new(self.dims.genes, self.dims.hidden);
        let stored = |(name, values): (&String, &Vec<f64>)| match name.ends_with("weight") {
            true => Parameter::new(&order.store(values)),
            false => Parameter::new(values),
        };
        self.parameters.iter().map(stored).collect()
    }

    /// A parameter's gradient, in the order of [`Case::parameters`].
    pub(super) fn gradient<F: Real>(&self, name: &str, parameter: &Parameter<F>) -> Vec<F> {
        let order = WeightBlocks::new(self.dims.genes, self.dims.hidden);
        match name.ends_with("weight") {
            true => order.restore(&parameter.grad),
            false => parameter.grad.to_vec(),
        }
    }

    /// The whole pass in a workspace of its own; the loss is the mean of the cells' nll.
    pub(super) fn run<F: Real>(&self, mode: Mode) -> Outcome<F> {
        self.run_in(&mut self.head(), &mut self.batch(), self.fresh_parameters(), mode)
    }

    /// The whole pass in workspaces that may be larger and used.
    pub(super) fn run_in<F: Real>(
        &self,
        head: &mut CountHead<F>,
        batch: &mut CountsBatch<F>,
        mut parameters: Vec<Parameter<F>>,
        mode: Mode,
    ) -> Outcome<F> {
        let (d, cpu, h) = (self.dims, Cpu::<F>::new(), buf(&cast(&self.h)));
        batch.load(&self.rows, true);
        let mut named = Named::new(self, &mut parameters);
        let weight = Some(F::of(1.0 / d.cells as f64));
        let mut norms = Norms::new(self);
        let nll = self.likelihood(head, batch, &mut named, &mut norms, mode, weight);
        let mut d_library = full(d.cells, F::of(f64::NAN));
        cpu.head_library_grad(head, &mut d_library, d);
        let mut dh = full(d.cells * d.hidden, F::of(f64::NAN));
        cpu.head_grad(head, &h, named.sinks(&norms, mode), &mut dh, d);
        let running = norms.heads.into_values().map(|norm| norm.running.map(|v| v.to_vec()));
        let (dh, d_library) = (dh.to_vec(), d_library.to_vec());
        Outcome { nll, dh, d_library, parameters, running: running.collect() }
    }

    /// The loss of a training pass.
    pub(super) fn loss(&self) -> f64 {
        let mut parameters = self.fresh_parameters();
        let mut named = Named::new(self, &mut parameters);
        let (mut head, mut norms) = (self.head(), Norms::new(self));
        let batch = &self.batch();
        mean(&self.likelihood(&mut head, batch, &mut named, &mut norms, Mode::Frozen, None))
    }

    /// An evaluation, and all that can be read after it.
    pub(super) fn evaluate<F: Real>(&self) -> Evaluation<F> {
        let d = self.dims;
        let mut head = Cpu::<F>::new().head(d, self.kind.plan(false));
        let nll = self.evaluate_in(&mut head);
        let dropout = self.kind.likelihood.has_pi().then(|| read(&head, HeadOutput::Dropout, d));
        let px_r = self.kind.gene_cell().then(|| read(&head, HeadOutput::Dispersion, d));
        Evaluation { nll, scale: read(&head, HeadOutput::Scale, d), dropout, px_r }
    }

    /// The loss of each cell, in evaluation mode.
    pub(super) fn evaluate_in<F: Real>(&self, head: &mut CountHead<F>) -> Vec<F> {
        let mut parameters = self.fresh_parameters();
        let mut named = Named::new(self, &mut parameters);
        let mut norms = Norms { training: false, ..Norms::new(self) };
        self.likelihood(head, &self.batch(), &mut named, &mut norms, Mode::Frozen, None)
    }

    /// The first stage, in evaluation mode.
    pub(super) fn decode<F: Real>(&self, head: &mut CountHead<F>) {
        let mut parameters = self.fresh_parameters();
        let named = Named::new(self, &mut parameters);
        let mut norms = Norms { training: false, ..Norms::new(self) };
        let params = named.params(&mut norms);
        Cpu::<F>::new().head_forward(head, &buf(&cast(&self.h)), params, self.dims);
    }

    /// The first two stages.
    fn likelihood<F: Real>(
        &self,
        head: &mut CountHead<F>,
        batch: &CountsBatch<F>,
        named: &mut Named<F>,
        norms: &mut Norms<F>,
        mode: Mode,
        grad_weight: Option<F>,
    ) -> Vec<F> {
        let (d, cpu) = (self.dims, Cpu::<F>::new());
        let h = buf(&cast(&self.h));
        let in_likelihood = grad_weight.is_some() && self.kind.dropout_in_likelihood();
        let mut params = named.params(norms);
        params.dropout = params.dropout.filter(|_| !in_likelihood);
        cpu.head_forward(head, &h, params, d);
        let sinks = in_likelihood.then(|| named.layer_sinks("dropout", None, mode)).flatten();
        let groups: Vec<u32> = (0..d.cells).map(|c| self.group(c) as u32).collect();
        let dispersion = match (named.0.get_mut("px_r"), self.kind.theta) {
            (Some(px_r), Theta::Table(n_groups)) => {
                let groups = (n_groups > 1).then_some(&groups);
                Dispersion::Table { px_r: px_r.sink(mode), groups, n_groups }
            }
            _ if self.kind.gene_cell() => Dispersion::FromDecoder,
            _ => Dispersion::None,
        };
        let pass = LikelihoodPass {
            likelihood: self.kind.likelihood,
            counts: batch,
            library: &buf(&cast(&self.library)),
            grad_weight,
            dropout: sinks.map(|sinks| DropoutStep { input: &h, sinks }),
        };
        let mut nll = full(d.cells, F::of(f64::NAN));
        cpu.head_likelihood(head, pass, dispersion, &mut nll, d);
        nll.to_vec()
    }
}

/// A number of every cell and gene.
pub(super) fn read<F: Real>(head: &CountHead<F>, what: HeadOutput, d: HeadDims) -> Vec<F> {
    let mut out = vec![F::of(f64::NAN); d.cells * d.genes];
    Cpu::<F>::new().head_read(head, what, None, d, &mut out);
    out
}

/// ln Σ_g |x| of each cell.
pub(super) fn library(rows: &CsrRows) -> Vec<f64> {
    let total = |w: &[usize]| rows.counts[w[0]..w[1]].iter().map(|&x| x.abs() as f64).sum::<f64>();
    rows.indptr.windows(2).map(|w| total(w).ln()).collect()
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
