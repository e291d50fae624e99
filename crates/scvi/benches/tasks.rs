//! The tasks on a trained model, end to end in memory: 10,000 simulated cells, 2,000 genes, counts of
//! 8 % density, a model with every default after one epoch.
//!
//! ```text
//! SCVI_BENCH_THREADS=2 cargo bench -p scvi
//! ```
//! Without the variable rayon's default number of threads is used. Throughput is in cells, and for
//! the marginal likelihood in draws of a cell. Arguments are cells of a minibatch, draws beside them.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use scvi::Cpu;
use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, Simulated, simulate};
use scvi::model::{
    Cells, CorrelationOptions, ExpressionOptions, PointEstimate, SampleOptions, elbo,
    feature_correlation_matrix, latent_representation, latent_sample, likelihood_parameters,
    marginal_ll, normalized_expression, posterior_predictive_sample, unwatched,
};
use scvi::module::{Vae, VaeConfig};
use scvi::train::{TrainPlan, train};

const CELLS: usize = 10_000;
const GENES: usize = 2_000;
/// scvi-tools' default, and the command's.
const BATCH_SIZES: [usize; 2] = [128, 512];

fn main() {
    let threads = std::env::var("SCVI_BENCH_THREADS").map_or(0, |n| n.parse().expect("a number"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    println!("{} threads", pool.current_num_threads());
    pool.install(divan::main);
}

struct Subject {
    data: Dataset<'static>,
    vae: Vae<Cpu<f32>>,
}

static COUNTS: LazyLock<Simulated> = LazyLock::new(|| {
    simulate(&SimulateConfig { n_cells: CELLS, n_genes: GENES, ..SimulateConfig::default() })
});

static SUBJECT: LazyLock<Subject> = LazyLock::new(|| {
    let sim = &*COUNTS;
    let data = Dataset::new(&sim.counts, sim.batch.clone()).expect("a code a cell");
    let config = VaeConfig { n_input: GENES, n_batch: 2, ..VaeConfig::default() };
    let spec = config.validate().expect("a model");
    let plan = TrainPlan { max_epochs: Some(1), ..TrainPlan::default() };
    let trained = train(spec, &data, &plan, &mut |_| ControlFlow::Continue(())).expect("a run");
    Subject { data, vae: trained.module }
});

impl Subject {
    fn cells(&self, batch_size: usize) -> Cells<'_> {
        Cells::all(&self.data, batch_size)
    }
}

/// Times a task on the trained model.
fn task<T>(bencher: Bencher, units: usize, run: impl Fn(&Subject) -> T + Sync) {
    let subject = &*SUBJECT;
    bencher.counter(ItemsCount::new(units)).bench_local(|| black_box(run(subject)));
}

#[divan::bench(args = BATCH_SIZES, sample_count = 40)]
fn latent(bencher: Bencher, batch_size: usize) {
    task(bencher, CELLS, |s| latent_representation(&s.vae, s.cells(batch_size), &mut unwatched));
}

#[divan::bench(args = BATCH_SIZES, sample_count = 40)]
fn latent_drawn(bencher: Bencher, batch_size: usize) {
    task(bencher, CELLS, |s| latent_sample(&s.vae, s.cells(batch_size), 0, &mut unwatched));
}

#[divan::bench(args = BATCH_SIZES, sample_count = 20)]
fn evaluate(bencher: Bencher, batch_size: usize) {
    let draw = PointEstimate::Sample { seed: 0 };
    task(bencher, CELLS, |s| elbo(&s.vae, s.cells(batch_size), draw, &mut unwatched));
}

#[divan::bench(args = [(128, 10), (512, 10)], sample_count = 3)]
fn marginal(bencher: Bencher, (batch_size, draws): (usize, u32)) {
    task(bencher, CELLS * draws as usize, |s| {
        marginal_ll(&s.vae, s.cells(batch_size), draws, 0, &mut unwatched)
    });
}

/// Into one matrix in memory, as Python has it.
#[divan::bench(args = BATCH_SIZES, sample_count = 20)]
fn normalize(bencher: Bencher, batch_size: usize) {
    task(bencher, CELLS, |s| {
        let mut all = Vec::with_capacity(CELLS * GENES);
        let options = ExpressionOptions::default();
        normalized_expression(
            &s.vae,
            s.cells(batch_size),
            &options,
            &mut unwatched,
            &mut |_, rows| {
                all.extend_from_slice(rows);
                Ok(())
            },
        )
        .expect("rows");
        all
    });
}

/// Rows are looked at and dropped, as where they stream to a file.
#[divan::bench(args = BATCH_SIZES, sample_count = 20)]
fn normalize_streaming(bencher: Bencher, batch_size: usize) {
    task(bencher, CELLS, |s| {
        let options = ExpressionOptions::default();
        let mut sink = |_, rows: &[f32]| {
            black_box(rows);
            Ok(())
        };
        normalized_expression(&s.vae, s.cells(batch_size), &options, &mut unwatched, &mut sink)
    });
}

#[divan::bench(args = BATCH_SIZES, sample_count = 3)]
fn parameters(bencher: Bencher, batch_size: usize) {
    task(bencher, CELLS, |s| {
        let mut sink = |rows: scvi::model::Parameters| {
            black_box(rows);
            Ok(())
        };
        let (cells, posterior) = (s.cells(batch_size), Default::default());
        likelihood_parameters(&s.vae, cells, posterior, true, &mut unwatched, &mut sink)
    });
}

#[divan::bench(args = BATCH_SIZES, sample_count = 3)]
fn sample(bencher: Bencher, batch_size: usize) {
    task(bencher, CELLS, |s| {
        let mut sink = |rows: scvi::model::SampledRows| {
            black_box(rows);
            Ok(())
        };
        let options = SampleOptions::default();
        posterior_predictive_sample(
            &s.vae,
            s.cells(batch_size),
            &options,
            &mut sink,
            &mut unwatched,
        )
    });
}

/// Of 200 genes, at a draw of each cell.
#[divan::bench(sample_count = 3)]
fn correlate(bencher: Bencher) {
    task(bencher, CELLS, |s| {
        let genes: Vec<u32> = (0..200).collect();
        let options = CorrelationOptions {
            n_samples: 1,
            genes: Some(genes),
            ..CorrelationOptions::default()
        };
        feature_correlation_matrix(&s.vae, s.cells(64), &options, &mut unwatched)
    });
}
