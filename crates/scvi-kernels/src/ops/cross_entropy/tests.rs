use super::CrossEntropy;
use crate::testing::{Draw, assert_near, buf, check_gradient, full};
use crate::{Aligned, Cpu, LabelOps};

fn run(logits: &[f64], labels: &[u32], n_labels: usize, grad: bool) -> [Aligned<f64>; 2] {
    let cells = labels.len();
    let (mut losses, mut du) = (full(cells, f64::NAN), full(logits.len(), f64::NAN));
    let grad = grad.then_some((0.25, &mut du));
    let (logits, labels) = (&buf(logits), &labels.to_vec());
    let io = CrossEntropy::<Cpu<f64>> { logits, labels, losses: &mut losses, grad };
    Cpu::new().cross_entropy(io, [cells, n_labels]);
    [losses, du]
}

/// `torch.nn.functional.cross_entropy`, torch 2.15, f64.
#[test]
fn the_loss_is_torchs() {
    let [losses, _] = run(&[1.0, -2.0, 0.5, 0.0, 3.0, -1.0], &[2, 0], 3, false);
    let want = [1.0045969023422834, 3.0658839037574293];
    assert_near("loss", &losses, &want, 1e-14);
}

#[test]
fn gradients_agree_with_differences() {
    for [cells, n_labels] in [[1, 1], [3, 2], [15, 10], [6, 33]] {
        let mut draw = Draw::new(cells as u64);
        let logits = draw.normal(cells * n_labels);
        let labels: Vec<u32> = (0..cells).map(|_| draw.below(n_labels) as u32).collect();
        let [_, du] = run(&logits, &labels, n_labels, true);
        check_gradient(&format!("{cells} cells"), &logits, &du, |logits| {
            0.25 * run(logits, &labels, n_labels, false)[0].iter().sum::<f64>()
        });
    }
}
