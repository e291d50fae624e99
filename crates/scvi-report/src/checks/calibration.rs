//! How many observed counts lie within intervals of their draws.

use rayon::prelude::*;

/// Probabilities of the intervals' lower ends; the upper ends mirror them.
const LOWER: [f64; 7] = [0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175];

pub(super) struct Calibration {
    n_samples: usize,
    /// Draws of the cells at hand: `(draws, cells, genes)`
    draws: Vec<Vec<f32>>,
    /// Counts within each interval.
    within: [u64; LOWER.len()],
    n_counts: u64,
}

impl Calibration {
    pub(super) fn new(n_samples: usize) -> Self {
        Self { n_samples, draws: Vec::new(), within: [0; LOWER.len()], n_counts: 0 }
    }

    /// Takes one draw of some cells; whether it is their last.
    pub(super) fn push(&mut self, values: &[f32]) -> bool {
        self.draws.push(values.to_vec());
        self.draws.len() == self.n_samples
    }

    /// Compares the draws with observed counts of the same cells, and forgets them.
    pub(super) fn compare(&mut self, observed: &[f32]) {
        let within = (0..observed.len()).into_par_iter().with_min_len(4096).fold(
            || ([0u64; LOWER.len()], Vec::new()),
            |(mut within, mut draws), at| {
                draws.clear();
                draws.extend(self.draws.iter().map(|draw| draw[at]));
                count_within(observed[at], &mut draws, &mut within);
                (within, draws)
            },
        );
        // Whole numbers: the order of the sum does not matter.
        let sum =
            |a: [u64; LOWER.len()], b: [u64; LOWER.len()]| std::array::from_fn(|i| a[i] + b[i]);
        let within = within.map(|(within, _)| within).reduce(|| [0; LOWER.len()], sum);
        self.within = sum(self.within, within);
        self.n_counts += observed.len() as u64;
        self.draws.clear();
    }

    /// The error, and width and share of each interval.
    pub(super) fn finish(&self) -> (f64, Vec<(f64, f64)>) {
        let share = |(&lower, &within): (&f64, &u64)| {
            (1.0 - 2.0 * lower, within as f64 / self.n_counts as f64)
        };
        let intervals: Vec<(f64, f64)> = LOWER.iter().zip(&self.within).map(share).collect();
        let error = intervals.iter().map(|(width, share)| (share - width).powi(2)).sum();
        (error, intervals)
    }
}

fn count_within(observed: f32, draws: &mut [f32], within: &mut [u64; LOWER.len()]) {
    if observed == 0.0 && draws.iter().all(|&x| x == 0.0) {
        within.iter_mut().for_each(|within| *within += 1);
        return;
    }
    draws.sort_unstable_by(f32::total_cmp);
    for (within, lower) in within.iter_mut().zip(LOWER) {
        let is_within = f64::from(observed) >= quantile(draws, lower)
            && f64::from(observed) <= quantile(draws, 1.0 - lower);
        *within += u64::from(is_within);
    }
}

/// Between the two nearest of sorted values, as numpy's default.
fn quantile(sorted: &[f32], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let below = f64::from(sorted[place.floor() as usize]);
    let above = f64::from(sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}
