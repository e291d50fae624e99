//! A training step allocates nothing of its own once its buffers are made: `load` nothing at all,
//! and a step no more than the matrix products inside it, which pack into memory of their own.
//! Alone in its file, because the allocator counts for the whole process.

use std::alloc::System;

use scvi::Cpu;
use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::module::{
    Dispersion, GeneLikelihood, Minibatch, Noise, Scanvae, ScanvaeConfig, ScanvaeInputs,
    ScanvaeNoise, ScanvaeWorkspace, Vae, VaeConfig, Workspace,
};
use scvi_kernels::ops::adam::AdamRule;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What was asked of the allocator.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Calls {
    alloc: usize,
    realloc: usize,
    dealloc: usize,
}

impl Calls {
    fn add(&mut self, region: &Region<System>) {
        let change = region.change();
        self.alloc += change.allocations;
        self.realloc += change.reallocations;
        self.dealloc += change.deallocations;
    }
}

struct Run {
    vae: Vae<Cpu<f32>>,
    ws: Workspace<Cpu<f32>>,
    step: u64,
}

impl Run {
    fn new(config: &VaeConfig, max_nnz: usize) -> Self {
        let vae = Vae::new(Cpu::new(), config.validate().unwrap(), 0);
        let ws = vae.workspace(130, max_nnz, true);
        Self { vae, ws, step: 0 }
    }

    /// What a pass over the minibatches asks of the allocator: for loading, and for the steps.
    fn epoch(&mut self, batches: &[Minibatch]) -> [Calls; 2] {
        let [mut load, mut steps] = [Calls::default(); 2];
        for batch in batches {
            self.step += 1;
            let region = Region::new(ALLOCATOR);
            self.ws.load(self.vae.backend(), batch);
            load.add(&region);
            let noise = Noise::Seeded { seed: 0, draw: self.step as u32 };
            let adam = AdamRule::default().at_step(self.step);
            let region = Region::new(ALLOCATOR);
            self.vae.train_step(&mut self.ws, noise, 1.0, adam);
            steps.add(&region);
            assert!(self.ws.loss(self.vae.backend(), 1.0).is_finite());
        }
        [load, steps]
    }
}

/// The same of a SCANVAE, with a minibatch of all cells and one of labelled cells.
struct ScanvaeRun {
    model: Scanvae<Cpu<f32>>,
    ws: ScanvaeWorkspace<Cpu<f32>>,
    inputs: ScanvaeInputs<Cpu<f32>>,
    step: u64,
}

impl ScanvaeRun {
    fn new(config: &VaeConfig, max_nnz: usize) -> Self {
        let vae = VaeConfig { n_labels: LABELS, ..config.clone() };
        let config = ScanvaeConfig { vae, ..ScanvaeConfig::default() };
        let model = Scanvae::new(Cpu::new(), config.validate().unwrap(), 0);
        let sizes = [130, max_nnz];
        let (ws, inputs) = (model.workspace(sizes, sizes), model.inputs(sizes, sizes));
        Self { model, ws, inputs, step: 0 }
    }

    fn epoch(&mut self, batches: &[Minibatch]) -> [Calls; 2] {
        let [mut load, mut steps] = [Calls::default(); 2];
        for (batch, labelled) in batches.iter().zip(batches.iter().rev()) {
            self.step += 1;
            let region = Region::new(ALLOCATOR);
            self.inputs.load(self.model.backend(), batch, labelled);
            load.add(&region);
            let noise = ScanvaeNoise::Seeded { seed: 0, draw: self.step as u32, labelled_draw: 0 };
            let adam = AdamRule::default().at_step(self.step);
            let region = Region::new(ALLOCATOR);
            self.ws.swap_inputs(&mut self.inputs);
            self.model.train_step(&mut self.ws, noise, 1.0, 50.0, adam);
            steps.add(&region);
            assert!(self.model.loss(&self.ws, 1.0, 50.0).is_finite());
        }
        [load, steps]
    }
}

const LABELS: usize = 3;

