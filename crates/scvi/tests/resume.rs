//! Runs that stop and go on, and runs that must not go on.

use scvi::data::simulate::{SimulateConfig, Simulated, simulate};
use scvi::data::{CsrMatrix, Dataset, Split};
use scvi::module::{BatchRepresentation, Dispersion, VaeConfig};
use scvi::nn::{NotFinite, Slot};
use scvi::train::{
    Checkpoint, Divergence, EarlyStopping, Event, Metric, Mode, Optimizer, ReduceLrOnPlateau,
    ResumeError, TrainError, TrainPlan, Trained, TrainingRun, train,
};

fn simulated() -> Simulated {
    simulate(&SimulateConfig { n_cells: 60, n_genes: 30, density: 0.3, ..Default::default() })
}

/// Every kind of parameter, and validation.
fn config() -> VaeConfig {
    VaeConfig {
        n_input: 30,
        n_batch: 2,
        n_hidden: 8,
        n_latent: 3,
        n_layers: 2,
        dispersion: Dispersion::GeneBatch,
        batch_representation: BatchRepresentation::Embedding,
        ..Default::default()
    }
}

fn plan() -> TrainPlan {
    TrainPlan {
        max_epochs: Some(3),
        batch_size: 20,
        train_size: 0.6,
        early_stopping: Some(EarlyStopping::default()),
        check_val_every_n_epoch: Some(2),
        ..Default::default()
    }
}

fn dataset(sim: &Simulated) -> Dataset<'_> {
    Dataset::new(&sim.counts, sim.batch.clone()).unwrap()
}

/// Advances to the end, or so many minibatches.
fn advance(run: &mut TrainingRun, minibatches: usize) -> Result<(), TrainError> {
    for _ in 0..minibatches {
        if let Event::Done(_) = run.advance()? {
            return Ok(());
        }
    }
    Ok(())
}

fn finish(mut run: TrainingRun) -> Trained {
    loop {
        if let Event::Done(stop) = run.advance().unwrap() {
            return run.finish(stop).unwrap();
        }
    }
}

/// All that a model folder is made of, to be compared to the last bit.
fn bits(trained: Trained) -> (Vec<(String, Vec<u32>)>, String) {
    let state = trained.module.state_dict().into_iter();
    let state = state.map(|(name, t)| (name, t.data.iter().map(|v| v.to_bits()).collect()));
    (state.collect(), format!("{:?} {:?}", trained.history, trained.stop))
}

#[test]
fn a_run_stopped_after_any_minibatch_ends_with_the_same_bits() {
    let sim = simulated();
    let (data, plan, spec) = (dataset(&sim), plan(), config().validate().unwrap());
    let fingerprint = data.fingerprint().unwrap();
    let whole = bits(finish(TrainingRun::new(spec.clone(), &data, &plan).unwrap()));
    let through =
        train(spec.clone(), &data, &plan, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    assert!(whole == bits(through));
    // Two minibatches to train on in each epoch, two to validate on in one of three.
    for stop in 0..=8 {
        let mut run = TrainingRun::new(spec.clone(), &data, &plan).unwrap();
        advance(&mut run, stop).unwrap();
        let checkpoint = run.checkpoint(&fingerprint).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1 + stop % 3).build().unwrap();
        let resumed = pool.install(|| {
            let run = TrainingRun::resume(spec.clone(), &data, &plan, checkpoint.clone()).unwrap();
            assert_eq!(run.checkpoint(&fingerprint).unwrap(), checkpoint);
            bits(finish(run))
        });
        assert!(resumed == whole, "stopped after {stop} minibatches");
    }
}

/// Every option that a run carries on from minibatch to minibatch.
fn eventful_plan() -> TrainPlan {
    // No epoch after the first is an improvement: the learning rate falls after every second one.
    let rule = ReduceLrOnPlateau { factor: 0.5, patience: 1, threshold: 1e9, ..Default::default() };
    let stopping = EarlyStopping {
        monitor: Metric::KlLocalTrain,
        mode: Mode::Max,
        patience: 3,
        min_delta: 1e9,
        warmup_epochs: 2,
    };
    let cells = |range: std::ops::Range<u32>| range.collect::<Vec<_>>();
    let given = Split { train: cells(20..60), validation: cells(3..20), test: cells(0..3) };
    TrainPlan {
        max_epochs: Some(9),
        batch_size: 18,
        drop_last: true,
        external_indexing: Some(given),
        optimizer: Optimizer::AdamW,
        reduce_lr_on_plateau: Some(rule),
        early_stopping: Some(stopping),
        ..Default::default()
    }
}

