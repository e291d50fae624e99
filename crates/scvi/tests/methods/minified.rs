//! Stored posteriors in place of counts.

use scvi::model::{
    Cells, PointEstimate, SampleOptions, TaskError, elbo, latent_representation, latent_sample,
    marginal_ll, unwatched,
};
use scvi::module::{MinifiedDataType, MinifiedError, PosteriorRows, VaeConfig};

use crate::common::all;
use crate::{counts, dataset, draws, model};

#[test]
fn give_what_counts_would() {
    let fixtures = all();
    for name in ["zinb_gene_batch", "ln", "embedding", "size_factor", "linear_decoder_zinb"] {
        let fixture = fixtures.iter().find(|f| f.entry.name == name).unwrap();
        let (config, batch) = (&fixture.entry.config, fixture.minibatch());
        let counts = counts(&batch, config.n_input);
        let full = dataset(&counts, &batch, config);
        let mut vae = model(config);
        let options = SampleOptions { n_samples: 2, seed: 4, ..SampleOptions::default() };
        let latent = latent_representation(&vae, Cells::all(&full, 128), &mut unwatched).unwrap();
        let drawn = latent_sample(&vae, Cells::all(&full, 128), 7, &mut unwatched).unwrap();
        let samples = draws(&vae, Cells::all(&full, 128), &options).unwrap();
        let before =
            elbo(&vae, Cells::all(&full, 128), PointEstimate::Mean, &mut unwatched).unwrap();

        // Cells without a single count, and what is stored of them.
        let empty = scvi::data::CsrMatrix::new(
            config.n_input,
            vec![0; counts.n_cells() + 1],
            Vec::new(),
            Vec::new(),
        );
        let empty = empty.unwrap();
        let totals = (0..counts.n_cells()).map(|cell| counts.row(cell).1.iter().sum()).collect();
        let stored = PosteriorRows {
            qz_m: latent.mean.clone(),
            qz_v: latent.var.clone(),
            observed_lib_size: totals,
        };
        let minified = dataset(&empty, &batch, config).with_posterior(stored).unwrap();
        vae.set_minified_data_type(Some(MinifiedDataType::LatentPosteriorParameters)).unwrap();
        assert_eq!(
            latent_representation(&vae, Cells::all(&minified, 5), &mut unwatched).unwrap(),
            latent,
            "{name}"
        );
        let near = |a: &[f32], b: &[f32]| {
            a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-5 * (1.0 + a.abs()))
        };
        assert!(
            near(
                &latent_sample(&vae, Cells::all(&minified, 128), 7, &mut unwatched).unwrap(),
                &drawn
            ),
            "{name}"
        );
        let again = draws(&vae, Cells::all(&minified, 128), &options).unwrap();
        // The library is a sum of f32 here and of f64 there: a rare draw may move by one.
        let moved = samples.iter().zip(&again).filter(|(a, b)| a != b).count();
        assert!(moved * 100 < samples.len(), "{name}: {moved} of {}", samples.len());

        let refused = |error: TaskError, task| {
            let wanted = MinifiedError::NeedsCounts { task };
            assert!(matches!(error, TaskError::Minified(found) if found == wanted), "{name}");
        };
        refused(
            elbo(&vae, Cells::all(&minified, 128), PointEstimate::Mean, &mut unwatched)
                .unwrap_err(),
            "elbo",
        );
        refused(
            marginal_ll(&vae, Cells::all(&minified, 128), 2, 0, &mut unwatched).unwrap_err(),
            "marginal_ll",
        );
        // Counts kept beside the posteriors allow everything again.
        let both = MinifiedDataType::LatentPosteriorParametersWithCounts;
        vae.set_minified_data_type(Some(both)).unwrap();
        let stored = PosteriorRows {
            qz_m: latent.mean,
            qz_v: latent.var,
            observed_lib_size: vec![1.0; counts.n_cells()],
        };
        let with_counts = full.clone().with_posterior(stored).unwrap();
        let both =
            elbo(&vae, Cells::all(&with_counts, 128), PointEstimate::Mean, &mut unwatched).unwrap();
        assert_eq!(both, before, "{name}");
        assert!(marginal_ll(&vae, Cells::all(&with_counts, 128), 2, 0, &mut unwatched).is_ok());
        // And without either there is nothing to read.
        let error = latent_representation(&vae, Cells::all(&full, 128), &mut unwatched)
            .unwrap_err()
            .to_string();
        assert!(error.contains("stored posteriors"), "{error}");
    }
}

#[test]
fn need_an_observed_library() {
    let mut vae = model(&VaeConfig {
        n_input: 3,
        use_observed_lib_size: false,
        library_log_means: Some(vec![1.0]),
        library_log_vars: Some(vec![1.0]),
        ..VaeConfig::default()
    });
    let minified = Some(MinifiedDataType::LatentPosteriorParameters);
    assert_eq!(vae.set_minified_data_type(minified), Err(MinifiedError::InferredLibrary));
    assert_eq!(vae.minified_data_type(), None);
}
