//! Poisson draws that mostly come out as zero.

use rand_chacha::ChaCha8Rng;
use rand_distr::num_traits::Float;
use rand_distr::{Distribution, Poisson, StandardUniform};

/// The rate from which [`Poisson`] draws by rejection, not by multiplying uniform numbers.
const REJECTION: f64 = 12.0;
/// More than the errors of `exp` and of a difference near 1 come to.
const ROUNDING: f64 = 1e-14;

/// A draw from Poisson(rate): the very numbers that [`Poisson`] takes from the stream, and gives.
/// 0 where the rate is none.
///
/// Knuth's method multiplies uniform numbers until they fall below e^-rate, which is no less than
/// 1 - rate: where the first is below that already the exponential, most of the cost, is not needed.
pub(super) fn poisson(rate: f64, rng: &mut ChaCha8Rng) -> f64 {
    if rate.is_nan() || rate <= 0.0 {
        return 0.0;
    }
    if rate >= REJECTION {
        return Poisson::new(rate).map_or(0.0, |p| p.sample(rng));
    }
    let mut product: f64 = StandardUniform.sample(rng);
    if product < 1.0 - rate - ROUNDING {
        return 0.0;
    }
    // Not the method of std: this one rounds as the library's own.
    let limit = Float::exp(-rate);
    let mut count = 0.0;
    while product > limit {
        let next: f64 = StandardUniform.sample(rng);
        product *= next;
        count += 1.0;
    }
    count
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn draws_are_those_of_the_library() {
        let mut counts = [0; 3];
        for seed in 0..400 {
            let mut ours = ChaCha8Rng::seed_from_u64(seed);
            let mut theirs = ours.clone();
            for k in 0..200 {
                let rate = 1e-6 * 1.09_f64.powi(k); // up to 28
                let count = poisson(rate, &mut ours);
                assert_eq!(count, Poisson::new(rate).unwrap().sample(&mut theirs), "{rate}");
                counts[count.min(2.0) as usize] += 1;
            }
            assert_eq!(ours.next_u64(), theirs.next_u64());
        }
        assert!(counts.iter().all(|&n| n > 1000), "{counts:?}");
    }

    #[test]
    fn a_rate_that_is_none_draws_nothing() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let before = rng.clone();
        assert!([0.0, -1.0, f64::NAN].iter().all(|&rate| poisson(rate, &mut rng) == 0.0));
        assert_eq!(rng, before);
        assert_eq!(poisson(f64::INFINITY, &mut rng), 0.0);
    }
}
