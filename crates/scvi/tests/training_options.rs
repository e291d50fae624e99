//! What each option of training does, seen from outside.

use scvi::data::simulate::{SimulateConfig, Simulated, simulate};
use scvi::data::{Dataset, Split, SplitError, full_minibatches, minibatches};
use scvi::module::{Choice, MinifiedDataType, MinifiedError, PosteriorRows, Vae, VaeConfig};
use scvi::module::{Noise, NormPlacement};
use scvi::nn::{Slot, StateDict};
use scvi::train::{
    EarlyStopping, Event, Metric, MinibatchRecord, Optimizer, ReduceLrOnPlateau, Stop, TrainError,
    TrainPlan, Trained, TrainingRun,
};
use scvi_kernels::Cpu;

const CELLS: usize = 60;

fn simulated() -> Simulated {
    simulate(&SimulateConfig { n_cells: CELLS, n_genes: 30, density: 0.3, ..Default::default() })
}

fn dataset(sim: &Simulated) -> Dataset<'_> {
    Dataset::new(&sim.counts, sim.batch.clone()).unwrap()
}

fn config() -> VaeConfig {
    VaeConfig { n_input: 30, n_batch: 2, n_hidden: 8, n_latent: 3, ..Default::default() }
}

/// 36 cells to train on, in minibatches of 16, 16 and 4; 24 to validate on, in 16 and 8.
fn plan(epochs: usize) -> TrainPlan {
    TrainPlan { max_epochs: Some(epochs), batch_size: 16, train_size: 0.6, ..Default::default() }
}

/// Nothing falls by so much: the first look is the best one.
fn early_stopping() -> EarlyStopping {
    EarlyStopping { patience: 2, min_delta: 1e9, ..Default::default() }
}

