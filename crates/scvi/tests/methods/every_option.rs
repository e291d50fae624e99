//! Every option trains, evaluates and samples, whatever the number of cells.

use std::ops::ControlFlow;

use scvi::data::CsrMatrix;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::model::{
    Cells, PointEstimate, SampleOptions, TaskError, elbo, latent_representation, marginal_ll,
    unwatched,
};
use scvi::module::{
    BatchRepresentation, Dispersion, GeneLikelihood, LatentDistribution, Minibatch, Noise,
    NormPlacement, VaeConfig,
};
use scvi::nn::StateDict;
use scvi::train::{TrainPlan, train};
use scvi_kernels::ops::posterior::VarActivation;

use crate::{dataset, draws, model};

const GENES: usize = 20;

/// Cells with every covariate, some of which an option may not read.
pub(crate) fn cells(n: usize, config: &VaeConfig) -> (CsrMatrix, Minibatch) {
    let sim = simulate(&SimulateConfig {
        n_cells: n,
        n_genes: GENES,
        density: 0.4,
        ..SimulateConfig::default()
    });
    let code = |n: usize| (0..n as u32).collect::<Vec<_>>();
    let batch = Minibatch {
        batch: code(n).iter().map(|c| c % config.n_batch.max(1) as u32).collect(),
        labels: code(n).iter().map(|c| c % config.n_labels.max(1) as u32).collect(),
        categories: (0..n)
            .flat_map(|cell| config.n_cats_per_cov.iter().map(move |&k| (cell % k) as u32))
            .collect(),
        continuous: (0..n * config.n_continuous_cov).map(|i| (i as f32).sin()).collect(),
        size_factor: (0..n).map(|cell| 0.5 + (cell % 3) as f32).collect(),
        ..Minibatch::default()
    };
    (sim.counts, batch)
}

fn base() -> VaeConfig {
    VaeConfig { n_input: GENES, n_batch: 2, n_hidden: 6, n_latent: 3, ..VaeConfig::default() }
}

pub(crate) fn options() -> Vec<(&'static str, VaeConfig)> {
    let prior = || Some(vec![1.0, 2.0]);
    vec![
        ("no batches", VaeConfig { n_batch: 0, ..base() }),
        ("ln", VaeConfig { latent_distribution: LatentDistribution::Ln, ..base() }),
        (
            "embedding",
            VaeConfig {
                batch_representation: BatchRepresentation::Embedding,
                encode_covariates: true,
                ..base()
            },
        ),
        (
            "latent library",
            VaeConfig {
                use_observed_lib_size: false,
                library_log_means: prior(),
                library_log_vars: prior(),
                ..base()
            },
        ),
        (
            "covariates",
            VaeConfig {
                n_cats_per_cov: vec![3, 2],
                n_continuous_cov: 2,
                encode_covariates: true,
                n_layers: 2,
                ..base()
            },
        ),
        ("size factor", VaeConfig { use_size_factor_key: true, ..base() }),
        (
            "labels, normal",
            VaeConfig {
                n_labels: 3,
                dispersion: Dispersion::GeneLabel,
                gene_likelihood: GeneLikelihood::Normal,
                ..base()
            },
        ),
        (
            "gene-cell, layer norm",
            VaeConfig {
                dispersion: Dispersion::GeneCell,
                use_layer_norm: NormPlacement::Both,
                ..base()
            },
        ),
        (
            "linear",
            VaeConfig {
                n_input: GENES,
                n_batch: 2,
                n_hidden: 6,
                n_latent: 3,
                library_log_means: prior(),
                library_log_vars: prior(),
                ..VaeConfig::linear()
            },
        ),
    ]
}

#[test]
fn trains_and_evaluates() {
    for (name, config) in options() {
        // Tails of one and two cells, and nothing else.
        for n in [2, 33, 34] {
            let (counts, batch) = cells(n, &config);
            let data = dataset(&counts, &batch, &config);
            let plan = TrainPlan {
                max_epochs: Some(2),
                batch_size: 16,
                train_size: 1.0,
                ..TrainPlan::default()
            };
            let spec = config.validate().unwrap();
            let trained = train(spec, &data, &plan, &mut |_| ControlFlow::Continue(()));
            let vae = trained.unwrap_or_else(|e| panic!("{name}, {n} cells: {e}")).module;
            let terms = elbo(
                &vae,
                Cells::all(&data, 16),
                PointEstimate::Sample { seed: 1 },
                &mut unwatched,
            )
            .unwrap();
            let likelihoods =
                marginal_ll(&vae, Cells::all(&data, 16), 3, 1, &mut unwatched).unwrap();
            assert_eq!(likelihoods.len(), n);
            assert!(terms.elbo().chain(likelihoods).all(f64::is_finite), "{name}, {n} cells");
            let options = SampleOptions { n_samples: 3, ..Default::default() };
            let samples = draws(&vae, Cells::all(&data, 16), &options).unwrap();
            assert_eq!(samples.len(), n * GENES * 3, "{name}");
            assert!(samples.iter().all(|x| x.is_finite()), "{name}, {n} cells");
        }
    }
}

