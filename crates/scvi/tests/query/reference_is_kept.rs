//! What a model says of a reference cell before and after a query was mapped onto it:
//! bit-identical.

use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::data::{CsrMatrix, Dataset};
use scvi::model::query::{Freeze, load_query_data, moves_latent};
use scvi::module::{
    BatchRepresentation, Dispersion, GeneLikelihood, Minibatch, NormPlacement, Vae, VaeConfig,
};
use scvi::train::{Event, TrainPlan, TrainingRun};
use scvi::{Cpu, nn::StateDict};

use crate::{mapped, moved};

const GENES: usize = 20;
const CELLS: usize = 30;

fn base() -> VaeConfig {
    VaeConfig {
        n_input: GENES,
        n_hidden: 7,
        n_latent: 3,
        n_layers: 2,
        encode_covariates: true,
        ..VaeConfig::default()
    }
}

/// References of every kind that has a place for categories, and what each grows to.
pub(crate) fn pairs() -> Vec<(&'static str, VaeConfig, VaeConfig)> {
    let pair = |name, reference: VaeConfig, n_batch, cats: &[usize]| {
        let cats = cats.to_vec();
        let mut grown = VaeConfig { n_batch, n_cats_per_cov: cats, ..reference.clone() };
        let priors = [&mut grown.library_log_means, &mut grown.library_log_vars];
        priors.into_iter().flatten().for_each(|prior| prior.resize(n_batch, 1.5));
        (name, reference, grown)
    };
    let with = |n_batch, cats: &[usize]| VaeConfig {
        n_batch,
        n_cats_per_cov: cats.to_vec(),
        n_continuous_cov: 1,
        ..base()
    };
    let embedded = |n_batch, cats: &[usize]| VaeConfig {
        batch_representation: BatchRepresentation::Embedding,
        ..with(n_batch, cats)
    };
    let prior = |n| Some(vec![2.0; n]);
    vec![
        pair("batches", with(2, &[]), 4, &[]),
        pair("batches before covariates", with(2, &[3, 1, 2]), 3, &[4, 2, 2]),
        pair("one batch", with(1, &[2]), 3, &[2]),
        pair(
            "shallow",
            VaeConfig { deeply_inject_covariates: false, ..with(1, &[1, 2]) },
            2,
            &[2, 2],
        ),
        pair("embedding", embedded(2, &[2]), 3, &[3]),
        pair("embedding of one", embedded(1, &[]), 2, &[]),
        pair(
            "gene-batch",
            VaeConfig { dispersion: Dispersion::GeneBatch, ..with(3, &[2]) },
            5,
            &[3],
        ),
        pair(
            "no norm, nb, not encoded",
            VaeConfig {
                use_batch_norm: NormPlacement::None,
                gene_likelihood: GeneLikelihood::Nb,
                encode_covariates: false,
                ..with(2, &[])
            },
            3,
            &[],
        ),
        pair(
            "latent library",
            VaeConfig {
                use_observed_lib_size: false,
                library_log_means: prior(2),
                library_log_vars: prior(2),
                ..with(2, &[])
            },
            3,
            &[],
        ),
    ]
}

pub(crate) fn counts() -> CsrMatrix {
    let config =
        SimulateConfig { n_cells: CELLS, n_genes: GENES, density: 0.4, ..Default::default() };
    simulate(&config).counts
}

/// Cells of the reference's categories; or, as a query, cells of which some are of new ones.
pub(crate) fn cells<'a>(
    counts: &'a CsrMatrix,
    config: &VaeConfig,
    of: impl Fn(usize, usize) -> usize,
) -> Dataset<'a> {
    let codes = |n: usize| (0..CELLS).map(move |cell| (cell, n.max(1)));
    let batch = codes(config.n_batch).map(|(cell, n)| of(cell, n) as u32).collect();
    let covariates = &config.n_cats_per_cov;
    let categories = (0..CELLS)
        .flat_map(|cell| covariates.iter().map(move |&n| (cell, n)))
        .map(|(cell, n)| of(cell, n) as u32)
        .collect();
    let continuous = (0..CELLS * config.n_continuous_cov).map(|i| (i as f32).cos()).collect();
    Dataset::new(counts, batch)
        .and_then(|d| d.with_categories(categories, covariates.len()))
        .and_then(|d| d.with_continuous(continuous, config.n_continuous_cov))
        .unwrap()
}

