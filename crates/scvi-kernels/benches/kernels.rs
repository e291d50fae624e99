//! The kernels one by one, at scVI's default sizes: 128 cells, 128 hidden units, counts of 8 %
//! density.
//!
//! ```text
//! SCVI_BENCH_THREADS=2 cargo bench -p scvi-kernels
//! ```
//! Without the variable rayon's default number of threads is used. Throughput is in elements:
//! (cells, genes) for the heads, products of a count and a weight for the sparse layer, counts for
//! loading, and the numbers of the array elsewhere.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use scvi_kernels::ops::adam::AdamRule;
use scvi_kernels::ops::count_head::{
    CountHead, Dispersion, DropoutStep, GeneLikelihood, HeadDims, HeadLayer, HeadLayerSinks,
    HeadParams, HeadPlan, HeadSinks, LikelihoodPass,
};
use scvi_kernels::ops::linear::LinearDims;
use scvi_kernels::{
    Aligned, BatchNormState, CountsBatch, Cpu, CsrRows, Device, GradSink, HeadOps, LinearOps,
    NoiseKey, NoiseOps, NormOps, Philox,
};

const CELLS: usize = 128;
const HIDDEN: usize = 128;
const DENSITY: f64 = 0.08;
const GENES: [usize; 2] = [2_000, 10_000];

fn main() {
    let threads = std::env::var("SCVI_BENCH_THREADS").map_or(0, |n| n.parse().expect("a number"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    println!("{} threads", pool.current_num_threads());
    pool.install(divan::main);
}

fn buf(values: &[f32]) -> Aligned<f32> {
    let mut buf = Cpu::new().zeros(values.len());
    Cpu::new().upload(&mut buf, values);
    buf
}

fn normal(n: usize, sd: f64) -> Aligned<f32> {
    let philox = Philox::new(n as u64);
    let normal = |i| (sd * philox.normal_pair(0, 0, i as u32, 0)[0]) as f32;
    buf(&(0..n).map(normal).collect::<Vec<_>>())
}

/// A count is 1 more often than not, and 8 at the most.
fn rows(genes: usize) -> CsrRows {
    let philox = Philox::new(1);
    let mut rows = CsrRows::default();
    rows.clear();
    for cell in 0..CELLS as u32 {
        let unit = |stream, gene: u32| philox.uniform(stream, cell, gene, 0);
        let expressed: Vec<u32> = (0..genes as u32).filter(|&g| unit(0, g) < DENSITY).collect();
        let counts: Vec<f32> =
            expressed.iter().map(|&g| 8f64.powf(unit(1, g).powi(2)).round() as f32).collect();
        rows.push(&expressed, &counts);
    }
    rows
}

fn batch(genes: usize) -> CountsBatch<f32> {
    let rows = rows(genes);
    let mut batch = CountsBatch::new(CELLS, rows.counts.len(), genes, true);
    batch.load(&rows, true);
    batch
}

/// A parameter under training.
struct Trained {
    value: Aligned<f32>,
    m: Aligned<f32>,
    v: Aligned<f32>,
}

impl Trained {
    fn new(n: usize) -> Self {
        Self { value: normal(n, 0.05), m: buf(&vec![0.0; n]), v: buf(&vec![0.01; n]) }
    }

    fn sink(&mut self) -> GradSink<'_, Cpu> {
        let Self { value, m, v } = self;
        GradSink::Adam { value, m, v, step: AdamRule::default().at_step(1000) }
    }
}

fn layer([w, b]: &[Trained; 2]) -> HeadLayer<'_, Cpu> {
    HeadLayer { weight: &w.value, bias: Some(&b.value), norm: None }
}

fn sinks([w, b]: &mut [Trained; 2]) -> HeadLayerSinks<'_, Cpu> {
    HeadLayerSinks { weight: w.sink(), bias: Some(b.sink()), norm: None }
}

/// The heads with the stages before the one that is measured behind them.
struct Heads {
    dims: HeadDims,
    likelihood: GeneLikelihood,
    batch: CountsBatch<f32>,
    h: Aligned<f32>,
    scale: [Trained; 2],
    dropout: Option<[Trained; 2]>,
    px_r: Trained,
    nll: Aligned<f32>,
    dh: Aligned<f32>,
}

