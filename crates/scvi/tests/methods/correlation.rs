//! Correlations of genes against scvi-tools' own.

use scvi::model::{
    Cells, CorrelationOptions, CorrelationType, TaskError, feature_correlation_matrix, unwatched,
};
use scvi::module::{GeneLikelihood, VaeConfig};

use crate::common::{all, monte_carlo};
use crate::{counts, dataset, model, trained};

/// Estimates, and draws of each cell for one: as many as scvi-tools made
/// (`reference/monte_carlo.py`). More draws for one would be another estimate: where tails are heavy,
/// it depends on their number.
const BLOCKS: u64 = 25;
const DRAWS: u32 = 400;

#[test]
fn agree_within_their_error() {
    let mut compared = 0;
    for fixture in monte_carlo().0 {
        let (config, batch) = (&fixture.entry.config, fixture.minibatch());
        if !matches!(config.gene_likelihood, GeneLikelihood::Zinb | GeneLikelihood::Nb) {
            continue;
        }
        let counts = counts(&batch, config.n_input);
        let (data, mut vae) = (dataset(&counts, &batch, config), trained(&fixture));
        let mut state = vae.state_dict();
        state.get_mut("px_r").unwrap().data.iter_mut().for_each(|px_r| *px_r += 4.0);
        vae.load_state_dict(state).unwrap();
        for (name, correlation_type) in
            [("pearson", CorrelationType::Pearson), ("spearman", CorrelationType::Spearman)]
        {
            let cells = Cells::all(&data, 128);
            let mut got = vec![0.0; config.n_input * config.n_input];
            for seed in 0..BLOCKS {
                let options = CorrelationOptions {
                    correlation_type,
                    n_samples: DRAWS,
                    seed,
                    ..Default::default()
                };
                let one =
                    feature_correlation_matrix(&vae, cells, &options, &mut unwatched).unwrap();
                got.iter_mut().zip(one).for_each(|(sum, r)| *sum += r / BLOCKS as f64);
            }
            let (want, errors) = (fixture.get(name), fixture.get(&format!("{name}_error")));
            assert_eq!(got.len(), want.data.len());
            let at =
                |g: f64, want: f64, error: f64| (g - want).abs() / (error * 2f64.sqrt() + 1e-6);
            let scores: Vec<f64> = got
                .iter()
                .zip(want.data.iter().zip(&errors.data))
                .map(|(&got, (&want, &error))| at(got, want, error))
                .collect();
            let worst = scores.iter().copied().fold(0.0, f64::max);
            // Errors are themselves estimated, from 25 blocks.
            assert!(worst < 5.5, "{} {name}: {worst} standard errors", fixture.entry.name);
            let squares = scores.iter().map(|z| z * z).sum::<f64>() / scores.len() as f64;
            assert!(squares < 2.5, "{} {name}: scores of variance {squares}", fixture.entry.name);
            compared += 1;
        }
    }
    assert!(compared >= 6);
}

#[test]
fn genes_batches_and_refusals() {
    let fixtures = all();
    let fixture = fixtures.iter().find(|f| f.entry.name == "zinb_gene_batch").unwrap();
    let (config, batch) = (&fixture.entry.config, fixture.minibatch());
    let counts = counts(&batch, config.n_input);
    let (data, vae) = (dataset(&counts, &batch, config), trained(fixture));
    let correlate = |options: &CorrelationOptions| {
        feature_correlation_matrix(&vae, Cells::all(&data, 5), options, &mut unwatched)
    };
    let pearson = |transform_batch: Vec<u32>, genes| CorrelationOptions {
        correlation_type: CorrelationType::Pearson,
        transform_batch,
        genes,
        ..CorrelationOptions::default()
    };
    let n = config.n_input;
    let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
    let whole = correlate(&pearson(vec![], None)).unwrap();
    let some = correlate(&pearson(vec![], Some(vec![4, 1]))).unwrap();
    assert!(close(some[1], whole[4 * n + 1]) && close(some[2], whole[n + 4]));
    let [first, second, both] =
        [vec![0], vec![1], vec![0, 1]].map(|batches| correlate(&pearson(batches, None)).unwrap());
    for (mean, (a, b)) in both.iter().zip(first.iter().zip(&second)) {
        assert!(close(*mean, (a + b) / 2.0));
    }
    assert!(matches!(correlate(&pearson(vec![9], None)), Err(TaskError::Batch { .. })));

    let poisson =
        VaeConfig { gene_likelihood: GeneLikelihood::Poisson, ..VaeConfig::clone(config) };
    let options = CorrelationOptions::default();
    let error = feature_correlation_matrix(
        &model(&poisson),
        Cells::all(&data, 5),
        &options,
        &mut unwatched,
    );
    let message = error.unwrap_err().to_string();
    assert!(message.starts_with("gene_likelihood poisson has no dispersion"), "{message}");
}
