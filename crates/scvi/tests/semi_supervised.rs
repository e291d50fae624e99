//! Labels of a part of the cells teach a classifier the labels of the others.

use scvi::Cpu;
use scvi::data::simulate::Simulated;
use scvi::data::{CsrMatrix, Dataset, Misfit, SplitError};
use scvi::model::{Cells, PointEstimate, elbo, predict, unwatched};
use scvi::module::{Scanvae, ScanvaeConfig, Vae, VaeConfig};
use scvi::train::{Event, History, TrainError, TrainPlan, Trained, TrainingRun};
use scvi_kernels::Philox;
use scvi_kernels::ops::adam::AdamRule;

const TYPES: u32 = 4;
const CELLS: usize = 360;
const GENES: usize = 60;

/// Cells of four types in two batches. A type has genes of its own, with five times the counts.
fn simulated() -> Simulated {
    let philox = Philox::new(3);
    let cell_type: Vec<u32> = (0..CELLS as u32).map(|cell| cell / 2 % TYPES).collect();
    let (mut indptr, mut genes, mut counts) = (vec![0], Vec::new(), Vec::new());
    for (cell, &label) in (0_u32..).zip(&cell_type) {
        for gene in 0..GENES as u32 {
            let mean = if gene % TYPES == label { 5.0 } else { 1.0 };
            let count = (2.0 * mean * philox.uniform(0, 0, cell, gene)).round();
            if count > 0.0 {
                genes.push(gene);
                counts.push(count as f32);
            }
        }
        indptr.push(genes.len() as u64);
    }
    let counts = CsrMatrix::new(GENES, indptr, genes, counts).unwrap();
    Simulated { counts, batch: (0..CELLS as u32).map(|cell| cell % 2).collect(), cell_type }
}

/// The type of each cell that `is_known` says of, and `TYPES` for the others.
fn labels(sim: &Simulated, is_known: impl Fn(usize) -> bool) -> Vec<u32> {
    let types = sim.cell_type.iter().enumerate();
    types.map(|(cell, &label)| if is_known(cell) { label } else { TYPES }).collect()
}

fn dataset(sim: &Simulated, labels: Vec<u32>) -> Dataset<'_> {
    Dataset::new(&sim.counts, sim.batch.clone()).unwrap().with_labels(labels).unwrap()
}

fn config() -> ScanvaeConfig {
    let vae = VaeConfig {
        n_input: GENES,
        n_batch: 2,
        n_labels: TYPES as usize,
        n_hidden: 24,
        n_latent: 5,
        ..VaeConfig::default()
    };
    ScanvaeConfig { vae, ..ScanvaeConfig::default() }
}

fn plan(epochs: usize) -> TrainPlan {
    TrainPlan {
        max_epochs: Some(epochs),
        check_val_every_n_epoch: Some(1),
        batch_size: 64,
        ..TrainPlan::default()
    }
}

fn model() -> Scanvae<Cpu<f32>> {
    Scanvae::new(Cpu::new(), config().validate().unwrap(), 0)
}

type Run<'a> = TrainingRun<'a, Scanvae<Cpu<f32>>>;

fn finish(mut run: Run) -> Trained<Scanvae<Cpu<f32>>> {
    loop {
        if let Event::Done(stop) = run.advance().unwrap() {
            return run.finish(stop).unwrap();
        }
    }
}

fn column(history: &History, name: &str) -> Vec<Option<f64>> {
    let place = history.columns().iter().position(|column| column == name);
    let place = place.unwrap_or_else(|| panic!("no {name} among {:?}", history.columns()));
    history.rows().map(|row| row[place]).collect()
}

#[test]
fn labels_of_some_cells_are_transferred_to_the_others() {
    let sim = simulated();
    let known = |cell: usize| cell.is_multiple_of(3);
    let data = dataset(&sim, labels(&sim, known));
    let plan = TrainPlan { adam: AdamRule { lr: 1e-2, ..AdamRule::default() }, ..plan(60) };
    let trained = finish(Run::of_model(model(), &data, &plan).unwrap());
    let cells = Cells::all(&data, 100);
    let found = predict(&trained.module, cells, PointEstimate::Mean, &mut unwatched).unwrap();
    let hidden = found.labels().enumerate().filter(|&(cell, _)| !known(cell));
    let right = hidden.filter(|&(cell, (label, _))| label == sim.cell_type[cell]).count();
    assert!(right >= 228, "{right} of 240 hidden labels");
    for (row, (label, p)) in found.probabilities.chunks(TYPES as usize).zip(found.labels()) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(row.iter().all(|&v| v <= p) && row[label as usize] == p);
    }
    // A third of the training cells have labels, and of the validation cells.
    let of_kind = |cells: &[u32]| cells.iter().filter(|&&c| known(c as usize)).count();
    assert_eq!((of_kind(&trained.split.train), of_kind(&trained.split.validation)), (108, 12));
    let history = &trained.history;
    for name in ["classification_loss", "accuracy", "f1_score", "calibration_error"] {
        for cells in ["train", "validation"] {
            let values = column(history, &format!("{cells}_{name}"));
            assert!(values.iter().all(|v| v.is_some_and(f64::is_finite)), "{cells}_{name}");
        }
    }
    let losses = column(history, "train_classification_loss");
    assert!(losses[59] < Some(0.5 * losses[0].unwrap()), "{losses:?}");
    assert_eq!(column(history, "train_accuracy"), column(history, "train_f1_score"));
    // The bound has the labels' terms, drawn or at their means.
    let at = |estimate| elbo(&trained.module, cells, estimate, &mut unwatched).unwrap();
    let [mean, sample] = [PointEstimate::Mean, PointEstimate::Sample { seed: 1 }].map(at);
    assert!(mean.elbo().chain(sample.elbo()).all(f64::is_finite));
    assert_ne!(mean, sample);
    let of_vae = elbo(trained.module.vae(), cells, PointEstimate::Mean, &mut unwatched).unwrap();
    assert_ne!(mean.kl_local, of_vae.kl_local);
}

