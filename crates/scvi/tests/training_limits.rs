//! Runs that end early, and epochs that use a part of their minibatches.

use scvi::data::simulate::{SimulateConfig, Simulated, simulate};
use scvi::data::{Dataset, minibatches};
use scvi::module::{Vae, VaeConfig};
use scvi::train::{
    BatchLimit, EarlyStopping, Event, MinibatchRecord, Stop, TrainError, TrainPlan, Trained,
    TrainingRun,
};
use scvi_kernels::Cpu;

const CELLS: usize = 60;

fn simulated() -> Simulated {
    simulate(&SimulateConfig { n_cells: CELLS, n_genes: 30, density: 0.3, ..Default::default() })
}

fn dataset(sim: &Simulated) -> Dataset<'_> {
    Dataset::new(&sim.counts, sim.batch.clone()).unwrap()
}

fn model() -> Vae<Cpu<f32>> {
    let config =
        VaeConfig { n_input: 30, n_batch: 2, n_hidden: 8, n_latent: 3, ..Default::default() };
    Vae::new(Cpu::new(), config.validate().unwrap(), 0)
}

/// 36 cells to train on, in minibatches of 10, 10, 10 and 6; 24 to validate on, in 10, 10 and 4.
fn plan() -> TrainPlan {
    TrainPlan {
        max_epochs: Some(4),
        batch_size: 10,
        train_size: 0.6,
        check_val_every_n_epoch: Some(1),
        ..Default::default()
    }
}

fn finish(mut run: TrainingRun) -> (Trained, Vec<MinibatchRecord>) {
    let mut records = Vec::new();
    loop {
        if let Event::Done(stop) = run.advance().unwrap() {
            return (run.finish(stop).unwrap(), records);
        }
        records.extend(run.last_minibatch().cloned());
    }
}

fn trained(plan: &TrainPlan) -> (Trained, Vec<MinibatchRecord>) {
    let sim = simulated();
    finish(TrainingRun::of_model(model(), &dataset(&sim), plan).unwrap())
}

fn steps_of(records: &[MinibatchRecord]) -> usize {
    records.iter().filter(|record| !record.is_validation).count()
}

/// Whether each epoch on record validated.
fn validated(run: &Trained) -> Vec<bool> {
    run.history.epochs.iter().map(|epoch| epoch.validation.is_some()).collect()
}

/// The weights of the plan's run after so many steps.
fn weights_after(plan: &TrainPlan, steps: usize) -> scvi::nn::StateDict<f32> {
    let sim = simulated();
    let data = dataset(&sim);
    let mut run = TrainingRun::of_model(model(), &data, plan).unwrap();
    while (run.progress().step as usize) < steps {
        run.advance().unwrap();
    }
    run.state(scvi::nn::Slot::Value)
}

#[test]
fn max_steps_ends_the_run_after_so_many_steps() {
    // What scvi-tools 1.4.2 records with four minibatches an epoch: an epoch that is ended early
    // is one on record, and does not validate.
    for (max_steps, steps, validates, stop) in [
        (1, 1, &[false][..], Stop::MaxSteps),
        (4, 4, &[true], Stop::MaxSteps),
        (6, 6, &[true, false], Stop::MaxSteps),
        (16, 16, &[true; 4], Stop::MaxSteps),
        (17, 16, &[true; 4], Stop::MaxEpochs),
    ] {
        let limited = TrainPlan { max_steps: Some(max_steps), ..plan() };
        let (run, records) = trained(&limited);
        assert_eq!((steps_of(&records), run.stop), (steps, stop), "{max_steps}");
        assert_eq!(validated(&run), validates, "{max_steps}");
        assert_eq!(limited.epochs(CELLS), validates.len());
        assert!(run.module.state_dict() == weights_after(&plan(), steps), "{max_steps}");
        // The record of an epoch is the mean over the cells that it trained on.
        let last = run.history.epochs.last().unwrap();
        let of_last = records.iter().filter(|r| r.epoch == last.epoch && !r.is_validation);
        let (cells, loss) = of_last.fold((0, 0.0), |(cells, loss), r| {
            (cells + r.n_cells, loss + r.n_cells as f64 * r.terms.loss)
        });
        assert_eq!(limited.cells_of_epoch(&run.split, last.epoch), cells, "{max_steps}");
        assert!((last.train.loss - loss / cells as f64).abs() < 1e-9 * loss, "{max_steps}");
    }
}