fn model() -> Vae<Cpu<f32>> {
    Vae::new(Cpu::new(), config().validate().unwrap(), 0)
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

fn trained(plan: &TrainPlan) -> Trained {
    let sim = simulated();
    let data = dataset(&sim);
    finish(TrainingRun::of_model(model(), &data, plan).unwrap()).0
}

fn refused(plan: &TrainPlan) -> TrainError {
    let sim = simulated();
    match TrainingRun::of_model(model(), &dataset(&sim), plan) {
        Err(error) => error,
        Ok(_) => panic!("it runs"),
    }
}

/// Everything that has a gradient.
fn parameters(vae: &mut Vae<Cpu<f32>>) -> StateDict<f32> {
    let mut state = vae.state_dict();
    state.retain(|name, _| !name.contains("running"));
    state
}

#[test]
fn a_step_length_of_zero_moves_no_parameter_and_early_stopping_sees_it() {
    for optimizer in [Optimizer::Adam, Optimizer::AdamW] {
        let mut plan = TrainPlan {
            optimizer,
            early_stopping: Some(EarlyStopping { min_delta: 10.0, ..early_stopping() }),
            ..plan(20)
        };
        plan.adam.lr = 0.0;
        let mut run = trained(&plan);
        assert_eq!((run.stop, run.history.epochs.len()), (Stop::EarlyStopping, 3));
        assert!(parameters(&mut run.module) == parameters(&mut model()));
    }
}

#[test]
fn the_decay_of_adamw_goes_past_the_moments() {
    let (lr, decay) = (0.01, 0.5);
    let of = |optimizer, decay| {
        let mut plan = TrainPlan { optimizer, batch_size: 60, ..plan(1) };
        (plan.adam.lr, plan.adam.weight_decay) = (lr, decay);
        parameters(&mut trained(&plan).module)
    };
    let plain = of(Optimizer::Adam, 0.0);
    assert!(plain == of(Optimizer::AdamW, 0.0));
    // After one step from w the two differ by lr λ w alone.
    let (decayed, start) = (of(Optimizer::AdamW, decay), parameters(&mut model()));
    for (name, tensor) in &decayed {
        let (plain, start) = (&plain[name].data, &start[name].data);
        for ((got, plain), start) in tensor.data.iter().zip(plain).zip(start) {
            let want = f64::from(*plain) - lr * decay * f64::from(*start);
            assert!((f64::from(*got) - want).abs() < 1e-6, "{name}: {got}, not {want}");
        }
    }
    assert!(decayed != plain && of(Optimizer::Adam, decay) != decayed);
}

#[test]
fn a_plateau_shortens_the_steps() {
    let rule = ReduceLrOnPlateau { patience: 1, threshold: 1e9, ..Default::default() };
    let plan = TrainPlan { reduce_lr_on_plateau: Some(rule), ..plan(7) };
    let run = trained(&plan);
    let lengths: Vec<f64> = run.history.epochs.iter().map(|e| e.lr.unwrap()).collect();
    let [once, twice] = [1e-3 * 0.6, 1e-3 * 0.6 * 0.6];
    // Epochs 1 and 2 are bad, and 3 and 4.
    assert_eq!(lengths, [1e-3, 1e-3, 1e-3, once, once, twice, twice]);
    assert!(run.history.epochs.iter().all(|e| e.validation.is_some()));
    assert_eq!(run.history.columns().last().unwrap(), "lr-Adam");
    let rows: Vec<_> = run.history.rows().map(|row| row.last().copied().unwrap()).collect();
    assert_eq!(rows[4], Some(once));

    // At a learning rate of 0 nothing moves any more.
    let rule = ReduceLrOnPlateau { factor: 0.0, patience: 0, ..rule };
    let [mut short, mut long] = [2, 5].map(|epochs| {
        trained(&TrainPlan {
            max_epochs: Some(epochs),
            reduce_lr_on_plateau: Some(rule),
            ..plan.clone()
        })
    });
    assert!(parameters(&mut short.module) == parameters(&mut long.module));
}

#[test]
fn the_monitor_records_step_lengths_and_changes_nothing_else() {
    let monitored =
        TrainPlan { learning_rate_monitor: true, optimizer: Optimizer::AdamW, ..plan(2) };
    let plain = TrainPlan { learning_rate_monitor: false, ..monitored.clone() };
    let [monitored, plain] = [monitored, plain].map(|plan| trained(&plan));
    assert!(monitored.history.epochs.iter().all(|e| e.lr == Some(1e-3) && e.validation.is_some()));
    assert_eq!(monitored.history.columns().last().unwrap(), "lr-AdamW");
    assert!(plain.history.epochs.iter().all(|e| e.lr.is_none() && e.validation.is_none()));
    assert_eq!(plain.history.columns(), scvi::train::History::COLUMNS);
    assert!(monitored.module.state_dict() == plain.module.state_dict());
}

#[test]
fn every_metric_is_the_history_column_of_its_name() {
    let run = trained(&TrainPlan { check_val_every_n_epoch: Some(1), ..plan(1) });
    let (columns, row) = (run.history.columns(), run.history.rows().next().unwrap());
    for &(name, metric) in Metric::ALL {
        let column = columns.iter().position(|column| column == name).unwrap();
        assert_eq!(metric.of(&run.history.epochs[0]), row[column], "{name}");
        assert_eq!(metric.needs_validation(), name.contains("validation"));
    }
}

#[test]
fn early_stopping_goes_by_what_it_is_told() {
    let of = |rule, every, train_size| {
        let plan = TrainPlan {
            early_stopping: Some(rule),
            check_val_every_n_epoch: every,
            train_size,
            ..plan(20)
        };
        trained(&plan).history.epochs.len()
    };
    for &(name, monitor) in Metric::ALL {
        let rule = EarlyStopping { monitor, ..early_stopping() };
        assert_eq!(of(rule, None, 0.6), 3, "{name}");
        // As scvi-tools counts: looks, not epochs.
        assert_eq!(of(rule, Some(2), 0.6), 6, "{name}");
        let late = EarlyStopping { warmup_epochs: 3, ..rule };
        assert_eq!((of(late, None, 0.6), of(late, Some(2), 0.6)), (6, 12), "{name}");
        if !monitor.needs_validation() {
            assert_eq!(of(rule, None, 1.0), 3, "{name}");
        }
    }
}

#[test]
fn without_validation_cells_there_is_nothing_to_go_by() {
    let whole = TrainPlan { train_size: 1.0, ..plan(3) };
    let told = |plan| refused(&plan).to_string();
    assert_eq!(
        told(TrainPlan { early_stopping: Some(early_stopping()), ..whole.clone() }),
        "early_stopping goes by elbo_validation, which needs validation cells, and none are validated on"
    );
    let rule = ReduceLrOnPlateau { metric: Metric::KlLocalValidation, ..Default::default() };
    assert!(
        told(TrainPlan { reduce_lr_on_plateau: Some(rule), ..whole.clone() })
            .starts_with("reduce_lr_on_plateau goes by kl_local_validation")
    );
    let rule = ReduceLrOnPlateau { metric: Metric::ElboTrain, ..rule };
    let run = trained(&TrainPlan { reduce_lr_on_plateau: Some(rule), ..whole });
    assert!(run.history.epochs.iter().all(|e| e.lr.is_some() && e.validation.is_none()));
}

#[test]
fn a_split_is_drawn_or_in_order_or_given() {
    let in_order = TrainPlan { shuffle_set_split: false, validation_size: Some(0.3), ..plan(1) };
    let split = trained(&in_order).split;
    let cells = |range: std::ops::Range<u32>| range.collect::<Vec<_>>();
    let want = Split { validation: cells(0..18), train: cells(18..54), test: cells(54..60) };
    assert_eq!(split, want);

    let given = Split { train: cells(10..50), validation: cells(50..60), test: cells(0..10) };
    let plan_of = |given: &Split| TrainPlan { external_indexing: Some(given.clone()), ..plan(1) };
    assert_eq!(trained(&plan_of(&given)).split, given);
    // Drawn cells, given: the same run.
    let drawn = trained(&plan(2));
    let again = TrainPlan { external_indexing: Some(drawn.split.clone()), seed: 0, ..plan(2) };
    assert!(drawn.module.state_dict() == trained(&again).module.state_dict());

    let doubled = Split { test: cells(0..11), ..given };
    let error = refused(&plan_of(&doubled));
    let TrainError::Split(error) = error else { panic!("{error}") };
    assert_eq!(error, SplitError::Overlap { parts: ["train", "test"], cell: 10 });
}

#[test]
fn drop_last_leaves_out_what_fills_no_minibatch() {
    let sim = simulated();
    let data = dataset(&sim);
    let plan = TrainPlan { drop_last: true, check_val_every_n_epoch: Some(1), ..plan(2) };
    let (run, records) = finish(TrainingRun::of_model(model(), &data, &plan).unwrap());
    assert_eq!(run.split.train.len(), 36);
    let cells: Vec<_> = records.iter().map(|r| (r.is_validation, r.n_cells)).collect();
    assert_eq!(cells[..4], [(false, 16), (false, 16), (true, 16), (true, 8)]);
    assert_eq!(cells[4..], cells[..4]);
    means_agree(&run, &records);
    let too_few = TrainPlan { batch_size: 37, ..plan };
    assert_eq!(
        refused(&too_few).to_string(),
        "drop_last leaves no minibatch of 37: there are 36 cells to train on"
    );
}

#[test]
fn full_minibatches_are_the_first_of_all_minibatches() {
    for (n, size) in [(36, 16), (32, 16), (33, 16), (15, 16), (0, 3), (7, 3)] {
        let full: Vec<_> = full_minibatches(n, size).collect();
        assert!(full.iter().all(|range| range.len() == size));
        let all: Vec<_> = minibatches(n, size).collect();
        assert!(full.iter().zip(&all).all(|(a, b)| a.start == b.start), "{n} of {size}");
        assert_eq!(full.len(), n / size);
    }
}

/// Means over the cells of an epoch are those of its minibatches.
fn means_agree(run: &Trained, records: &[MinibatchRecord]) {
    for epoch in &run.history.epochs {
        for (is_validation, want) in
            [(false, Some(&epoch.train)), (true, epoch.validation.as_ref())]
        {
            let of =
                |r: &&MinibatchRecord| r.epoch == epoch.epoch && r.is_validation == is_validation;
            let own: Vec<_> = records.iter().filter(of).collect();
            let n: usize = own.iter().map(|r| r.n_cells).sum();
            let Some(want) = want else {
                assert!(own.is_empty());
                continue;
            };
            let mean = |term: &dyn Fn(&MinibatchRecord) -> f64| {
                own.iter().map(|r| term(r) * r.n_cells as f64).sum::<f64>() / n as f64
            };
            for (got, want) in [
                (mean(&|r| r.terms.loss), want.loss),
                (mean(&|r| r.terms.elbo), want.elbo),
                (mean(&|r| r.terms.reconstruction_loss), want.reconstruction_loss),
                (mean(&|r| r.terms.kl_local), want.kl_local),
            ] {
                assert!((got - want).abs() < 1e-9 * want.abs(), "{got}, not {want}");
            }
        }
    }
}

#[test]
fn every_minibatch_is_on_record() {
    let sim = simulated();
    let data = dataset(&sim);
    let plan = TrainPlan {
        check_val_every_n_epoch: Some(2),
        n_epochs_kl_warmup: None,
        n_steps_kl_warmup: Some(8),
        ..plan(2)
    };
    let mut run = TrainingRun::of_model(model(), &data, &plan).unwrap();
    assert!(run.last_minibatch().is_none());
    run.advance().unwrap();
    let first = run.last_minibatch().unwrap().clone();
    assert_eq!((first.epoch, first.step, first.n_cells, first.lr), (0, 1, 16, 1e-3));
    let (run, records) = finish(TrainingRun::of_model(model(), &data, &plan).unwrap());
    assert_eq!(records[0], first);
    let steps: Vec<_> = records.iter().map(|r| (r.step, r.is_validation)).collect();
    let want = [(1, false), (2, false), (3, false), (4, false), (5, false), (6, false)];
    assert_eq!(steps[..6], want);
    assert_eq!(steps[6..], [(6, true), (6, true)]);
    for record in &records[..6] {
        assert_eq!(record.kl_weight, (record.step - 1) as f64 / 8.0);
    }
    means_agree(&run, &records);
}

#[test]
fn a_second_run_goes_on_with_the_weights_and_nothing_else() {
    let sim = simulated();
    let data = dataset(&sim);
    let first = trained(&plan(3));
    let weights = first.module.state_dict();
    let plan = plan(2);
    let again = TrainingRun::of_model(first.module, &data, &plan).unwrap();
    for slot in [Slot::FirstMoment, Slot::SecondMoment] {
        let moments = again.state(slot);
        assert!(moments.values().flat_map(|t| &t.data).all(|&m| m == 0.0));
    }
    let mut loaded = model();
    loaded.load_state_dict(weights.clone()).unwrap();
    let (again, _) = finish(again);
    let (fresh, _) = finish(TrainingRun::of_model(loaded, &data, &plan).unwrap());
    assert!(again.module.state_dict() == fresh.module.state_dict());
    assert!(again.module.state_dict() != weights);
    let weights: Vec<f64> = again.history.epochs.iter().map(|e| e.kl_weight).collect();
    assert_eq!(weights, [0.0, 1.0 / 400.0]);
}

/// A model whose encoder gives the same in training and in evaluation, and the posteriors it stores.
fn minified(sim: &Simulated, config: &VaeConfig) -> (Vae<Cpu<f32>>, PosteriorRows<f32>) {
    let mut vae = Vae::new(Cpu::new(), config.validate().unwrap(), 0);
    let data = dataset(sim);
    let mut batch = scvi::module::Minibatch::default();
    let cells: Vec<u32> = (0..CELLS as u32).collect();
    data.fill(&cells, &mut batch).unwrap();
    let mut ws = vae.workspace(CELLS, 30 * CELLS, false);
    ws.load(&Cpu::new(), &batch);
    vae.inference(&mut ws, Some(Noise::Seeded { seed: 0, draw: 0 }));
    let observed_lib_size = (0..CELLS).map(|cell| sim.counts.row(cell).1.iter().sum()).collect();
    let (qz_m, qz_v) = (ws.qz_m(&Cpu::new()), ws.qz_v(&Cpu::new()));
    let kind = MinifiedDataType::LatentPosteriorParametersWithCounts;
    vae.set_minified_data_type(Some(kind)).unwrap();
    (vae, PosteriorRows { qz_m, qz_v, observed_lib_size })
}

#[test]
fn a_decoder_trained_on_stored_posteriors_takes_the_steps_of_a_whole_model() {
    let sim = simulated();
    let config = VaeConfig {
        dropout_rate: 0.0,
        use_batch_norm: NormPlacement::Decoder,
        batch_representation: scvi::module::BatchRepresentation::Embedding,
        ..config()
    };
    let is_encoder = |name: &str| name.starts_with("z_encoder");
    let of = |epochs, update_only_decoder| {
        let (vae, posterior) = minified(&sim, &config);
        let data = dataset(&sim).with_posterior(posterior).unwrap();
        let plan = TrainPlan {
            update_only_decoder,
            batch_size: 60,
            check_val_every_n_epoch: Some(1),
            min_kl_weight: 0.5,
            ..plan(epochs)
        };
        let (run, records) = finish(TrainingRun::of_model(vae, &data, &plan).unwrap());
        (run.module.state_dict(), records)
    };
    // One step: the encoder has not moved yet.
    let ((decoder, seen), (whole, all)) = (of(1, true), of(1, false));
    let start = minified(&sim, &config).0.state_dict();
    for (name, tensor) in &decoder {
        if is_encoder(name) {
            assert!(*tensor == start[name], "{name} moved");
            continue;
        }
        assert!(*tensor != start[name], "{name} did not move");
        for (a, b) in tensor.data.iter().zip(&whole[name].data) {
            assert!((a - b).abs() < 2e-6, "{name}: {a}, not {b}");
        }
    }
    let (a, b) = (&seen[0].terms, &all[0].terms);
    for (a, b) in [(a.loss, b.loss), (a.kl_local, b.kl_local)] {
        assert!((a - b).abs() < 1e-5 * b, "{a}, not {b}");
    }
    // The divergence of what is stored stays as it is.
    let (_, seen) = of(3, true);
    let validation = |epoch| {
        seen.iter().find(|r| r.is_validation && r.epoch == epoch).expect("each epoch validates")
    };
    assert_eq!(validation(0).terms.kl_local, validation(2).terms.kl_local);
    assert!(validation(0).terms.elbo != validation(2).terms.elbo);
}

#[test]
fn update_only_decoder_needs_posteriors_and_counts() {
    let sim = simulated();
    let data = dataset(&sim);
    let plan = TrainPlan { update_only_decoder: true, ..plan(1) };
    let told = |vae| match TrainingRun::of_model(vae, &data, &plan) {
        Err(error) => error,
        Ok(_) => panic!("it runs"),
    };
    assert!(matches!(told(minified(&sim, &config()).0), TrainError::Misfit(_)));
    let mut vae = model();
    vae.set_minified_data_type(Some(MinifiedDataType::LatentPosteriorParameters)).unwrap();
    let needs = MinifiedError::NeedsCounts { task: "training" };
    assert!(matches!(told(vae), TrainError::Minified(error) if error == needs));
    // A model of counts has nothing stored, and is trained as ever.
    let plain = trained(&TrainPlan { update_only_decoder: false, ..plan.clone() });
    assert!(trained(&plan).module.state_dict() == plain.module.state_dict());
}
