//! A number for each gene or cell, observed and drawn.

/// A statistic of observed counts, and its mean over draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistic {
    /// Of observed counts; 0 where it is not defined (a gene without counts has no variation).
    pub observed: Vec<f32>,
    /// Mean over the draws for which it is defined; NaN where it is for none.
    pub drawn: Vec<f32>,
}

impl Statistic {
    pub(super) fn new(observed: Vec<f64>, draws: impl Iterator<Item = Vec<f64>>) -> Self {
        let (mut sums, mut n) = (vec![0.0; observed.len()], vec![0u32; observed.len()]);
        for draw in draws {
            for ((sum, n), value) in sums.iter_mut().zip(&mut n).zip(draw) {
                if !value.is_nan() {
                    *sum += value;
                    *n += 1;
                }
            }
        }
        let zero_for_nan = |v: f64| if v.is_nan() { 0.0 } else { v as f32 };
        Self {
            observed: observed.into_iter().map(zero_for_nan).collect(),
            drawn: sums.iter().zip(n).map(|(sum, n)| (sum / f64::from(n)) as f32).collect(),
        }
    }

    /// The genes or cells whose two numbers are farthest apart, the worst first.
    pub fn worst(&self, n: usize) -> Vec<u32> {
        let difference = |i: u32| (self.observed[i as usize] - self.drawn[i as usize]).abs();
        let mut order: Vec<u32> = (0..self.observed.len() as u32).collect();
        order.retain(|&i| difference(i).is_finite());
        order.sort_by(|&a, &b| difference(b).total_cmp(&difference(a)));
        order.truncate(n);
        order
    }
}
