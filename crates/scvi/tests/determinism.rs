//! Training: the same model for any number of threads, any number of cells, and records where they
//! should be.

use std::ops::ControlFlow;

use scvi::data::simulate::{SimulateConfig, Simulated, simulate};
use scvi::data::{CountSource, Dataset, Shuffling, SplitError, StreamedCounts};
use scvi::module::{Dispersion, VaeConfig};
use scvi::train::{EarlyStopping, Stop, TrainError, TrainPlan, Trained, train};

fn simulated(n_cells: usize, n_genes: usize) -> Simulated {
    simulate(&SimulateConfig { n_cells, n_genes, density: 0.2, ..Default::default() })
}

fn config(n_genes: usize) -> VaeConfig {
    VaeConfig { n_input: n_genes, n_batch: 2, n_hidden: 16, n_latent: 3, ..Default::default() }
}

fn plan(epochs: usize) -> TrainPlan {
    TrainPlan { max_epochs: Some(epochs), ..Default::default() }
}

fn run(sim: &Simulated, plan: &TrainPlan) -> Result<Trained, TrainError> {
    run_config(sim, plan, &config(sim.counts.n_genes()))
}

fn run_config(
    sim: &Simulated,
    plan: &TrainPlan,
    config: &VaeConfig,
) -> Result<Trained, TrainError> {
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    train(config.validate().unwrap(), &data, plan, &mut |_| ControlFlow::Continue(()))
}

/// Every parameter and running moment, to be compared to the last bit.
fn bits(trained: Trained) -> Vec<(String, Vec<u32>)> {
    let state = trained.module.state_dict().into_iter();
    state.map(|(name, t)| (name, t.data.iter().map(|v| v.to_bits()).collect())).collect()
}

/// Epochs that validated.
fn validated(trained: &Trained) -> Vec<usize> {
    let epochs = trained.history.epochs.iter();
    epochs.filter(|e| e.validation.is_some()).map(|e| e.epoch).collect()
}

#[test]
fn threads_do_not_show() {
    let sim = simulated(150, 300);
    let config = VaeConfig { dispersion: Dispersion::GeneBatch, n_layers: 2, ..config(300) };
    let plan = TrainPlan { check_val_every_n_epoch: Some(1), ..plan(3) };
    let of = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let trained = pool.install(|| run_config(&sim, &plan, &config).unwrap());
        (trained.history.clone(), bits(trained))
    };
    let one = of(1);
    assert!(one == of(2), "two threads give another model");
    assert!(one == of(3), "three threads give another model");
}

#[test]
fn counts_that_are_read_as_they_are_needed_make_the_same_model() {
    let sim = simulated(300, 50);
    let plan = TrainPlan {
        shuffling: Shuffling::Blocks { block_size: 8, buffer_size: 64 },
        check_val_every_n_epoch: Some(2),
        ..plan(3)
    };
    let of = |counts: &dyn CountSource| {
        let data = Dataset::new(counts, sim.batch.clone()).unwrap();
        let spec = config(50).validate().unwrap();
        let trained = train(spec, &data, &plan, &mut |_| ControlFlow::Continue(())).unwrap();
        (trained.history.clone(), bits(trained))
    };
    let in_memory = of(&sim.counts);
    let most = sim.counts.max_nnz_per_cell();
    for (block_size, capacity) in [(8, 128), (8, 1), (64, 128)] {
        let streamed =
            StreamedCounts::new(Box::new(sim.counts.clone()), most, block_size, capacity);
        assert!(of(&streamed) == in_memory, "{block_size} cells a block, {capacity} held");
    }
    let shuffled = run(&sim, &TrainPlan { shuffling: Shuffling::Cells, ..plan.clone() }).unwrap();
    assert!(bits(shuffled) != in_memory.1, "blocks make another order");
}

#[test]
fn the_seed_makes_the_model() {
    let sim = simulated(60, 40);
    let of = |seed| bits(run(&sim, &TrainPlan { seed, ..plan(2) }).unwrap());
    assert!(of(0) == of(0));
    assert!(of(0) != of(1));
}

#[test]
fn any_number_of_cells_trains() {
    for n in (2..=12).chain(128..=133).chain(256..=260) {
        for train_size in [0.9, 1.0] {
            let plan = TrainPlan { train_size, check_val_every_n_epoch: Some(1), ..plan(2) };
            let trained = run(&simulated(n, 40), &plan).unwrap();
            let split = &trained.split;
            assert_eq!(split.train.len(), (train_size * n as f64).ceil() as usize, "{n}");
            assert_eq!(split.train.len() + split.validation.len(), n);
            let expected = if split.validation.is_empty() { vec![] } else { vec![0, 1] };
            assert_eq!(validated(&trained), expected, "{n}");
            assert_eq!((trained.history.epochs.len(), trained.stop), (2, Stop::MaxEpochs));
            for row in trained.history.rows() {
                assert!(row.iter().flatten().all(|v| v.is_finite()), "{n}: {row:?}");
            }
            for (name, tensor) in trained.module.state_dict() {
                assert!(tensor.data.iter().all(|v| v.is_finite()), "{n}: {name}");
            }
        }
    }
}

