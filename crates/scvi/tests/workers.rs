//! Workers that share a training give results bit-identical to those of a single one.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;

use scvi::comm::{Comm, Threads};
use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::module::{BatchRepresentation, Dispersion, NormPlacement, Vae, VaeConfig};
use scvi::train::{Event, TrainError, TrainPlan, Trained, TrainingRun, train};
use scvi::{Cpu, DefaultBackend};

const GENES: usize = 40;

fn config() -> VaeConfig {
    VaeConfig { n_input: GENES, n_batch: 2, n_hidden: 9, n_latent: 3, ..VaeConfig::default() }
}

/// 1,080 cells to train on: a minibatch of eight leaves, the last of 104 cells, and one of a single
/// leaf, in which most workers have no part.
fn with_data<T>(work: impl FnOnce(&Dataset) -> T) -> T {
    let config =
        SimulateConfig { n_cells: 1_200, n_genes: GENES, density: 0.4, ..Default::default() };
    let sim = simulate(&config);
    work(&Dataset::new(&sim.counts, sim.batch.clone()).unwrap())
}

fn plan() -> TrainPlan {
    TrainPlan {
        max_epochs: Some(4),
        batch_size: 1_000,
        check_val_every_n_epoch: Some(1),
        ..TrainPlan::default()
    }
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

fn alone(config: &VaeConfig, data: &Dataset, plan: &TrainPlan) -> Trained {
    let spec = config.validate().unwrap();
    pool(1).install(|| train(spec, data, plan, &mut |_| ControlFlow::Continue(())).unwrap())
}

/// What each worker comes to.
fn together(
    workers: usize,
    threads: usize,
    config: &VaeConfig,
    data: &Dataset,
    plan: &TrainPlan,
) -> Vec<Trained> {
    let one = |comm: Threads| -> Result<Trained, TrainError> {
        let vae = Vae::new(DefaultBackend::new(), config.validate().unwrap(), plan.seed);
        let mut run = TrainingRun::of_worker(vae, data, plan, Arc::new(comm))?;
        loop {
            if let Event::Done(stop) = run.advance()? {
                return run.finish(stop);
            }
        }
    };
    let one = &one;
    thread::scope(|scope| {
        let started: Vec<_> = Threads::workers(workers)
            .into_iter()
            .map(|comm| scope.spawn(move || pool(threads).install(|| one(comm).unwrap())))
            .collect();
        started.into_iter().map(|worker| worker.join().unwrap()).collect()
    })
}

fn assert_same(label: &str, found: &Trained, want: &Trained) {
    assert_eq!(found.history, want.history, "{label}");
    for (name, tensor) in want.module.state_dict() {
        assert!(found.module.state_dict()[&name] == tensor, "{label}: {name}");
    }
}

#[test]
fn any_number_of_workers_and_threads_comes_to_the_same_bits() {
    with_data(|data| {
        let want = alone(&config(), data, &plan());
        for workers in [1, 2, 3, 5, 8] {
            for threads in [1, 2, 4] {
                let found = together(workers, threads, &config(), data, &plan());
                for (rank, found) in found.iter().enumerate() {
                    let label = format!("worker {rank} of {workers} with {threads} threads");
                    assert_same(&label, found, &want);
                }
            }
        }
    });
}

#[test]
fn every_part_of_a_model_is_shared() {
    let others = [
        (
            "library",
            VaeConfig {
                n_layers: 2,
                use_observed_lib_size: false,
                library_log_means: Some(vec![3.0, 4.0]),
                library_log_vars: Some(vec![0.5, 1.5]),
                dispersion: Dispersion::GeneBatch,
                ..config()
            },
            TrainPlan { gradient_clip_val: Some(0.5), ..plan() },
        ),
        (
            "embedding",
            VaeConfig {
                batch_representation: BatchRepresentation::Embedding,
                encode_covariates: true,
                dispersion: Dispersion::GeneCell,
                use_batch_norm: NormPlacement::None,
                use_layer_norm: NormPlacement::Both,
                ..config()
            },
            plan(),
        ),
    ];
    with_data(|data| {
        for (label, config, plan) in &others {
            let want = alone(config, data, plan);
            let found = together(3, 1, config, data, plan);
            found.iter().for_each(|found| assert_same(label, found, &want));
        }
    });
}

#[test]
fn a_model_that_takes_minibatches_whole_is_refused() {
    let norm = NormPlacement::Both;
    let linear = VaeConfig { linear_decoder: true, use_batch_norm: norm, ..config() };
    with_data(|data| {
        let plan = plan();
        let comm: Arc<dyn Comm> = Arc::new(Threads::workers(2).remove(0));
        let vae = Vae::new(Cpu::<f32>::new(), linear.validate().unwrap(), 0);
        let refused = TrainingRun::of_worker(vae, data, &plan, comm).err();
        assert!(matches!(refused, Some(TrainError::OneWorker { size: 2 })), "{refused:?}");
    });
}
