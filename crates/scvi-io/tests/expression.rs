//! What models of scvi-tools decode here, against what they decode there.

mod saves;

use std::collections::BTreeMap;
use std::io;

use saves::input::{CELLS, Input};
use saves::{folder, tensors};
use scvi::Cpu;
use scvi::data::{CsrMatrix, Dataset};
use scvi::model::{
    Cells, ExpressionOptions, LibrarySize, Overall, Parameters, PointEstimate, Posterior,
    TaskError, Weights, batch_representation, latent_library_size, latent_representation,
    latent_simplex_mean, likelihood_parameters, normalized_expression,
    normalized_expression_overall, unwatched,
};
use scvi::module::{MinifiedDataType, PosteriorRows, Vae};
use scvi_io::open_model;

/// Genes of the data.
const GENES: usize = saves::input::GENES;
/// At the mean of the posterior.
const MEAN: ExpressionOptions = ExpressionOptions {
    library_size: LibrarySize::Fixed(1.0),
    transform_batch: &[],
    genes: None,
    posterior: Posterior::Mean,
    return_mean: true,
};

/// What scvi-tools gave (`reference/expression.py`), by model and name.
fn expected() -> BTreeMap<String, BTreeMap<String, Vec<f64>>> {
    let mut all: BTreeMap<String, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    for (name, (_, values)) in tensors(&folder("expression.safetensors")) {
        let (model, name) = name.split_once('/').unwrap();
        all.entry(model.into()).or_default().insert(name.into(), values);
    }
    all
}

/// Runs `check` with the model of a save and its data.
fn with_model(name: &str, check: impl FnOnce(Vae<Cpu<f32>>, &Dataset)) {
    let model = open_model(folder(name)).unwrap();
    let input = Input::read();
    let counts = input.counts();
    check(model.vae, &input.dataset(&open_model(folder(name)).unwrap(), &counts));
}

fn expression(vae: &Vae<Cpu<f32>>, cells: Cells, options: &ExpressionOptions) -> Vec<f32> {
    let mut all = Vec::new();
    normalized_expression(vae, cells, options, &mut unwatched, &mut |_, rows| {
        all.extend_from_slice(rows);
        Ok(())
    })
    .unwrap();
    all
}

#[track_caller]
fn assert_near(what: &str, found: &[f32], expected: &[f64]) {
    // The reference has the first cells alone.
    assert!(found.len() >= expected.len() && !expected.is_empty(), "{what}");
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(found) - expected).abs();
        assert!(error <= 1e-5 * expected.abs(), "{what}[{i}]: {found} {expected}");
    }
}

#[test]
fn expression_at_the_posterior_mean_is_scvi_tools() {
    for (name, expected) in expected() {
        with_model(&name, |vae, data| {
            let number = LibrarySize::Fixed(1e4);
            let latent = LibrarySize::Latent;
            for (key, options) in [
                ("one", MEAN),
                ("number", ExpressionOptions { library_size: number, ..MEAN }),
                ("latent", ExpressionOptions { library_size: latent, ..MEAN }),
                ("genes", ExpressionOptions { genes: Some(&[2, 7]), ..MEAN }),
                ("batch", ExpressionOptions { transform_batch: &[1], ..MEAN }),
                ("batches", ExpressionOptions { transform_batch: &[0, 1], ..MEAN }),
            ] {
                let Some(expected) = expected.get(key) else {
                    assert!(name == "default" && key.starts_with("batch"), "{name}/{key}");
                    continue;
                };
                // Minibatches that do not divide the cells.
                let found = expression(&vae, Cells::all(data, 7), &options);
                assert_near(&format!("{name}/{key}"), &found, expected);
            }
        });
    }
}

#[test]
fn genes_come_in_the_order_asked_for() {
    with_model("default", |vae, data| {
        let of = |genes| {
            expression(&vae, Cells::chosen(data, &[9, 3], 8), &ExpressionOptions { genes, ..MEAN })
        };
        let (all, some) = (of(None), of(Some(&[7, 2, 7])));
        let pick = |row: &[f32]| [row[7], row[2], row[7]];
        assert_eq!(some, all.chunks(GENES).flat_map(pick).collect::<Vec<_>>());
        let refused = |options: ExpressionOptions| {
            let cells = Cells::all(data, 8);
            normalized_expression(&vae, cells, &options, &mut unwatched, &mut |_, _| Ok(()))
                .unwrap_err()
        };
        let error = refused(ExpressionOptions { genes: Some(&[1, 20]), ..MEAN });
        assert!(matches!(error, TaskError::Gene { found: 20, n_genes: GENES }));
        let error = refused(ExpressionOptions { transform_batch: &[0, 9], ..MEAN });
        assert!(matches!(error, TaskError::Batch { found: 9, n_batch: 1 }));
        let none = Posterior::Samples { n_samples: 0, seed: 0 };
        let error = refused(ExpressionOptions { posterior: none, ..MEAN });
        assert!(matches!(error, TaskError::NoSamples));
    });
}

