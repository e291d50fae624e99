//! The heads as a whole: forward, likelihood and gradient of one random case.

mod gradients;
mod likelihoods;
mod precision;
mod properties;

use super::{
    CountHead, Dispersion, GeneLikelihood, HeadDims, HeadParams, HeadSinks, LikelihoodPass,
};
use crate::testing::{Draw, Mode, Parameter, cast};
use crate::{Backend, CountsBatch, Cpu, CsrRows, Real};

const LIKELIHOODS: [GeneLikelihood; 3] =
    [GeneLikelihood::Zinb, GeneLikelihood::Nb, GeneLikelihood::Poisson];

/// Genes about the bounds of a block of 128, cells about those of a vector of 16.
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

/// Inputs of one pass.
#[derive(Debug, Clone)]
struct Case {
    dims: HeadDims,
    likelihood: GeneLikelihood,
    /// columns of the dispersion table; cells take turns
    n_groups: usize,
    rows: CsrRows,
    library: Vec<f64>,
    h: Vec<f64>,
    scale: [Vec<f64>; 2],
    dropout: [Vec<f64>; 2],
    px_r: Vec<f64>,
}

/// What a pass gives.
#[derive(Debug, Clone)]
struct Outcome<F> {
    nll: Vec<F>,
    dh: Vec<F>,
    /// scale's weight and bias, px_r, dropout's weight and bias; fewer where there are fewer
    parameters: Vec<Parameter<F>>,
}

impl Case {
    fn new(
        [cells, genes, hidden]: [usize; 3],
        likelihood: GeneLikelihood,
        n_groups: usize,
        seed: u64,
    ) -> Self {
        let mut draw = Draw::new(seed);
        let rows = draw.counts(cells, genes, 0.15, 30.0);
        let mut head = || [draw.normal(genes * hidden), draw.normal(genes)];
        let (scale, dropout) = (head(), head());
        Self {
            dims: HeadDims { cells, genes, hidden },
            likelihood,
            n_groups,
            library: library(&rows),
            rows,
            h: draw.normal(cells * hidden),
            scale,
            dropout,
            px_r: draw.normal(genes * n_groups),
        }
    }

    /// Every likelihood with a dispersion shared and by group, in every shape.
    fn all() -> impl Iterator<Item = Self> {
        let kinds = LIKELIHOODS.into_iter().flat_map(|l| [(l, 1), (l, 3)]);
        kinds.flat_map(|(likelihood, groups)| {
            SHAPES.map(|shape| Self::new(shape, likelihood, groups, groups as u64))
        })
    }

    fn name(&self) -> String {
        format!("{:?} {:?} {} groups", self.likelihood, self.dims, self.n_groups)
    }

    fn group(&self, cell: usize) -> usize {
        // Not the plain order of cells, so that groups differ in size.
        cell * cell % self.n_groups
    }

    fn head<F: Real>(&self) -> CountHead<F> {
        Cpu::new().head(self.dims, self.likelihood.has_pi(), true)
    }

    fn batch<F: Real>(&self) -> CountsBatch<F> {
        let mut batch = CountsBatch::new(self.dims.cells, self.rows.counts.len(), self.dims.genes);
        batch.load(&self.rows, true);
        batch
    }

    fn parameters<F: Real>(&self) -> Vec<Parameter<F>> {
        let mut values = vec![&self.scale[0], &self.scale[1]];
        values.extend(self.likelihood.has_theta().then_some(&self.px_r));
        values.extend(self.likelihood.has_pi().then_some(&self.dropout).into_iter().flatten());
        values.into_iter().map(|v| Parameter::new(v)).collect()
    }

    /// The whole pass in a workspace of its own; the loss is the mean of the cells' nll.
    fn run<F: Real>(&self, mode: Mode) -> Outcome<F> {
        let (mut head, mut batch) = (self.head(), self.batch());
        let mut parameters = self.parameters();
        let (nll, dh) = self.run_in(&mut head, &mut batch, &mut parameters, mode);
        Outcome { nll, dh, parameters }
    }

