//! Samples: their moments and probabilities, and what they depend on.

use std::fmt::Debug;

use scvi::distributions::{
    Distribution, DistributionError, MAX_POISSON_RATE, NoiseRng, Normal, Poisson, SampleError,
    SampleNoise, ZeroInflatedNegativeBinomial, sample_matrix,
};

use crate::{assert_close, expectation, nb, poisson, zinb};

const CELLS: usize = 500;
const GENES: usize = 400;

/// 200 000 draws, each with noise of its own.
fn draws(distribution: &(impl Distribution<f64> + Copy + Sync)) -> Vec<f64> {
    let [cells, genes] = [CELLS, GENES].map(|n| (0..n as u32).collect::<Vec<_>>());
    let noise = SampleNoise { seed: 11, draw: 3, cells: &cells, genes: &genes };
    let mut out = vec![0.0; CELLS * GENES];
    sample_matrix(noise, |_, _| Ok(*distribution), &mut out).unwrap();
    out
}

/// Mean and variance of draws within four standard errors, given E[(x - mean)⁴].
fn check_moments<D: Distribution<f64> + Copy + Sync + Debug>(distribution: &D, fourth: f64) {
    let (mean, variance) = (distribution.mean(), distribution.variance());
    let x = draws(distribution);
    let n = x.len() as f64;
    let found = x.iter().sum::<f64>() / n;
    let error = (variance / n).sqrt();
    assert!((found - mean).abs() < 4.0 * error, "{distribution:?}: mean {found}, not {mean}");
    let found = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let error = ((fourth - variance * variance) / n).sqrt();
    let deviation = (found - variance).abs();
    assert!(deviation < 4.0 * error, "{distribution:?}: variance {found}, not {variance}");
}

#[test]
fn samples_have_the_moments() {
    fn counts<D: Distribution<f64> + Copy + Sync + Debug>(distribution: &D) {
        let mean = distribution.mean();
        check_moments(distribution, expectation(distribution, |x| (x - mean).powi(4)));
    }
    for mu in [0.03, 1.7, 25.0, 400.0] {
        counts(&poisson(mu));
        for theta in [0.4, 6.0, 1e6] {
            counts(&nb(mu, theta));
            counts(&zinb(mu, theta, -0.8));
        }
    }
    let normal = Normal::new(-3.0, 2.5).unwrap();
    check_moments(&normal, 3.0 * normal.variance() * normal.variance());
}

#[test]
fn samples_have_the_probabilities() {
    fn check<D: Distribution<f64> + Copy + Sync + Debug>(distribution: &D) {
        let x = draws(distribution);
        for count in 0..8 {
            let count = f64::from(count);
            let p = distribution.log_prob(count).exp();
            let n = x.len() as f64;
            let found = x.iter().filter(|&&x| x == count).count() as f64 / n;
            let error = (p * (1.0 - p) / n).sqrt();
            assert!((found - p).abs() < 4.5 * error, "{distribution:?}: {count} has {found}, {p}");
        }
    }
    check(&poisson(2.2));
    check(&nb(2.2, 0.7));
    check(&zinb(2.2, 0.7, 1.1));
    check(&zinb(14.0, 3.0, -2.0));
}

#[test]
fn rates_are_clipped() {
    let rng = || NoiseRng::new(5, 0, 0, 0);
    // Ten standard deviations over the largest rate; without the clip, 1e20.
    let most = MAX_POISSON_RATE + 10.0 * MAX_POISSON_RATE.sqrt();
    let found = nb(1e20, 50.0).sample(&mut rng());
    assert!((0.9 * MAX_POISSON_RATE..most).contains(&found), "{found}");
    let clipped = poisson(1e20).clipped(100.0).unwrap();
    assert_eq!(clipped.rate(), 100.0);
    assert_eq!(clipped.sample(&mut rng()), poisson(100.0).sample(&mut rng()));
    assert_eq!(poisson(7.0).clipped(MAX_POISSON_RATE), Poisson::new(7.0));
    // Unclipped, a Poisson keeps its rate as far as counts can be drawn.
    assert_close(poisson(1e15).sample(&mut rng()), 1e15, 1e-6, "a large rate");
    assert_eq!(poisson(0.0).sample(&mut rng()), 0.0);
}

/// Another distribution at every place of a data set, in single precision.
fn varied(cell: u32, gene: u32) -> Result<ZeroInflatedNegativeBinomial<f32>, DistributionError> {
    let (cell, gene) = (cell as f32, gene as f32);
    ZeroInflatedNegativeBinomial::new(0.3 * cell + gene, 0.1 + gene, 0.2 * gene - 1.0)
}

fn varied_matrix(seed: u64, draw: u32, cells: &[u32], genes: &[u32]) -> Vec<f32> {
    let mut out = vec![0.0; cells.len() * genes.len()];
    let noise = SampleNoise { seed, draw, cells, genes };
    sample_matrix(noise, |row, column| varied(cells[row], genes[column]), &mut out).unwrap();
    out
}

#[test]
fn samples_depend_on_nothing_but_their_place() {
    let cells: Vec<u32> = (0..37).collect();
    let genes: Vec<u32> = (0..23).collect();
    let all = varied_matrix(3, 1, &cells, &genes);
    assert!(all.iter().filter(|&&x| x > 0.0).count() > 200);
    // Some cells and genes, in another order, in minibatches of one to three.
    let some_genes = [19, 0, 7];
    for size in 1..4 {
        for cells in [30, 2, 3, 36, 0].chunks(size) {
            let found = varied_matrix(3, 1, cells, &some_genes);
            let place = |&cell: &u32| some_genes.map(|gene| all[(cell * 23 + gene) as usize]);
            let want: Vec<f32> = cells.iter().flat_map(place).collect();
            assert_eq!(found, want);
        }
    }
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| varied_matrix(3, 1, &cells, &genes)), all, "{threads} threads");
    }
    assert_ne!(varied_matrix(4, 1, &cells, &genes), all);
    assert_ne!(varied_matrix(3, 2, &cells, &genes), all);
}

#[test]
fn a_matrix_that_cannot_be_drawn_says_where() {
    // Every row from the hundredth on has a rate that is none; threads meet them in any order.
    let cells: Vec<u32> = (0..500).map(|row| 2 * row).collect();
    let noise = SampleNoise { seed: 0, draw: 0, cells: &cells, genes: &[5, 6] };
    let rate = |row: usize, column: usize| if row + column > 100 { f32::NAN } else { 1.0 };
    let poisson = |row: usize, column: usize| Poisson::new(rate(row, column));
    let error = sample_matrix(noise, poisson, &mut [0.0; 1000]).unwrap_err();
    assert!(matches!(error, SampleError::Parameters { cell: 200, gene: 6, .. }), "{error:?}");
    assert_eq!(error.to_string(), "no distribution for cell 200, gene 6");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "rate is NaN; it must be finite and 0 or more");
    let error = sample_matrix(noise, poisson, &mut [0.0; 999]).unwrap_err();
    assert_eq!(error, SampleError::Size { found: 999, cells: 500, genes: 2 });
    let none = SampleNoise { genes: &[], ..noise };
    assert_eq!(sample_matrix(none, poisson, &mut []), Ok(()));
    let none = SampleNoise { cells: &[], ..noise };
    assert_eq!(sample_matrix(none, poisson, &mut []), Ok(()));
}