/// Everything a model says of its cells: posteriors first, then what is decoded at their means.
fn answers(vae: &Vae<Cpu<f32>>, data: &Dataset) -> [Vec<u32>; 2] {
    let b = vae.backend();
    let mut batch = Minibatch::default();
    data.fill(&(0..CELLS as u32).collect::<Vec<_>>(), &mut batch).unwrap();
    let mut ws = vae.workspace(CELLS, batch.rows.counts.len(), false);
    ws.load(b, &batch);
    vae.inference(&mut ws, None);
    vae.generative(&mut ws, None);
    let posterior = [ws.qz_m(b), ws.qz_v(b)].concat();
    let library = ws.ql(b).map_or(Vec::new(), |ql| ql.concat());
    let losses = ws.cell_outputs(b).reconstruction_loss;
    let decoded = [vae.px_rate(&ws), library, losses].concat();
    [posterior, decoded].map(|values| values.iter().map(|v| v.to_bits()).collect())
}

/// A reference that has learned something, so that every number of it shows.
pub(crate) fn trained(config: &VaeConfig, counts: &CsrMatrix) -> Vae<Cpu<f32>> {
    let data = cells(counts, config, |cell, n| cell % n);
    let plan = TrainPlan { max_epochs: Some(2), batch_size: 10, ..TrainPlan::default() };
    to_the_end(TrainingRun::new(config.validate().unwrap(), &data, &plan).unwrap())
}

pub(crate) fn to_the_end(mut run: TrainingRun) -> Vae<Cpu<f32>> {
    loop {
        if let Event::Done(stop) = run.advance().unwrap() {
            return run.finish(stop).unwrap().module;
        }
    }
}

/// Trains a mapped model on cells of all its categories.
fn train_query(vae: Vae<Cpu<f32>>, counts: &CsrMatrix) -> Vae<Cpu<f32>> {
    let config = vae.spec().config().clone();
    let data = cells(counts, &config, |cell, n| cell % n);
    let mut plan =
        TrainPlan { max_epochs: Some(3), batch_size: 10, seed: 3, ..TrainPlan::default() };
    // Stronger than anyone wants: what is frozen must not feel it.
    plan.adam.weight_decay = 0.1;
    to_the_end(TrainingRun::of_model(vae, &data, &plan).unwrap())
}

#[test]
fn surgery_changes_no_answer() {
    let counts = counts();
    for (name, config, grown) in pairs() {
        let mut reference = trained(&config, &counts);
        let data = cells(&counts, &config, |cell, n| cell % n);
        let before = answers(&reference, &data);
        let mapped = mapped(&mut reference, &grown, &Freeze::default());
        assert!(answers(&mapped, &data) == before, "{name}");
        // The new columns are not idle.
        let new = cells(&counts, &grown, |_, n| n - 1);
        assert!(answers(&mapped, &new) != before, "{name}: a query cell");
    }
}

#[test]
fn training_changes_no_posterior_and_with_its_norm_frozen_the_decoder_nothing() {
    let counts = counts();
    for (name, config, grown) in pairs() {
        let mut reference = trained(&config, &counts);
        let data = cells(&counts, &config, |cell, n| cell % n);
        let [posterior, decoded] = answers(&reference, &data);
        for freeze_batchnorm_decoder in [false, true] {
            let freeze = Freeze { freeze_batchnorm_decoder, ..Freeze::default() };
            let start = mapped(&mut reference, &grown, &freeze);
            let query = cells(&counts, &grown, |_, n| n - 1);
            let at_start = answers(&start, &query);
            let vae = train_query(start, &counts);
            assert!(answers(&vae, &query) != at_start, "{name}: the query learns nothing");
            let [posterior_after, decoded_after] = answers(&vae, &data);
            assert!(posterior_after == posterior, "{name}: the posterior");
            let keeps_decoder = (freeze_batchnorm_decoder
                || config.use_batch_norm == NormPlacement::None)
                && config.use_observed_lib_size;
            assert_eq!(decoded_after == decoded, keeps_decoder, "{name}: what is decoded");
        }
    }
}

fn both_states(freeze: &Freeze, reference: &VaeConfig, grown: &VaeConfig) -> [StateDict<f32>; 2] {
    let counts = counts();
    let mut reference = trained(reference, &counts);
    let start = mapped(&mut reference, grown, freeze);
    let before = start.state_dict();
    [before, train_query(start, &counts).state_dict()]
}