#[test]
fn a_batch_that_the_model_has_not_is_refused() {
    let config = base();
    let (counts, batch) = cells(5, &config);
    let data = dataset(&counts, &batch, &config);
    let options = SampleOptions { transform_batch: vec![2], ..SampleOptions::default() };
    let error = draws(&model(&config), Cells::all(&data, 16), &options).unwrap_err();
    assert!(error.to_string().contains("transform_batch is 2; the model has 2 batches"));
}

/// All gradients of one step.
fn gradients(config: &VaeConfig, own: Option<VarActivation<f32>>) -> StateDict<f32> {
    let mut vae = model(config);
    if let Some(own) = own {
        vae.set_var_activation(own);
    }
    let (counts, batch) = cells(9, config);
    let data = dataset(&counts, &batch, config);
    let mut minibatch = Minibatch::default();
    data.fill(&(0..9).collect::<Vec<u32>>(), &mut minibatch).unwrap();
    let mut ws = vae.workspace(9, minibatch.rows.counts.len(), true);
    ws.load(vae.backend(), &minibatch);
    vae.compute_gradients(&mut ws, Noise::Seeded { seed: 0, draw: 0 }, 0.5);
    vae.gradients()
}

#[test]
fn a_callers_own_variance_function_is_used() {
    let square = VarActivation::custom(|s: f32| s * s + 1.0, |s| 2.0 * s);
    let exp = VarActivation::custom(|s: f32| s.exp(), |s| s.exp());
    let (standard, own) = (gradients(&base(), None), gradients(&base(), Some(exp)));
    for (name, want) in &standard {
        for (a, b) in own[name].data.iter().zip(&want.data) {
            assert!((a - b).abs() <= 1e-4 * (1.0 + b.abs()), "{name}: {a} {b}");
        }
    }
    let var = "z_encoder.var_encoder.weight";
    assert_ne!(gradients(&base(), Some(square))[var].data, standard[var].data);
}

#[test]
fn the_loss_carries_its_payload_where_asked() {
    for extra_payload_autotune in [true, false] {
        let config = VaeConfig { n_labels: 2, extra_payload_autotune, ..base() };
        let vae = model(&config);
        let (counts, batch) = cells(4, &config);
        let data = dataset(&counts, &batch, &config);
        let mut minibatch = Minibatch::default();
        data.fill(&[3, 1, 0], &mut minibatch).unwrap();
        let mut ws = vae.workspace(3, minibatch.rows.counts.len(), false);
        ws.load(vae.backend(), &minibatch);
        vae.inference(&mut ws, None);
        vae.generative(&mut ws, Some(0));
        let payload = ws.cell_outputs(vae.backend()).extra_metrics;
        assert_eq!(payload.is_some(), extra_payload_autotune);
        let Some(payload) = payload else { continue };
        assert_eq!(payload.z, ws.z(vae.backend()));
        // The cells' own, not those they were decoded as.
        assert_eq!((payload.batch, payload.labels), (vec![1, 1, 0], vec![1, 1, 0]));
    }
}

#[test]
fn loadings_are_those_of_a_linear_decoder() {
    assert_eq!(model(&base()).get_loadings(), None);
    let (_, config) = options().pop().unwrap();
    let vae = model(&config);
    let loadings = vae.get_loadings().unwrap();
    let weight = &vae.state_dict()["decoder.factor_regressor.fc_layers.Layer 0.0.weight"];
    assert_eq!(weight.shape, [GENES, 5]);
    // At the start: γ = 1, running variance 1.
    for (gene, loadings) in loadings.chunks(3).enumerate() {
        for (k, loading) in loadings.iter().enumerate() {
            let want = weight.data[gene * 5 + k] / 1.001f32.sqrt();
            assert!((loading - want).abs() < 1e-6, "{loading} {want}");
        }
    }
}

#[test]
fn chosen_cells_are_those_of_all() {
    let config = base();
    let (counts, batch) = cells(9, &config);
    let (data, vae) = (dataset(&counts, &batch, &config), model(&config));
    let all = latent_representation(&vae, Cells::all(&data, 128), &mut unwatched).unwrap();
    let chosen = [3, 8, 3, 0];
    let some = latent_representation(&vae, Cells::chosen(&data, &chosen, 3), &mut unwatched);
    let row = |cell: u32| &all.mean[cell as usize * all.n_latent..][..all.n_latent];
    let want: Vec<f32> = chosen.iter().flat_map(|&cell| row(cell).to_vec()).collect();
    let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
    assert!(some.unwrap().mean.iter().zip(&want).all(close));

    let error = latent_representation(&vae, Cells::chosen(&data, &[9], 3), &mut unwatched);
    let message = error.unwrap_err().to_string();
    assert_eq!(message, "cell 9 was asked for; the data has 9 cells, counted from 0");
    let mut seen = Vec::new();
    let stopped = latent_representation(&vae, Cells::all(&data, 4), &mut |progress| {
        seen.push((progress.done, progress.total));
        if seen.len() < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(matches!(stopped, Err(TaskError::Stopped)));
    assert_eq!(seen, [(4, 9), (8, 9)]);
}