#[test]
fn what_takes_the_rows_may_stop_it() {
    with_model("default", |vae, data| {
        let mut full = |_: u32, _: &[f32]| Err(io::Error::other("disk full"));
        let cells = Cells::all(data, 8);
        let error =
            normalized_expression(&vae, cells, &MEAN, &mut unwatched, &mut full).unwrap_err();
        assert!(matches!(error, TaskError::Write(e) if e.to_string() == "disk full"));
    });
}

#[test]
fn parameters_and_the_rest_are_scvi_tools() {
    for (name, expected) in expected() {
        with_model(&name, |vae, data| {
            let (mut mean, mut dispersions, mut dropout) = (Vec::new(), Vec::new(), Vec::new());
            let mut rows = |found: Parameters| {
                let cells = found.mean.len() / GENES;
                mean.extend_from_slice(found.mean);
                let theta = found.dispersions.unwrap_or_default();
                let times = if theta.len() == GENES { cells } else { 1 };
                dispersions.extend(theta.repeat(times));
                dropout.extend_from_slice(found.dropout.unwrap_or_default());
                Ok(())
            };
            let cells = Cells::all(data, 7);
            let at = Posterior::Mean;
            likelihood_parameters(&vae, cells, at, true, &mut unwatched, &mut rows).unwrap();
            for (key, found) in [("mean", mean), ("dispersions", dispersions), ("dropout", dropout)]
            {
                match expected.get(key) {
                    Some(expected) => assert_near(&format!("{name}/{key}"), &found, expected),
                    // scvi-tools fails on these two.
                    None if name == "normal" || name == "poisson" => {
                        let has = key == "mean" || (key == "dispersions" && name == "normal");
                        assert_eq!(found.len(), if has { CELLS * GENES } else { 0 });
                    }
                    None => assert!(key == "dropout" && found.is_empty(), "{name}/{key}"),
                }
            }
            let size = |estimate| latent_library_size(&vae, cells, estimate, &mut unwatched);
            match (size(PointEstimate::Mean), expected.get("library_size")) {
                (Ok(found), Some(expected)) => assert_near(&name, &found, expected),
                (Err(TaskError::ObservedLibrary), None) => {
                    let found = size(PointEstimate::Sample { seed: 0 }).unwrap();
                    let totals = Input::read().numbers("x");
                    let totals: Vec<f64> =
                        totals.chunks(GENES).map(|x| x.iter().sum::<f32>().into()).collect();
                    assert_near(&name, &found, &totals);
                }
                (found, expected) => panic!("{name}: {found:?}, expected {expected:?}"),
            }
            match (batch_representation(&vae, cells, &mut unwatched), name == "embedding") {
                (Ok(found), true) => {
                    assert_near(&name, &found, &expected["batch_representation"]);
                }
                (found, expected) => assert!(found.is_err() && !expected, "{name}"),
            }
        });
    }
}

/// Whether two estimates agree within four of their standard errors.
#[track_caller]
fn assert_within(what: &str, found: [f64; 2], expected: [f64; 2]) {
    let allowed = 4.0 * found[1].hypot(expected[1]) + 1e-5 * expected[0].abs();
    assert!((found[0] - expected[0]).abs() <= allowed, "{what}: {found:?} {expected:?}");
}