#[test]
fn an_epoch_trains_on_its_first_minibatches_alone() {
    for (limit, per_epoch) in [
        (BatchLimit::Batches(3), 3),
        (BatchLimit::Batches(100), 4),
        (BatchLimit::Fraction(0.5), 2),
        (BatchLimit::Fraction(0.74), 2),
        (BatchLimit::Fraction(1.0), 4),
    ] {
        let limited = TrainPlan { limit_train_batches: Some(limit), ..plan() };
        let (run, records) = trained(&limited);
        assert_eq!(steps_of(&records), 4 * per_epoch, "{limit}");
        assert_eq!(validated(&run), [true; 4]);
        let (_, whole) = trained(&plan());
        let first = |records: &[MinibatchRecord]| records[..per_epoch].to_vec();
        assert_eq!(first(&records), first(&whole), "{limit}");
        // Together with max_steps, steps are counted as they are made.
        let both = TrainPlan { max_steps: Some(2 * per_epoch as u64 + 1), ..limited };
        let (run, records) = trained(&both);
        assert_eq!((steps_of(&records), run.history.epochs.len()), (2 * per_epoch + 1, 3));
    }
}

#[test]
fn cells_to_validate_on_are_drawn_by_the_split() {
    let limited = TrainPlan { limit_val_batches: Some(BatchLimit::Batches(2)), ..plan() };
    let (run, records) = trained(&limited);
    // They are the split's first twenty, read in the order of the file.
    let mut split = plan().split(CELLS).unwrap();
    split.test = split.validation.split_off(20);
    let (whole, _) = trained(&TrainPlan { external_indexing: Some(split), ..plan() });
    assert_eq!(run.history.epochs[3].validation, whole.history.epochs[3].validation);
    assert_eq!(records.iter().filter(|r| r.is_validation).count(), 2 * 4);
    assert_eq!(run.split, plan().split(CELLS).unwrap());
    assert_eq!(minibatches(24, 10).count(), 3);
    for none in [BatchLimit::Batches(0), BatchLimit::Fraction(0.0)] {
        let (run, _) = trained(&TrainPlan { limit_val_batches: Some(none), ..plan() });
        assert_eq!(validated(&run), [false; 4]);
    }
}

#[test]
fn min_epochs_holds_early_stopping_back() {
    let early_stopping = Some(EarlyStopping { patience: 1, min_delta: 1e9, ..Default::default() });
    for (min_epochs, epochs, stop) in [
        (None, 2, Stop::EarlyStopping),
        (Some(1), 2, Stop::EarlyStopping),
        (Some(3), 3, Stop::EarlyStopping),
        (Some(9), 4, Stop::MaxEpochs),
    ] {
        let (run, _) = trained(&TrainPlan { min_epochs, early_stopping, ..plan() });
        assert_eq!((run.history.epochs.len(), run.stop), (epochs, stop), "{min_epochs:?}");
    }
}

#[test]
fn a_limit_that_leaves_nothing_is_refused() {
    let sim = simulated();
    let data = dataset(&sim);
    let told = |plan: TrainPlan| match TrainingRun::of_model(model(), &data, &plan) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it runs"),
    };
    let fraction = Some(BatchLimit::Fraction(0.2));
    let train = told(TrainPlan { limit_train_batches: fraction, ..plan() });
    assert!(train.starts_with("limit_train_batches is 0.2 of 4 minibatches"), "{train}");
    let validation = told(TrainPlan { limit_val_batches: fraction, ..plan() });
    assert!(validation.starts_with("limit_val_batches is 0.2 of 3 minibatches"), "{validation}");
    // Early stopping would never see its quantity.
    let none = TrainPlan {
        limit_val_batches: Some(BatchLimit::Batches(0)),
        early_stopping: Some(EarlyStopping::default()),
        ..plan()
    };
    let error = TrainingRun::of_model(model(), &data, &none).err().unwrap();
    assert!(matches!(error, TrainError::NothingToValidate { .. }), "{error}");
}

#[test]
fn a_run_with_limits_stopped_after_any_minibatch_ends_with_the_same_bits() {
    let sim = simulated();
    let data = dataset(&sim);
    let plan = TrainPlan {
        max_steps: Some(7),
        min_epochs: Some(2),
        limit_train_batches: Some(BatchLimit::Fraction(0.75)),
        limit_val_batches: Some(BatchLimit::Batches(1)),
        early_stopping: Some(EarlyStopping { patience: 1, min_delta: 1e9, ..Default::default() }),
        ..plan()
    };
    let fingerprint = data.fingerprint().unwrap();
    let whole = finish(TrainingRun::of_model(model(), &data, &plan).unwrap());
    let (whole, minibatches) = (whole.0, whole.1.len());
    for stop in 0..=minibatches {
        let mut run = TrainingRun::of_model(model(), &data, &plan).unwrap();
        for _ in 0..stop {
            run.advance().unwrap();
        }
        let checkpoint = run.checkpoint(&fingerprint).unwrap();
        let run = TrainingRun::resume_of_model(model(), &data, &plan, checkpoint).unwrap();
        let (resumed, _) = finish(run);
        assert!(resumed.module.state_dict() == whole.module.state_dict(), "{stop}");
        assert_eq!((&resumed.history, resumed.stop), (&whole.history, whole.stop), "{stop}");
    }
    assert_eq!(whole.stop, Stop::EarlyStopping);
}