#[test]
fn the_dispersion_of_a_new_batch_starts_at_the_mean_and_is_trained_alone() {
    let reference = VaeConfig { n_batch: 3, dispersion: Dispersion::GeneBatch, ..base() };
    let grown = VaeConfig { n_batch: 5, ..reference.clone() };
    let [before, after] = both_states(&Freeze::default(), &reference, &grown);
    for row in before["px_r"].data.chunks(5) {
        let mean = (row[0] + row[1] + row[2]) / 3.0;
        assert_eq!(row[3..], [mean, mean]);
    }
    let moved = moved("px_r", &before, &after);
    assert_eq!(moved.len(), 2 * GENES);
    assert!(moved.iter().all(|i| i % 5 >= 3));
}

#[test]
fn the_only_batch_of_a_reference_gets_a_column_of_zeros_that_stays() {
    let reference = VaeConfig { n_batch: 1, ..base() };
    let grown = VaeConfig { n_batch: 2, ..reference.clone() };
    for freeze_reference_categories in [true, false] {
        let freeze = Freeze { freeze_reference_categories, ..Freeze::default() };
        let [before, after] = both_states(&freeze, &reference, &grown);
        let name = "decoder.px_decoder.fc_layers.Layer 0.0.weight";
        assert_eq!(before[name].shape, [7, 5]);
        assert!(after[name].data.chunks(5).all(|row| row[3] == 0.0));
        let moved = moved(name, &before, &after);
        assert_eq!(moved, (0..7).map(|row| row * 5 + 4).collect::<Vec<_>>());
    }
}

#[test]
fn known_categories_are_trained_only_if_asked_for() {
    let reference = VaeConfig { n_batch: 2, n_cats_per_cov: vec![2], ..base() };
    let grown = VaeConfig { n_batch: 3, ..reference.clone() };
    for (freeze_reference_categories, columns) in [(true, &[9][..]), (false, &[7, 8, 9, 10, 11])] {
        let freeze = Freeze { freeze_reference_categories, ..Freeze::default() };
        let [before, after] = both_states(&freeze, &reference, &grown);
        // Layer 1 reads 7 hidden units, 3 batches and 2 categories.
        let moved = moved("z_encoder.encoder.fc_layers.Layer 1.0.weight", &before, &after);
        let expected: Vec<usize> =
            (0..7).flat_map(|row| columns.iter().map(move |c| row * 12 + c)).collect();
        assert_eq!(moved, expected);
    }
}

#[test]
fn without_dropout_where_it_is_frozen() {
    let config = VaeConfig { n_batch: 2, dropout_rate: 0.4, ..base() };
    let grown = VaeConfig { n_batch: 3, ..config.clone() };
    let mut reference = Vae::new(Cpu::<f32>::new(), config.validate().unwrap(), 0);
    let rate = |freeze_dropout, unfrozen, reference: &mut _| {
        let freeze = Freeze { freeze_dropout, unfrozen, ..Freeze::default() };
        mapped(reference, &grown, &freeze).spec().config().dropout_rate
    };
    assert_eq!(rate(true, false, &mut reference), 0.0);
    assert_eq!(rate(false, false, &mut reference), 0.4);
    assert_eq!(rate(true, true, &mut reference), 0.4);
}

#[test]
fn whether_the_latent_space_can_move() {
    let spec = |n_batch, encode_covariates| {
        VaeConfig { n_batch, encode_covariates, ..base() }.validate().unwrap()
    };
    let moves = |encodes, freeze: Freeze| {
        moves_latent(&spec(2, encodes), &spec(3, encodes), &freeze).unwrap()
    };
    let defaults = Freeze::default();
    assert!(moves(true, defaults));
    assert!(!moves(false, defaults));
    assert!(!moves(false, Freeze { freeze_reference_categories: false, ..defaults }));
    assert!(moves(false, Freeze { freeze_expression: false, ..defaults }));
    assert!(moves(false, Freeze { freeze_batchnorm_encoder: false, ..defaults }));
    assert!(moves(false, Freeze { unfrozen: true, ..defaults }));
    // No category is new.
    assert!(!moves_latent(&spec(2, true), &spec(2, true), &defaults).unwrap());
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let counts = counts();
    let (_, config, grown) = pairs().swap_remove(1);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let reference = trained(&config, &counts);
            let grown = grown.validate().unwrap();
            let freeze = Freeze::default();
            let vae = load_query_data(&reference, &grown, &freeze, 7).unwrap();
            train_query(vae, &counts).state_dict()
        })
    };
    assert!(run(1) == run(2));
}
