//! A query that is mapped onto a SCANVI: what moves, and what is said of the reference's cells.

use scvi::Cpu;
use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, Simulated, simulate};
use scvi::model::query::{Freeze, load_query_data, trained_tensors};
use scvi::model::{Cells, PointEstimate, predict, unwatched};
use scvi::module::{Scanvae, ScanvaeConfig, VaeConfig, VaeSpec};
use scvi::train::{Event, TrainPlan, TrainingRun};

use crate::moved;

const LABELS: u32 = 3;

fn simulated() -> Simulated {
    simulate(&SimulateConfig {
        n_cells: 60,
        n_genes: 20,
        n_batches: 2,
        n_cell_types: LABELS as usize,
        ..SimulateConfig::default()
    })
}

fn config() -> ScanvaeConfig {
    let vae = VaeConfig {
        n_input: 20,
        n_batch: 2,
        n_labels: LABELS as usize,
        n_hidden: 7,
        n_latent: 3,
        encode_covariates: true,
        ..VaeConfig::default()
    };
    ScanvaeConfig { vae, ..ScanvaeConfig::default() }
}

fn grown() -> VaeSpec {
    VaeConfig { n_batch: 3, ..config().vae }.validate().unwrap()
}

/// The cells of a batch; those of every third have their label.
fn dataset(sim: &Simulated, batch: u32) -> Dataset<'_> {
    let labels = sim.cell_type.iter().enumerate();
    let labels = labels.map(|(cell, &of)| if cell % 3 == 0 { of } else { LABELS }).collect();
    let data = Dataset::new(&sim.counts, vec![batch; 60]).unwrap();
    data.with_labels(labels).unwrap()
}

fn train(model: Scanvae<Cpu<f32>>, data: &Dataset) -> Scanvae<Cpu<f32>> {
    let mut plan = TrainPlan { max_epochs: Some(2), batch_size: 20, ..TrainPlan::default() };
    plan.adam.weight_decay = 0.0;
    let mut run = TrainingRun::of_model(model, data, &plan).unwrap();
    loop {
        if let Event::Done(stop) = run.advance().unwrap() {
            return run.finish(stop).unwrap().module;
        }
    }
}

struct Mapped {
    reference: Scanvae<Cpu<f32>>,
    before: Scanvae<Cpu<f32>>,
    after: Scanvae<Cpu<f32>>,
}

fn mapped(sim: &Simulated, freeze: &Freeze) -> Mapped {
    let new = Scanvae::new(Cpu::new(), config().validate().unwrap(), 0);
    let mut reference = train(new, &dataset(sim, 1));
    let map = |reference: &mut _| load_query_data(reference, &grown(), freeze, 7).unwrap();
    let before = map(&mut reference);
    let after = train(map(&mut reference), &dataset(sim, 2));
    Mapped { reference, before, after }
}

fn probabilities(model: &Scanvae<Cpu<f32>>, data: &Dataset) -> Vec<f32> {
    let cells = Cells::all(data, 25);
    predict(model, cells, PointEstimate::Mean, &mut unwatched).unwrap().probabilities
}

#[test]
fn the_reference_labels_its_cells_as_before() {
    let sim = simulated();
    let Mapped { reference, before, after } = mapped(&sim, &Freeze::default());
    let known = dataset(&sim, 0);
    let expected = probabilities(&reference, &known);
    assert_eq!(probabilities(&before, &known), expected);
    assert_eq!(probabilities(&after, &known), expected);
    // The query's batch has columns of its own, which have learned something.
    let query = dataset(&sim, 2);
    assert_ne!(probabilities(&before, &query), probabilities(&after, &query));
}

/// Names of the tensors of labels that training moved.
fn moved_labels(freeze: &Freeze) -> Vec<String> {
    let sim = simulated();
    let Mapped { reference, before, after } = mapped(&sim, freeze);
    let (before, after) = (before.state_dict(), after.state_dict());
    let names = after.keys().filter(|name| !moved(name, &before, &after).is_empty());
    let names: Vec<String> = names.cloned().collect();
    let told = trained_tensors(&reference, &grown(), freeze).unwrap();
    for name in &names {
        assert!(told.iter().any(|told| told.starts_with(name)), "{name} moved untold");
    }
    let parts = ["classifier.", "encoder_z2_z1.", "decoder_z1_z2.", "y_prior"];
    let is_of_labels = |name: &String| parts.iter().any(|part| name.starts_with(part));
    names.into_iter().filter(is_of_labels).collect()
}

#[test]
fn classifier_and_second_level_move_where_they_are_let_go() {
    let decoder = "decoder_z1_z2.decoder.fc_layers.Layer 0.1";
    let norm = |of: &str| {
        let parts = ["bias", "running_mean", "running_var", "weight"];
        parts.map(|part| format!("{of}.{part}")).to_vec()
    };
    let defaults = Freeze::default();
    let is_norm = |name: &String| name.contains("Layer 0.1.") && !name.starts_with("classifier");
    // Decoders are batch normalized there.
    assert_eq!(moved_labels(&defaults), norm(decoder));
    let frozen = Freeze { freeze_batchnorm_decoder: true, ..defaults };
    assert_eq!(moved_labels(&frozen), Vec::<String>::new());
    let encoder = Freeze { freeze_batchnorm_encoder: false, ..frozen };
    assert!(moved_labels(&encoder).iter().all(is_norm));
    let classifier = moved_labels(&Freeze { freeze_classifier: false, ..frozen });
    assert!(classifier.iter().all(|name| name.starts_with("classifier.")), "{classifier:?}");
    for part in ["0.fc_layers.Layer 0.0.weight", "0.fc_layers.Layer 0.1.weight", "1.bias"] {
        assert!(classifier.contains(&format!("classifier.classifier.{part}")), "{part}");
    }
    let all = moved_labels(&Freeze { unfrozen: true, ..frozen });
    assert!(all.iter().any(|name| name.starts_with("encoder_z2_z1.mean_encoder")), "{all:?}");
}

#[test]
fn a_classifier_that_is_trained_keeps_its_dropout() {
    let rates = |freeze_classifier, own| {
        let mut config = config();
        config.classifier_parameters.dropout_rate = own;
        let reference = Scanvae::new(Cpu::<f32>::new(), config.validate().unwrap(), 0);
        let freeze = Freeze { freeze_dropout: true, freeze_classifier, ..Freeze::default() };
        let mapped = load_query_data(&reference, &grown(), &freeze, 7).unwrap();
        let config = mapped.spec().config().clone();
        (config.vae.dropout_rate, config.classifier_parameters.dropout_rate)
    };
    assert_eq!(rates(true, None), (0.0, Some(0.0)));
    assert_eq!(rates(true, Some(0.3)), (0.0, Some(0.0)));
    assert_eq!(rates(false, None), (0.0, Some(0.1)));
    assert_eq!(rates(false, Some(0.3)), (0.0, Some(0.3)));
}