impl Heads {
    fn new(genes: usize, likelihood: GeneLikelihood) -> Self {
        let pair = || [Trained::new(genes * HIDDEN), Trained::new(genes)];
        Self {
            dims: HeadDims { cells: CELLS, genes, hidden: HIDDEN },
            likelihood,
            batch: batch(genes),
            h: buf(&normal(CELLS * HIDDEN, 1.0).iter().map(|v| v.max(0.0)).collect::<Vec<_>>()),
            scale: pair(),
            dropout: likelihood.has_pi().then(pair),
            px_r: Trained::new(genes),
            nll: buf(&[0.0; CELLS]),
            dh: buf(&[0.0; CELLS * HIDDEN]),
        }
    }

    fn elements(&self) -> ItemsCount {
        ItemsCount::new(CELLS * self.dims.genes)
    }

    fn head(&self) -> CountHead<f32> {
        let zero_inflated = self.likelihood.has_pi();
        // The input is a ReLU's.
        let gated = HeadPlan { gated_input: true, ..HeadPlan::default() };
        Cpu::new().head(self.dims, HeadPlan { zero_inflated, training: true, ..gated })
    }

    fn forward(&self, head: &mut CountHead<f32>, dropout: Stage) {
        let dropout = self.dropout.as_ref().filter(|_| dropout == Stage::Own);
        let params =
            HeadParams { scale: layer(&self.scale), dropout: dropout.map(layer), dispersion: None };
        Cpu::new().head_forward(head, &self.h, params, self.dims);
    }

    fn likelihood(&mut self, head: &mut CountHead<f32>, dropout: Stage) {
        let step = self.dropout.as_mut().filter(|_| dropout == Stage::Likelihood);
        let pass = LikelihoodPass {
            likelihood: self.likelihood,
            counts: &self.batch,
            library: &buf(self.batch.library()),
            grad_weight: Some(1.0 / CELLS as f32),
            dropout: step.map(|layer| DropoutStep { input: &self.h, sinks: sinks(layer) }),
        };
        let dispersion = match self.likelihood.has_theta() {
            true => Dispersion::Table { px_r: self.px_r.sink(), groups: None, n_groups: 1 },
            false => Dispersion::None,
        };
        Cpu::new().head_likelihood(head, pass, dispersion, &mut self.nll, self.dims);
    }

    fn grad(&mut self, head: &mut CountHead<f32>, dropout: Stage) {
        let dropout = self.dropout.as_mut().filter(|_| dropout == Stage::Own);
        let sinks = HeadSinks {
            scale: sinks(&mut self.scale),
            dropout: dropout.map(sinks),
            dispersion: None,
        };
        Cpu::new().head_grad(head, &self.h, sinks, &mut self.dh, self.dims);
    }
}

/// Where the layer of zero-inflation logits is computed.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// in the stages of the layers, before and after the likelihood
    Own,
    /// in the likelihood's
    Likelihood,
}

/// Both heads of the zero-inflated negative binomial.
#[divan::bench(args = GENES)]
fn head_forward(bencher: Bencher, genes: usize) {
    let heads = Heads::new(genes, GeneLikelihood::Zinb);
    let mut head = heads.head();
    bencher
        .counter(heads.elements())
        .bench_local(|| heads.forward(black_box(&mut head), Stage::Own));
}

/// Each run starts from the forward pass's results: the stage writes over them.
fn likelihood(bencher: Bencher, genes: usize, likelihood: GeneLikelihood) {
    let mut heads = Heads::new(genes, likelihood);
    let mut ready = heads.head();
    heads.forward(&mut ready, Stage::Own);
    bencher
        .counter(heads.elements())
        .with_inputs(|| ready.clone())
        .bench_local_refs(|head| heads.likelihood(head, Stage::Own));
}

#[divan::bench(args = GENES, sample_size = 1)]
fn head_likelihood_zinb(bencher: Bencher, genes: usize) {
    likelihood(bencher, genes, GeneLikelihood::Zinb);
}

#[divan::bench(args = GENES, sample_size = 1)]
fn head_likelihood_nb(bencher: Bencher, genes: usize) {
    likelihood(bencher, genes, GeneLikelihood::Nb);
}

#[divan::bench(args = GENES, sample_size = 1)]
fn head_likelihood_poisson(bencher: Bencher, genes: usize) {
    likelihood(bencher, genes, GeneLikelihood::Poisson);
}

