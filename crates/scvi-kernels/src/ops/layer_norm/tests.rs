use super::EPS;
use crate::testing::{Draw, assert_near, buf, cast, check_gradient, dot, full};
use crate::{Aligned, Cpu, LayerNormKept, NormOps};

const SHAPES: [[usize; 2]; 8] =
    [[1, 3], [2, 2], [3, 5], [15, 33], [16, 16], [17, 15], [2, 39], [40, 128]];

/// y, and what is saved for backward: x̂ and 1/σ.
fn forward(x: &[f64], dims: [usize; 2]) -> [Aligned<f64>; 3] {
    let (mut y, mut normalised, mut inv_std) =
        (buf(x), full(x.len(), f64::NAN), full(dims[0], f64::NAN));
    Cpu::new().layer_norm(&mut y, dims, &mut normalised, &mut inv_std);
    [y, normalised, inv_std]
}

fn backward(dy: &[f64], kept: &[Aligned<f64>; 3], dims: [usize; 2]) -> Aligned<f64> {
    let [_, normalised, inv_std] = kept;
    let mut dx = buf(dy);
    Cpu::new().layer_norm_grad(LayerNormKept { normalised, inv_std }, dims, &mut dx);
    dx
}

#[test]
fn normalises_each_cell_by_its_own_moments() {
    for dims @ [cells, features] in SHAPES {
        let mut draw = Draw::new(1);
        let x: Vec<f64> = draw.normal(cells * features).iter().map(|v| 3.0 * v + 2.0).collect();
        let (mut want, mut want_inv_std) = (Vec::new(), Vec::new());
        for row in x.chunks(features) {
            let n = features as f64;
            let mean = row.iter().sum::<f64>() / n;
            let var = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            want.extend(row.iter().map(|v| (v - mean) / (var + EPS).sqrt()));
            want_inv_std.push(1.0 / (var + EPS).sqrt());
        }
        let [y, normalised, inv_std] = forward(&x, dims);
        assert_near("y", &y, &want, 1e-13);
        assert_eq!(y, normalised);
        assert_near("1/σ", &inv_std, &want_inv_std, 1e-13);
    }
}

/// `torch.nn.LayerNorm(3, elementwise_affine=False)`, torch 2.15, f64.
#[test]
fn is_torchs() {
    let kept = forward(&[1.0, 2.0, 4.0, -0.5, -0.5, 0.25], [2, 3]);
    let want = [
        -1.0690415314502977,
        -0.26726038286257453,
        1.3363019143128718,
        -0.7070784986122433,
        -0.7070784986122433,
        1.4141569972244865,
    ];
    assert_near("y", &kept[0], &want, 1e-15);
    let dx = backward(&[1.0, 2.0, -3.0, 0.5, -1.0, 4.0], &kept, [2, 3]);
    let want = [
        -0.8017708400392252,
        1.202674300018709,
        -0.40090345997948473,
        2.120914979225354,
        -2.1215560124481048,
        0.0006410332227497761,
    ];
    assert_near("dx", &dx, &want, 1e-14);
}

#[test]
fn the_gradient_agrees_with_differences() {
    for dims @ [cells, features] in SHAPES {
        let mut draw = Draw::new(2);
        let (x, dy) = (draw.normal(cells * features), draw.normal(cells * features));
        let dx = backward(&dy, &forward(&x, dims), dims);
        check_gradient(&format!("{dims:?}"), &x, &dx, |x| dot(&dy, &forward(x, dims)[0]));
    }
}

#[test]
fn a_cell_of_equal_numbers_becomes_zeros() {
    assert_eq!(forward(&[2.5; 7], [1, 7])[0][..], [0.0; 7]);
    assert_eq!(forward(&[-3.0], [1, 1])[0][..], [0.0]);
}

#[test]
fn what_lies_beyond_the_minibatch_is_left_alone() {
    let mut draw = Draw::new(3);
    let mut x = buf(&cast::<f32>(&draw.normal(3 * 19)));
    let tail = x[2 * 19..].to_vec();
    let (mut normalised, mut inv_std) = (full(3 * 19, 9.0), full(3, 9.0));
    Cpu::new().layer_norm(&mut x, [2, 19], &mut normalised, &mut inv_std);
    assert_eq!((&x[2 * 19..], &normalised[2 * 19..], inv_std[2]), (&tail[..], &[9.0; 19][..], 9.0));
}