#[test]
fn fewer_than_two_cells_are_an_error() {
    for n in [0, 1] {
        let result = run(&simulated(n, 40), &plan(1));
        let Err(TrainError::Split(SplitError::TooFewCells { cells, .. })) = result else {
            panic!("{n} cells trained")
        };
        assert_eq!(cells, n);
    }
}

#[test]
fn the_loss_falls() {
    let trained = run(&simulated(300, 100), &plan(20)).unwrap();
    let epochs = &trained.history.epochs;
    let reconstruction = |of: &[_]| {
        let sum = |epochs: &[scvi::train::EpochRecord]| -> f64 {
            epochs.iter().map(|e| e.train.reconstruction_loss).sum()
        };
        sum(of)
    };
    let (first, last) = (reconstruction(&epochs[..3]), reconstruction(&epochs[17..]));
    assert!(last < 0.97 * first, "{first} to {last}");
}

#[test]
fn records_hold_the_weighted_loss() {
    let plan = TrainPlan {
        n_epochs_kl_warmup: Some(4),
        min_kl_weight: 0.2,
        check_val_every_n_epoch: Some(1),
        ..plan(6)
    };
    let trained = run(&simulated(90, 40), &plan).unwrap();
    let weights: Vec<f64> = trained.history.epochs.iter().map(|e| e.kl_weight).collect();
    let want = [0.2, 0.4, 0.6, 0.8, 1.0, 1.0];
    assert!(weights.iter().zip(want).all(|(w, want)| (w - want).abs() < 1e-12), "{weights:?}");
    for epoch in &trained.history.epochs {
        for terms in [Some(&epoch.train), epoch.validation.as_ref()].into_iter().flatten() {
            let (r, kl) = (terms.reconstruction_loss, terms.kl_local);
            assert!((terms.loss - (r + epoch.kl_weight * kl)).abs() < 1e-9 * r);
            assert!((terms.elbo - (r + kl)).abs() < 1e-9 * r);
            assert!(kl > 0.0);
        }
    }
}

#[test]
fn validation_comes_where_it_is_asked_for() {
    let sim = simulated(90, 40);
    let of = |every, train_size| {
        let plan = TrainPlan { check_val_every_n_epoch: every, train_size, ..plan(7) };
        validated(&run(&sim, &plan).unwrap())
    };
    assert_eq!(of(None, 0.9), []);
    assert_eq!(of(Some(1), 0.9), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(of(Some(3), 0.9), [2, 5]);
    assert_eq!(of(Some(3), 1.0), []);
}

#[test]
fn validation_does_not_change_the_model() {
    let sim = simulated(90, 40);
    let of = |every| {
        let plan = TrainPlan { check_val_every_n_epoch: every, ..plan(3) };
        bits(run(&sim, &plan).unwrap())
    };
    assert!(of(None) == of(Some(1)));
}

#[test]
fn early_stopping_stops_when_patience_is_over() {
    let sim = simulated(90, 40);
    // No loss falls by so much: the first look is the best one.
    let rule = Some(EarlyStopping { patience: 2, min_delta: 1e9, ..Default::default() });
    let of = |early_stopping, every| {
        let plan = TrainPlan { early_stopping, check_val_every_n_epoch: every, ..plan(9) };
        let trained = run(&sim, &plan).unwrap();
        (trained.history.epochs.len(), validated(&trained), trained.stop)
    };
    assert_eq!(of(rule, None), (3, vec![0, 1, 2], Stop::EarlyStopping));
    assert_eq!(of(rule, Some(2)), (6, vec![1, 3, 5], Stop::EarlyStopping));
    let patient = Some(EarlyStopping { patience: 9, min_delta: 1e9, ..Default::default() });
    assert_eq!(of(patient, Some(4)), (9, vec![3, 7], Stop::MaxEpochs));
    let plan = TrainPlan { early_stopping: rule, train_size: 1.0, ..plan(9) };
    assert!(matches!(run(&sim, &plan), Err(TrainError::NothingToValidate { .. })));
}

#[test]
fn the_observer_sees_every_epoch_and_may_stop() {
    let sim = simulated(30, 40);
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let mut seen = Vec::new();
    let mut observer = |record: &scvi::train::EpochRecord| {
        seen.push(record.clone());
        if seen.len() == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let trained = train(config(40).validate().unwrap(), &data, &plan(9), &mut observer).unwrap();
    assert_eq!(trained.stop, Stop::Interrupted);
    assert_eq!(trained.history.epochs, seen);
    assert_eq!(seen.iter().map(|r| r.epoch).collect::<Vec<_>>(), [0, 1, 2, 3]);
}