#[test]
fn step_length_and_patience_survive_a_stop() {
    let sim = simulated();
    let (data, plan, spec) = (dataset(&sim), eventful_plan(), config().validate().unwrap());
    let fingerprint = data.fingerprint().unwrap();
    let whole = finish(TrainingRun::new(spec.clone(), &data, &plan).unwrap());
    let lengths: Vec<_> = whole.history.epochs.iter().filter_map(|e| e.lr).collect();
    assert_eq!(lengths, [1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4]);
    let whole = bits(whole);
    assert!(whole.1.contains("EarlyStopping"), "{}", whole.1);
    // Two minibatches to train on and one to validate on in each of six epochs.
    for stop in 0..=18 {
        let mut run = TrainingRun::new(spec.clone(), &data, &plan).unwrap();
        advance(&mut run, stop).unwrap();
        let checkpoint = run.checkpoint(&fingerprint).unwrap();
        let run = TrainingRun::resume(spec.clone(), &data, &plan, checkpoint).unwrap();
        assert!(bits(finish(run)) == whole, "stopped after {stop} minibatches");
    }
}

#[test]
fn early_stopping_remembers_across_a_stop() {
    let sim = simulated();
    let rule = EarlyStopping { patience: 2, min_delta: 1e9, ..Default::default() };
    let plan = TrainPlan { early_stopping: Some(rule), max_epochs: Some(20), ..plan() };
    let (data, spec) = (dataset(&sim), config().validate().unwrap());
    let whole = bits(finish(TrainingRun::new(spec.clone(), &data, &plan).unwrap()));
    assert!(whole.1.contains("EarlyStopping"), "{}", whole.1);
    for stop in [12, 15, 18, 99] {
        let mut run = TrainingRun::new(spec.clone(), &data, &plan).unwrap();
        advance(&mut run, stop).unwrap();
        let checkpoint = run.checkpoint(&data.fingerprint().unwrap()).unwrap();
        let run = TrainingRun::resume(spec.clone(), &data, &plan, checkpoint).unwrap();
        assert!(bits(finish(run)) == whole, "{stop}");
    }
}

#[test]
fn another_run_is_refused_by_name() {
    let sim = simulated();
    let (data, plan, spec) = (dataset(&sim), plan(), config().validate().unwrap());
    let mut run = TrainingRun::new(spec.clone(), &data, &plan).unwrap();
    advance(&mut run, 3).unwrap();
    let checkpoint = run.checkpoint(&data.fingerprint().unwrap()).unwrap();
    let resume = |spec, data, plan, checkpoint| -> ResumeError {
        match TrainingRun::resume(spec, data, plan, checkpoint) {
            Err(TrainError::Resume(error)) => error,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("resumed"),
        }
    };
    let other = |what| ResumeError::OtherRun { what };

    let wider = VaeConfig { n_hidden: 9, ..config() }.validate().unwrap();
    assert_eq!(resume(wider, &data, &plan, checkpoint.clone()), other("configuration"));
    let seed = TrainPlan { seed: 1, ..plan.clone() };
    assert_eq!(resume(spec.clone(), &data, &seed, checkpoint.clone()), other("plan"));
    // The same cells, given in another order: another split.
    let mut split = plan.split(60).unwrap();
    split.train.reverse();
    let given = TrainPlan { external_indexing: Some(split), ..plan.clone() };
    assert_eq!(resume(spec.clone(), &data, &given, checkpoint.clone()), other("plan"));
    let batch: Vec<u32> = sim.batch.iter().map(|b| 1 - b).collect();
    let swapped = Dataset::new(&sim.counts, batch).unwrap();
    assert_eq!(resume(spec.clone(), &swapped, &plan, checkpoint.clone()), other("data"));

    let broken = |change: &dyn Fn(&mut Checkpoint)| {
        let mut broken = checkpoint.clone();
        change(&mut broken);
        resume(spec.clone(), &data, &plan, broken).to_string()
    };
    assert!(broken(&|c| c.progress.step = 9).contains("step 9, where 3 are done"));
    assert!(broken(&|c| c.progress.epoch = 7).contains("1 epochs on record, epoch 7 of 3"));
    assert!(broken(&|c| c.progress.minibatch = 99).contains("99 minibatches"));
    assert!(broken(&|c| c.progress.history.epochs[0].epoch = 5).contains("out of order"));
    assert!(broken(&|c| drop(c.weights.remove("px_r"))).contains("\"px_r\" is missing"));
    assert!(broken(&|c| drop(c.moments[1].remove("px_r"))).contains("\"px_r\" is missing"));
}

fn divergence(error: TrainError) -> Divergence {
    match error {
        TrainError::Diverged(divergence) => *divergence,
        other => panic!("{other}"),
    }
}