    /// The whole pass in workspaces that may be larger and used: nll and dh.
    fn run_in<F: Real>(
        &self,
        head: &mut CountHead<F>,
        batch: &mut CountsBatch<F>,
        parameters: &mut [Parameter<F>],
        mode: Mode,
    ) -> (Vec<F>, Vec<F>) {
        let (d, cpu) = (self.dims, Cpu::<F>::new());
        batch.load(&self.rows, true);
        let h = cast(&self.h);
        let [sw, sb, rest @ ..] = parameters else { unreachable!() };
        let (px_r, dropout) = rest.split_at_mut(self.likelihood.has_theta().into());
        let params = HeadParams {
            scale: (&sw.value, &sb.value),
            dropout: dropout.first().zip(dropout.get(1)).map(|(w, b)| (&w.value, &b.value)),
        };
        cpu.head_forward(head, &h, params, d);
        let groups: Vec<u32> = (0..d.cells).map(|c| self.group(c) as u32).collect();
        let dispersion = match px_r {
            [px_r] => Dispersion::Table {
                px_r: px_r.sink(mode),
                groups: (self.n_groups > 1).then_some(&groups),
                n_groups: self.n_groups,
            },
            _ => Dispersion::None,
        };
        let pass = LikelihoodPass {
            likelihood: self.likelihood,
            counts: batch,
            library: &cast(&self.library),
            grad_weight: Some(F::of(1.0 / d.cells as f64)),
        };
        let mut nll = vec![F::of(f64::NAN); d.cells];
        cpu.head_likelihood(head, pass, dispersion, &mut nll, d);
        let sinks = HeadSinks {
            scale: (sw.sink(mode), sb.sink(mode)),
            dropout: match dropout {
                [w, b] => Some((w.sink(mode), b.sink(mode))),
                _ => None,
            },
        };
        let mut dh = vec![F::of(f64::NAN); d.cells * d.hidden];
        cpu.head_grad(head, &h, sinks, &mut dh, d);
        (nll, dh)
    }

    /// nll alone, and what [`Backend::head_scale`] and [`Backend::head_dropout`] read.
    fn evaluate<F: Real>(&self) -> (Vec<F>, Vec<F>, Option<Vec<F>>) {
        let (d, cpu) = (self.dims, Cpu::<F>::new());
        let mut head = cpu.head(d, self.likelihood.has_pi(), false);
        let [scale, dropout] =
            [&self.scale, &self.dropout].map(|p| p.each_ref().map(|v| cast::<F>(v)));
        let params = HeadParams {
            scale: (&scale[0], &scale[1]),
            dropout: self.likelihood.has_pi().then_some((&dropout[0], &dropout[1])),
        };
        cpu.head_forward(&mut head, &cast(&self.h), params, d);
        let groups: Vec<u32> = (0..d.cells).map(|c| self.group(c) as u32).collect();
        let px_r: Vec<F> = cast(&self.px_r);
        let dispersion = match self.likelihood.has_theta() {
            true => Dispersion::Table {
                px_r: crate::GradSink::Frozen { value: &px_r },
                groups: Some(&groups),
                n_groups: self.n_groups,
            },
            false => Dispersion::None,
        };
        let pass = LikelihoodPass {
            likelihood: self.likelihood,
            counts: &self.batch(),
            library: &cast(&self.library),
            grad_weight: None,
        };
        let mut nll = vec![F::of(f64::NAN); d.cells];
        cpu.head_likelihood(&mut head, pass, dispersion, &mut nll, d);
        let pi = self.likelihood.has_pi().then(|| cpu.head_dropout(&head, d));
        (nll, cpu.head_scale(&head, d), pi)
    }
}

/// ln Σ_g x of each cell.
fn library(rows: &CsrRows) -> Vec<f64> {
    let total = |w: &[usize]| rows.counts[w[0]..w[1]].iter().map(|&x| x as f64).sum::<f64>();
    rows.indptr.windows(2).map(|w| total(w).ln()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
