//! How well a classifier's scores agree with known labels.

use scvi_kernels::Real;

/// Bins of confidence, of one width, between 0 and 1.
const BINS: usize = 15;

/// Metrics of a labelled minibatch (scvi-tools 1.4.2, `train/_trainingplans.py`, by torchmetrics).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ClassificationMetrics {
    /// Share of cells whose most probable label is theirs.
    accuracy: f64,
    /// Σ over bins of the share of cells in it times |accuracy - mean confidence|.
    calibration_error: f64,
}

impl ClassificationMetrics {
    /// Of logits, or of probabilities: scores that are all between 0 and 1 count as these.
    pub(super) fn new<F: Real>(scores: &[F], labels: &[u32], n_labels: usize) -> Self {
        let scores: Vec<f64> = scores.iter().map(|v| v.to_f64()).collect();
        let are_probabilities = scores.iter().all(|v| (0.0..=1.0).contains(v));
        // Cells, right ones, and confidence of each bin; exactly 1 has a bin of its own.
        let mut bins = [(0usize, 0usize, 0.0); BINS + 1];
        for (row, &label) in scores.chunks_exact(n_labels).zip(labels) {
            let (best, top) = largest(row);
            let confidence = match are_probabilities {
                true => top,
                false => 1.0 / row.iter().map(|v| (v - top).exp()).sum::<f64>(),
            };
            let (n, right, sum) = &mut bins[bin(confidence)];
            *n += 1;
            *right += usize::from(best == label as usize);
            *sum += confidence;
        }
        let n = labels.len().max(1) as f64;
        let right: usize = bins.iter().map(|&(_, right, _)| right).sum();
        let error: f64 = bins.iter().map(|&(_, right, sum)| (right as f64 - sum).abs()).sum();
        Self { accuracy: right as f64 / n, calibration_error: error / n }
    }

    /// By scvi-tools' names. Of labels that exclude each other the F1 score with average micro is
    /// the accuracy.
    pub(super) fn named(self) -> [(&'static str, f64); 3] {
        let Self { accuracy, calibration_error } = self;
        [("accuracy", accuracy), ("f1_score", accuracy), ("calibration_error", calibration_error)]
    }
}

/// The largest number and its place, the first of equal ones.
fn largest(row: &[f64]) -> (usize, f64) {
    let rest = row.iter().enumerate().skip(1);
    rest.fold((0, row[0]), |best, (i, &v)| if v > best.1 { (i, v) } else { best })
}

/// The bin that a confidence falls in, by boundaries in single precision as torch's.
fn bin(confidence: f64) -> usize {
    let boundary = |i: usize| f64::from(i as f32 / BINS as f32);
    (1..=BINS).take_while(|&i| confidence >= boundary(i)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f64; 12] = [2.0, 1.0, -1.0, 0.3, 0.2, 0.1, -3.0, 4.0, 0.0, 1.0, 1.5, 5.0];

    /// `torchmetrics.functional.classification.multiclass_{accuracy,calibration_error}`, 1.9.0.
    #[test]
    fn metrics_are_those_of_torchmetrics() {
        let found = ClassificationMetrics::new(&LOGITS, &[0, 1, 1, 0], 3);
        let want = [0.5, 0.5, 0.399_161_934_852_600_1];
        for ((name, found), want) in found.named().into_iter().zip(want) {
            assert!((found - want).abs() < 1e-6, "{name}: {found}");
        }
    }

    #[test]
    fn scores_between_0_and_1_are_probabilities() {
        let scores = [0.7, 0.2, 0.1, 0.0, 0.0, 1.0];
        let found = ClassificationMetrics::new(&scores, &[0, 1], 3);
        assert!((found.calibration_error - 0.65).abs() < 1e-6, "{found:?}");
    }
}