#[test]
fn a_step_that_is_too_long_is_stopped_and_found() {
    let sim = simulated();
    let (data, spec) = (dataset(&sim), config().validate().unwrap());
    let mut plan = plan();
    plan.adam.lr = 1e30;
    let mut run = TrainingRun::new(spec.clone(), &data, &plan).unwrap();
    let seen = divergence(advance(&mut run, 99).unwrap_err());
    assert!(seen.epoch == 0 && seen.step <= 2, "{seen}");
    let mut run = TrainingRun::new(spec, &data, &plan).unwrap();
    run.watch_closely();
    let found = divergence(advance(&mut run, 99).unwrap_err());
    assert!(found.step <= seen.step && found.tensor.is_some(), "{found}");
    assert!(!found.largest.unwrap().is_extreme());
}

#[test]
fn an_extreme_count_is_named_with_its_cell_and_gene() {
    let sim = simulated();
    let mut dense: Vec<Vec<f32>> = (0..60)
        .map(|cell| {
            let mut row = vec![0.0; 30];
            let (genes, counts) = sim.counts.row(cell);
            genes.iter().zip(counts).for_each(|(&g, &x)| row[g as usize] = x);
            row
        })
        .collect();
    dense[17][4] = 3e38;
    let (mut indptr, mut genes, mut counts) = (vec![0], Vec::new(), Vec::new());
    for row in &dense {
        for (gene, &x) in row.iter().enumerate().filter(|(_, x)| **x > 0.0) {
            genes.push(gene as u32);
            counts.push(x);
        }
        indptr.push(counts.len() as u64);
    }
    let counts = CsrMatrix::new(30, indptr, genes, counts).unwrap();
    let data = Dataset::new(&counts, sim.batch.clone()).unwrap();
    let plan = TrainPlan { train_size: 1.0, early_stopping: None, ..plan() };
    // The encoder's input is the count itself: its logarithm makes no number infinite.
    let spec = VaeConfig { log_variational: false, ..config() }.validate().unwrap();
    let mut run = TrainingRun::new(spec, &data, &plan).unwrap();
    let seen = divergence(advance(&mut run, 99).unwrap_err());
    let largest = seen.largest.unwrap();
    assert_eq!((largest.cell, largest.gene, largest.count), (17, 4, 3e38));
    assert!(largest.is_extreme());
    assert!(seen.cells.is_empty() || seen.cells == [17], "{:?}", seen.cells);
}

#[test]
fn a_number_that_no_loss_shows_stops_the_run_at_the_end_of_its_epoch() {
    let sim = simulated();
    let (data, plan, spec) = (dataset(&sim), plan(), config().validate().unwrap());
    let fingerprint = data.fingerprint().unwrap();
    let mut run = TrainingRun::new(spec.clone(), &data, &plan).unwrap();
    advance(&mut run, 3).unwrap();
    let checkpoint = run.checkpoint(&fingerprint).unwrap();
    let with = |slot: Slot, name: &str, at: usize| {
        let mut checkpoint = checkpoint.clone();
        let state = match slot {
            Slot::FirstMoment => &mut checkpoint.moments[0],
            Slot::SecondMoment => &mut checkpoint.moments[1],
            _ => &mut checkpoint.weights,
        };
        state.get_mut(name).unwrap().data[at] = f32::NAN;
        TrainingRun::resume(spec.clone(), &data, &plan, checkpoint).unwrap()
    };
    let fault = |slot: Slot, name: &str, index: &[usize]| {
        let (name, index) = (name.to_owned(), index.to_vec());
        move |found: Option<NotFinite>| {
            let found = found.expect("a tensor");
            assert_eq!((found.name, found.slot, found.index), (name.clone(), slot, index.clone()));
        }
    };
    // px_r is bounded before it is used: the bound must let a NaN through.
    let mut run = with(Slot::Value, "px_r", 7);
    let seen = divergence(run.advance().unwrap_err());
    fault(Slot::Value, "px_r", &[3, 1])(seen.tensor);
    let seen = divergence(with(Slot::Value, "px_r", 7).checkpoint(&fingerprint).unwrap_err());
    fault(Slot::Value, "px_r", &[3, 1])(seen.tensor);

    for name in checkpoint.weights.keys() {
        let mut run = with(Slot::Value, name, 0);
        assert!(advance(&mut run, 99).is_err(), "{name}");
        assert!(run.progress().epoch == 1, "{name}: {:?}", run.progress().epoch);
    }
    for slot in [Slot::FirstMoment, Slot::SecondMoment] {
        let mut run = with(slot, "decoder.px_scale_decoder.0.weight", 9);
        run.watch_closely();
        let found = divergence(run.advance().unwrap_err());
        assert_eq!(found.tensor.unwrap().name, "decoder.px_scale_decoder.0.weight");
    }
}