/// Both heads' weights and biases with Adam, and the gradient of their input.
#[divan::bench(args = GENES, sample_size = 1)]
fn head_grad(bencher: Bencher, genes: usize) {
    let mut heads = Heads::new(genes, GeneLikelihood::Zinb);
    let mut ready = heads.head();
    heads.forward(&mut ready, Stage::Own);
    heads.likelihood(&mut ready, Stage::Own);
    bencher
        .counter(heads.elements())
        .with_inputs(|| ready.clone())
        .bench_local_refs(|head| heads.grad(head, Stage::Own));
}

/// The three stages one after the other, as in a step.
#[divan::bench(args = GENES)]
fn head_step(bencher: Bencher, genes: usize) {
    let mut heads = Heads::new(genes, GeneLikelihood::Zinb);
    let mut head = heads.head();
    bencher.counter(heads.elements()).bench_local(|| {
        heads.forward(&mut head, Stage::Likelihood);
        heads.likelihood(&mut head, Stage::Likelihood);
        heads.grad(&mut head, Stage::Likelihood);
    });
}

#[divan::bench(args = GENES)]
fn sparse_linear(bencher: Bencher, genes: usize) {
    let (batch, nnz) = (batch(genes), rows(genes).counts.len());
    let (w, bias) = (normal(genes * HIDDEN, 0.05), normal(HIDDEN, 0.05));
    let mut y = buf(&[0.0; CELLS * HIDDEN]);
    bencher.counter(ItemsCount::new(nnz * HIDDEN)).bench_local(|| {
        Cpu::new().sparse_linear(&batch, &w, Some(&bias), black_box(&mut y), HIDDEN);
    });
}

/// With Adam on every gene's row.
#[divan::bench(args = GENES)]
fn sparse_linear_grad(bencher: Bencher, genes: usize) {
    let (batch, nnz) = (batch(genes), rows(genes).counts.len());
    let mut w = Trained::new(genes * HIDDEN);
    let dy = normal(CELLS * HIDDEN, 0.01);
    bencher.counter(ItemsCount::new(nnz * HIDDEN)).bench_local(|| {
        Cpu::new().sparse_linear_grad(&batch, &dy, HIDDEN, black_box(&mut w).sink());
    });
}

#[divan::bench(args = GENES)]
fn load_counts(bencher: Bencher, genes: usize) {
    let (mut batch, rows) = (batch(genes), rows(genes));
    bencher
        .counter(ItemsCount::new(rows.counts.len()))
        .bench_local(|| black_box(&mut batch).load(&rows, true));
}

/// Adam on a head's weights, one thread: a bias's gradient over no cells is nothing but Adam.
#[divan::bench(args = GENES)]
fn adam(bencher: Bencher, genes: usize) {
    let n_out = genes * HIDDEN;
    let mut w = Trained::new(n_out);
    let (dims, dy) = (LinearDims { cells: 0, n_in: 1, n_out }, buf(&[]));
    bencher
        .counter(ItemsCount::new(n_out))
        .bench_local(|| Cpu::new().bias_grad(&dy, dims, black_box(&mut w).sink()));
}

#[divan::bench]
fn batch_norm(bencher: Bencher) {
    let (gamma, beta) = (buf(&[1.0; HIDDEN]), buf(&[0.0; HIDDEN]));
    let (mut running_mean, mut running_var) = (buf(&[0.0; HIDDEN]), buf(&[1.0; HIDDEN]));
    let (mut normalised, mut inv_std) = (buf(&[0.0; CELLS * HIDDEN]), buf(&[0.0; HIDDEN]));
    let mut x = normal(CELLS * HIDDEN, 1.0);
    bencher.counter(ItemsCount::new(CELLS * HIDDEN)).bench_local(|| {
        let state = BatchNormState {
            gamma: &gamma,
            beta: &beta,
            running_mean: &mut running_mean,
            running_var: &mut running_var,
            momentum: 0.01,
            eps: 1e-3,
            normalised: &mut normalised,
            inv_std: &mut inv_std,
        };
        Cpu::new().batch_norm_train(state, [CELLS, HIDDEN], black_box(&mut x));
    });
}

#[divan::bench]
fn dropout_noise(bencher: Bencher) {
    let key = NoiseKey { seed: 0, stream: 0x100, draw: 0 };
    let cells: Vec<u32> = (0..CELLS as u32).collect();
    let mut out = buf(&[0.0; CELLS * HIDDEN]);
    bencher.counter(ItemsCount::new(CELLS * HIDDEN)).bench_local(|| {
        Cpu::new().dropout_noise(key, &cells, [CELLS, HIDDEN], 0.1, black_box(&mut out));
    });
}
