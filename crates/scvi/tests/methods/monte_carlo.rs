//! Marginal likelihoods and posterior predictive samples against scvi-tools' own estimates.

use scvi::model::{Cells, SampleOptions, TaskError, marginal_ll, sparse_samples, unwatched};
use scvi::module::{LatentDistribution, VaeConfig};

use crate::common::{all, monte_carlo};
use crate::{counts, dataset, draws, model, trained};

/// Draws of a marginal likelihood; scvi-tools made as many (`reference/monte_carlo.py`).
const DRAWS: u32 = 10_000;

#[test]
fn marginal_likelihoods_agree_within_their_error() {
    for fixture in monte_carlo().0 {
        let (config, batch) = (&fixture.entry.config, fixture.minibatch());
        let counts = counts(&batch, config.n_input);
        let data = dataset(&counts, &batch, config);
        let got = marginal_ll(&trained(&fixture), Cells::all(&data, 128), DRAWS, 0, &mut unwatched)
            .unwrap();
        let (want, errors) = (fixture.get("marginal_ll"), fixture.get("marginal_ll_error"));
        for (cell, got) in got.into_iter().enumerate() {
            let (want, error) = (want.data[cell], errors.data[cell]);
            // Two estimates of one error, and single precision.
            let allowed = 4.0 * error * 2f64.sqrt() + 1e-5 * want.abs();
            let name = &fixture.entry.name;
            assert!((got - want).abs() < allowed, "{name}, cell {cell}: {got} {want} +- {error}");
        }
    }
}

#[test]
fn samples_have_scvi_tools_moments() {
    let (fixtures, n_samples) = monte_carlo();
    for fixture in fixtures {
        let (name, config, batch) =
            (&fixture.entry.name, &fixture.entry.config, fixture.minibatch());
        let counts = counts(&batch, config.n_input);
        let data = dataset(&counts, &batch, config);
        let options = SampleOptions { n_samples, seed: 1, ..SampleOptions::default() };
        let samples = draws(&trained(&fixture), Cells::all(&data, 128), &options).unwrap();
        let (mean, variance) = (&fixture.get("mean").data, &fixture.get("variance").data);
        let n = f64::from(n_samples);
        let mut scores = Vec::new();
        for (i, draws) in samples.chunks_exact(n_samples as usize).enumerate() {
            let of = |f: &dyn Fn(f64) -> f64| draws.iter().map(|&x| f(f64::from(x))).sum::<f64>();
            let ours = of(&|x| x) / n;
            let spread = of(&|x| (x - ours).powi(2)) / (n - 1.0) + variance[i];
            if spread > 0.0 {
                scores.push((ours - mean[i]) / (spread / n).sqrt());
            } else {
                assert_eq!(ours, mean[i], "{name}");
            }
        }
        let m = scores.len() as f64;
        let worst = scores.iter().fold(0.0f64, |a, z| a.max(z.abs()));
        let squares = scores.iter().map(|z| z * z).sum::<f64>() / m;
        let bias = scores.iter().sum::<f64>() / m.sqrt();
        assert!(scores.len() > 100, "{name}: nothing was compared");
        assert!(worst < 5.5, "{name}: a mean differs by {worst} standard errors");
        // Cells share their z over genes: scores are not independent, and spread wider.
        assert!((0.5..1.7).contains(&squares), "{name}: scores have variance {squares}");
        assert!(bias.abs() < 8.0, "{name}: all means together differ by {bias}");
    }
}

