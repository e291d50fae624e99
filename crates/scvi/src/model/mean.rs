//! The mean of matrices that come one after the other.

/// Rows summed in double precision; of a single matrix no sum is made.
#[derive(Default)]
pub(super) struct MeanRows {
    last: Vec<f32>,
    sum: Vec<f64>,
    came: usize,
}

impl MeanRows {
    /// Takes the next of `terms` matrices of `n` numbers, which `read` fills in; after the last one
    /// another mean begins.
    pub(super) fn add(&mut self, n: usize, terms: usize, read: impl FnOnce(&mut [f32])) {
        self.came %= terms;
        self.last.resize(n, 0.0);
        read(&mut self.last);
        if terms > 1 {
            if self.came == 0 {
                self.sum.clear();
                self.sum.resize(n, 0.0);
            }
            self.sum.iter_mut().zip(&self.last).for_each(|(sum, &v)| *sum += f64::from(v));
        }
        self.came += 1;
        if terms > 1 && self.came == terms {
            let means = self.sum.iter().map(|sum| (sum / terms as f64) as f32);
            self.last.iter_mut().zip(means).for_each(|(last, mean)| *last = mean);
        }
    }

    /// The mean, once all matrices have come.
    pub(super) fn rows(&self) -> &[f32] {
        &self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_begin_anew() {
        let mut mean = MeanRows::default();
        for shift in [0.0, 5.0] {
            mean.add(2, 2, |out| out.copy_from_slice(&[1.0, 2.0 + shift]));
            mean.add(2, 2, |out| out.copy_from_slice(&[3.0, 4.0 + shift]));
            assert_eq!(mean.rows(), [2.0, 3.0 + shift]);
        }
        mean.add(1, 1, |out| out[0] = 7.0);
        assert_eq!(mean.rows(), [7.0]);
    }
}
