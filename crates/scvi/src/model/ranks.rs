//! Ranks of each column's values.

use rayon::prelude::*;

/// Replaces every value of `(rows, columns)` by its rank within its column, from 1; equal values
/// share the mean of their ranks.
///
/// Ranks of up to 8 million rows are exact in single precision.
pub(super) fn rank(values: &mut [f32], columns: usize) {
    let rows = values.len() / columns.max(1);
    // Columns are ranked a few at a time, and written back together.
    let at_a_time = (1 << 22) / rows.max(1) + 1;
    for first in (0..columns).step_by(at_a_time) {
        let some = first..(first + at_a_time).min(columns);
        let of_column = |column: usize| {
            let column: Vec<f32> = (0..rows).map(|row| values[row * columns + column]).collect();
            ranks(&column)
        };
        let ranked: Vec<Vec<f32>> = some.clone().into_par_iter().map(of_column).collect();
        values.par_chunks_exact_mut(columns).enumerate().for_each(|(row, values)| {
            for (value, ranks) in values[some.clone()].iter_mut().zip(&ranked) {
                *value = ranks[row];
            }
        });
    }
}

fn ranks(values: &[f32]) -> Vec<f32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for tied in order.chunk_by(|&a, &b| values[a as usize] == values[b as usize]) {
        // Ranks start + 1 to start + n have this mean.
        let mean = start as f32 + (tied.len() as f32 + 1.0) / 2.0;
        tied.iter().for_each(|&i| ranks[i as usize] = mean);
        start += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_mean() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, -2.0, 3.0]), [4.0, 2.0, 4.0, 1.0, 4.0]);
        assert_eq!(ranks(&[0.0, -0.0]), [1.5, 1.5]);
        assert!(ranks(&[]).is_empty());
    }

    #[test]
    fn each_column_for_itself() {
        let mut values = [5.0, 1.0, 4.0, 2.0, 3.0, 3.0];
        rank(&mut values, 2);
        assert_eq!(values, [3.0, 1.0, 2.0, 2.0, 1.0, 3.0]);
        rank(&mut [], 0);
    }
}