#[test]
fn threads_and_interruptions_do_not_show() {
    let sim = simulated();
    let data = dataset(&sim, labels(&sim, |cell| cell < 40));
    let plan = TrainPlan { n_samples_per_label: Some(5), ..plan(3) };
    let whole = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| finish(Run::of_model(model(), &data, &plan).unwrap()))
    };
    let [one, three] = [1, 3].map(whole);
    assert_eq!(one.module.state_dict(), three.module.state_dict());
    for stop_after in [1, 7, 12] {
        let mut run = Run::of_model(model(), &data, &plan).unwrap();
        (0..stop_after).for_each(|_| drop(run.advance().unwrap()));
        let checkpoint = run.checkpoint(&data.fingerprint().unwrap()).unwrap();
        let resumed = Run::resume_of_model(model(), &data, &plan, checkpoint).unwrap();
        let resumed = finish(resumed);
        assert_eq!(resumed.module.state_dict(), one.module.state_dict(), "{stop_after}");
        assert_eq!(resumed.history, one.history);
    }
}

#[test]
fn without_any_label_the_rest_is_trained() {
    let sim = simulated();
    let data = dataset(&sim, labels(&sim, |_| false));
    let plan = plan(2);
    let before = model().state_dict();
    let trained = finish(Run::of_model(model(), &data, &plan).unwrap());
    let after = trained.module.state_dict();
    let moved = |name: &str| before[name] != after[name];
    assert!(moved("z_encoder.mean_encoder.weight") && moved("encoder_z2_z1.mean_encoder.weight"));
    let columns = trained.history.columns();
    assert!(!columns.iter().any(|name| name.contains("classification")), "{columns:?}");
}

#[test]
fn all_cells_may_have_labels() {
    let sim = simulated();
    let data = dataset(&sim, sim.cell_type.clone());
    let plan = plan(2);
    let trained = finish(Run::of_model(model(), &data, &plan).unwrap());
    assert!(column(&trained.history, "train_accuracy").iter().all(Option::is_some));
}

#[test]
fn a_trained_vae_is_the_beginning() {
    let config = config();
    let vae = Vae::new(Cpu::<f32>::new(), config.vae.validate().unwrap(), 9);
    let weights = vae.state_dict();
    let model = Scanvae::of_vae(vae, config.validate().unwrap(), 1);
    let state = model.state_dict();
    assert!(weights.iter().all(|(name, tensor)| state[name] == *tensor));
    assert!(state.contains_key("classifier.classifier.1.weight"));
}

#[test]
fn data_and_plans_that_do_not_fit_are_refused() {
    let sim = simulated();
    let refused = |data: &Dataset, plan: &TrainPlan| match Run::of_model(model(), data, plan) {
        Ok(_) => panic!("not refused"),
        Err(error) => error,
    };
    let plan = plan(1);
    let unlabelled = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let error = refused(&unlabelled, &plan);
    assert!(matches!(error, TrainError::Misfit(Misfit::Missing { what: "labels" })), "{error}");
    let mut too_many = sim.cell_type.clone();
    too_many[3] = TYPES + 1;
    let error = refused(&dataset(&sim, too_many), &plan);
    assert!(error.to_string().contains("the model has 5 labels"), "{error}");
    let error = refused(&dataset(&sim, labels(&sim, |cell| cell == 7)), &plan);
    assert!(matches!(error, TrainError::OneLabelledCell), "{error}");
    let tiny = TrainPlan { train_size: 0.001, ..plan.clone() };
    let error = refused(&dataset(&sim, labels(&sim, |_| false)), &tiny);
    assert!(matches!(error, TrainError::Split(SplitError::TooFewCells { .. })), "{error}");
    let negative = TrainPlan { classification_ratio: -1.0, ..plan.clone() };
    let error = refused(&dataset(&sim, sim.cell_type.clone()), &negative);
    assert!(error.to_string().contains("classification_ratio is -1"), "{error}");
    let sampled = TrainPlan { n_samples_per_label: Some(3), ..plan };
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let spec = config().vae.validate().unwrap();
    let error = TrainingRun::new(spec, &data, &sampled).err().expect("a Vae has no labels");
    assert!(error.to_string().contains("n_samples_per_label"), "{error}");
}