#[test]
fn a_minibatch_does_not_show_in_its_draws() {
    let fixtures = all();
    let fixture = fixtures.iter().find(|f| f.entry.name == "zinb_gene_batch").unwrap();
    let (config, batch) = (&fixture.entry.config, fixture.minibatch());
    let counts = counts(&batch, config.n_input);
    let (data, vae) = (dataset(&counts, &batch, config), trained(fixture));
    let by = |batch_size| {
        let options = SampleOptions { n_samples: 3, ..SampleOptions::default() };
        let cells = Cells::all(&data, batch_size);
        let samples = draws(&vae, cells, &options).unwrap();
        (samples, marginal_ll(&vae, cells, 7, 0, &mut unwatched).unwrap())
    };
    let (samples, likelihoods) = by(128);
    let (small_samples, small_likelihoods) = by(5);
    // Products round differently in another shape, which can move a rare draw by one.
    let moved = samples.iter().zip(&small_samples).filter(|(a, b)| a != b).count();
    assert!(moved * 500 < samples.len(), "{moved} of {}", samples.len());
    for (a, b) in likelihoods.iter().zip(small_likelihoods) {
        assert!((a - b).abs() < 1e-4 * a.abs(), "{a} {b}");
    }
}

#[test]
fn no_draws_are_an_error() {
    let config = VaeConfig {
        n_input: 3,
        latent_distribution: LatentDistribution::Ln,
        ..VaeConfig::default()
    };
    let vae = model(&config);
    let fixtures = all();
    let batch = fixtures[0].minibatch();
    let counts = counts(&batch, fixtures[0].entry.config.n_input);
    let data = dataset(&counts, &batch, &config);
    assert!(matches!(
        marginal_ll(&vae, Cells::all(&data, 128), 0, 0, &mut unwatched),
        Err(TaskError::NoSamples)
    ));
    let options = SampleOptions { n_samples: 0, ..SampleOptions::default() };
    let error = draws(&vae, Cells::all(&data, 128), &options);
    assert!(matches!(error, Err(TaskError::NoSamples)));
    // Nor do other genes than the model's.
    assert!(matches!(
        marginal_ll(&vae, Cells::all(&data, 128), 1, 0, &mut unwatched),
        Err(TaskError::Misfit(_))
    ));
}

/// Some genes in any order have the draws they have among all, and those of several batches are the
/// mean of each batch's.
#[test]
fn genes_and_batches_of_draws() {
    let fixtures = all();
    let fixture = fixtures.iter().find(|f| f.entry.name == "zinb_gene_batch").unwrap();
    let (config, batch) = (&fixture.entry.config, fixture.minibatch());
    let counts = counts(&batch, config.n_input);
    let (data, vae) = (dataset(&counts, &batch, config), trained(fixture));
    let cells = Cells::all(&data, 128);
    let all_genes = draws(&vae, cells, &SampleOptions::default()).unwrap();
    let genes = vec![3, 0, 5];
    let options = SampleOptions { genes: Some(genes.clone()), ..SampleOptions::default() };
    let some = draws(&vae, cells, &options).unwrap();
    for (row, all) in some.chunks_exact(3).zip(all_genes.chunks_exact(config.n_input)) {
        assert_eq!(row, [all[3], all[0], all[5]]);
    }
    let sparse = sparse_samples(&vae, cells, &options, &mut unwatched).unwrap().swap_remove(0);
    let mut dense = vec![0.0; some.len()];
    for (cell, ends) in sparse.indptr.windows(2).enumerate() {
        for i in ends[0] as usize..ends[1] as usize {
            dense[cell * 3 + sparse.indices[i] as usize] = sparse.values[i];
        }
    }
    assert_eq!(dense, some);

    let of = |transform_batch| SampleOptions { transform_batch, ..SampleOptions::default() };
    let mixed = draws(&vae, cells, &of(vec![0, 1, 0])).unwrap();
    assert!(mixed.iter().all(|x| (x * 3.0 - (x * 3.0).round()).abs() < 1e-4));
    assert!(mixed.iter().any(|x| (x - x.round()).abs() > 0.1), "no mean of several");
    let error = draws(&vae, cells, &SampleOptions { genes: Some(vec![999]), ..of(vec![]) });
    let expected = format!("the model has {} genes", config.n_input);
    assert!(error.unwrap_err().to_string().contains(&expected));
    let error = draws(&vae, cells, &SampleOptions { genes: Some(vec![]), ..of(vec![]) });
    assert!(matches!(error, Err(TaskError::NoGenes)));
}