#[test]
fn draws_are_scvi_tools_within_their_error() {
    const DRAWS: u32 = 2000;
    for (name, expected) in expected() {
        let Some(wanted) = expected.get("drawn") else { continue };
        with_model(&name, |vae, data| {
            let first: Vec<u32> = (0..5).collect();
            let cells = Cells::chosen(data, &first, 5);
            let (mut sum, mut squares) = (vec![0.0; wanted.len()], vec![0.0; wanted.len()]);
            let options = ExpressionOptions {
                library_size: LibrarySize::Latent,
                posterior: Posterior::Samples { n_samples: DRAWS, seed: 3 },
                return_mean: false,
                ..MEAN
            };
            let mut next = 0;
            normalized_expression(&vae, cells, &options, &mut unwatched, &mut |draw, rows| {
                assert_eq!(draw, next);
                next += 1;
                for (i, &v) in rows.iter().enumerate() {
                    sum[i] += f64::from(v);
                    squares[i] += f64::from(v).powi(2);
                }
                Ok(())
            })
            .unwrap();
            let n = f64::from(DRAWS);
            for (i, &wanted) in wanted.iter().enumerate() {
                let mean = sum[i] / n;
                let error = ((squares[i] / n - mean * mean).max(0.0) / n).sqrt();
                assert_within(
                    &format!("{name}[{i}]"),
                    [mean, error],
                    [wanted, expected["drawn_error"][i]],
                );
            }
            // The mean over the same draws.
            let mean = expression(&vae, cells, &ExpressionOptions { return_mean: true, ..options });
            let sums: Vec<f64> = sum.iter().map(|sum| sum / n).collect();
            assert_near(&name, &mean, &sums);
            if let Some(z) = expected.get("z") {
                let of =
                    |seed| latent_simplex_mean(&vae, cells, 2000, seed, &mut unwatched).unwrap();
                for (i, found) in of(1).into_iter().enumerate() {
                    // Its own error is about that of 10,000 draws, times the root of five.
                    let error = expected["z_error"][i];
                    assert_within(&name, [found.into(), error * 5f64.sqrt()], [z[i], error]);
                }
            }
        });
    }
}

#[test]
fn cells_that_are_drawn_have_draws_of_their_own() {
    with_model("default", |vae, data| {
        let draw = |candidates, batch_size, seed| {
            let overall = Overall { n_samples: 50, seed, weights: Weights::Uniform };
            let candidates = Cells::chosen(data, candidates, batch_size);
            let mut all = Vec::new();
            let drawn = normalized_expression_overall(
                &vae,
                candidates,
                overall,
                &ExpressionOptions { genes: Some(&[3]), ..MEAN },
                &mut unwatched,
                &mut |_, rows| {
                    all.extend_from_slice(rows);
                    Ok(())
                },
            );
            (drawn.unwrap(), all)
        };
        let (drawn, values) = draw(&[4, 50, 7], 16, 1);
        assert_eq!((drawn.clone(), values.clone()), draw(&[4, 50, 7], 3, 1));
        assert_ne!(values, draw(&[4, 50, 7], 16, 2).1);
        assert!([4, 50, 7].iter().all(|cell| drawn.contains(cell)));
        assert_eq!((drawn.len(), values.len()), (50, 50));
        let mut different = values.clone();
        different.sort_by(f32::total_cmp);
        different.dedup();
        assert_eq!(different.len(), 50, "a cell that is drawn twice has two z");
    });
}

#[test]
fn minified_data_gives_the_same() {
    for name in ["default", "size_factor", "embedding", "logistic_normal"] {
        with_model(name, |mut vae, data| {
            let options = ExpressionOptions {
                library_size: LibrarySize::Latent,
                posterior: Posterior::Samples { n_samples: 3, seed: 5 },
                ..MEAN
            };
            let full = [MEAN, options].map(|o| expression(&vae, Cells::all(data, 9), &o));
            let latent = latent_representation(&vae, Cells::all(data, 9), &mut unwatched).unwrap();
            let totals = Input::read().numbers("x");
            let stored = PosteriorRows {
                qz_m: latent.mean,
                qz_v: latent.var,
                observed_lib_size: totals.chunks(GENES).map(|x| x.iter().sum()).collect(),
            };
            let empty = CsrMatrix::new(GENES, vec![0; CELLS + 1], Vec::new(), Vec::new()).unwrap();
            let model = open_model(folder(name)).unwrap();
            let minified = Input::read().dataset(&model, &empty).with_posterior(stored).unwrap();
            vae.set_minified_data_type(Some(MinifiedDataType::LatentPosteriorParameters)).unwrap();
            for (options, full) in [MEAN, options].into_iter().zip(full) {
                let found = expression(&vae, Cells::all(&minified, 9), &options);
                let full: Vec<f64> = full.into_iter().map(f64::from).collect();
                assert_near(name, &found, &full);
            }
        });
    }
}