/// Matrix products of one step on so many cells.
fn products(config: &VaeConfig, cells: usize) -> usize {
    let heads = if config.gene_likelihood == GeneLikelihood::Zinb { 2 } else { 1 };
    let blocks = config.n_input.div_ceil(256);
    // The encoder's first layer is sparse, and has two maps to mean and variance at its end. Each
    // dense layer: forward and the input's gradient in parts of cells, the weights' in parts of
    // inputs.
    let dense = config.n_layers + (config.n_layers - 1) + 2;
    let parts = 2 * cells.div_ceil(64) + config.n_hidden.div_ceil(64);
    3 * heads * blocks + dense * parts
}

/// Those of a SCANVAE: it encodes and classifies both minibatches, and tries every label.
fn scanvae_products(config: &VaeConfig, cells: usize) -> usize {
    let dense = |rows: usize| 2 * rows.div_ceil(64) + config.n_hidden.div_ceil(64);
    let layers = config.n_layers + 2;
    products(config, cells) + layers * (4 * dense(130) + 2 * dense(LABELS * cells))
}

#[test]
fn a_step_allocates_nothing_of_its_own() {
    let region = Region::new(ALLOCATOR);
    drop(std::hint::black_box(vec![0u8; 1000]));
    assert!(region.change().allocations > 0, "the allocator does not count");
    let n_genes = 700;
    let sim = simulate(&SimulateConfig { n_cells: 300, n_genes, ..Default::default() });
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let batches = [0..130, 130..258, 258..300].map(|cells| {
        let mut batch = Minibatch::default();
        data.fill(&cells.collect::<Vec<u32>>(), &mut batch).unwrap();
        batch.labels = batch.cells.iter().map(|cell| cell % LABELS as u32).collect();
        batch
    });
    let max_nnz = batches.iter().map(|b| b.rows.counts.len()).max().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let models = [
        (GeneLikelihood::Zinb, Dispersion::Gene),
        (GeneLikelihood::Nb, Dispersion::GeneBatch),
        (GeneLikelihood::Poisson, Dispersion::Gene),
    ];
    for (gene_likelihood, dispersion) in models {
        let config = VaeConfig {
            n_input: n_genes,
            n_batch: 2,
            n_layers: 2,
            encode_covariates: true,
            gene_likelihood,
            dispersion,
            ..VaeConfig::default()
        };
        // Scratch memory belongs to threads. Whoever starts an operation does its first part,
        // so that each thread gets all it can need by training a model of its own.
        pool.broadcast(|_| {
            Run::new(&config, max_nnz).epoch(&batches);
        });
        let mut run = Run::new(&config, max_nnz);
        let [load, steps] = pool.install(|| {
            run.epoch(&batches);
            run.epoch(&batches)
        });
        assert_eq!(load, Calls::default(), "load, {gene_likelihood:?}");
        let n = steps.alloc;
        let balanced = Calls { alloc: n, realloc: 0, dealloc: n };
        assert_eq!(steps, balanced, "what a step takes, it gives back");
        // The matrix product notes what it has packed, and packs one side or both.
        let each = batches.iter().map(|batch| products(&config, batch.rows.n_cells()));
        let most = 2 * each.sum::<usize>();
        assert!(n <= most, "{gene_likelihood:?}: {n} allocations, {most} allowed");
        pool.broadcast(|_| {
            ScanvaeRun::new(&config, max_nnz).epoch(&batches);
        });
        let mut run = ScanvaeRun::new(&config, max_nnz);
        let [load, steps] = pool.install(|| {
            run.epoch(&batches);
            run.epoch(&batches)
        });
        assert_eq!(load, Calls::default(), "load, SCANVAE, {gene_likelihood:?}");
        let n = steps.alloc;
        assert_eq!(steps, Calls { alloc: n, realloc: 0, dealloc: n }, "SCANVAE");
        let each = batches.iter().map(|batch| scanvae_products(&config, batch.rows.n_cells()));
        let most = 2 * each.sum::<usize>();
        assert!(n <= most, "SCANVAE, {gene_likelihood:?}: {n} allocations, {most} allowed");
    }
}
