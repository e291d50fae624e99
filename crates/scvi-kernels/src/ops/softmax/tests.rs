use crate::testing::{Draw, assert_near, buf, check_gradient, dot, full};
use crate::{Aligned, Cpu, LatentOps};

const SHAPES: [[usize; 2]; 5] = [[1, 1], [2, 3], [15, 10], [17, 1], [40, 7]];

fn forward(u: &[f64], dims: [usize; 2]) -> Aligned<f64> {
    // A buffer may be longer than a call needs: the rest is not touched.
    let mut z = full(u.len(), f64::NAN);
    z.push(9.0);
    Cpu::new().softmax(&buf(u), &mut z, dims);
    assert_eq!(z.pop(), Some(9.0));
    z
}

#[test]
fn shares_are_exponentials_over_their_sum() {
    for dims @ [cells, latent] in SHAPES {
        let u = Draw::new(1).normal(cells * latent);
        let sum =
            |i: usize| u[i / latent * latent..][..latent].iter().map(|v| v.exp()).sum::<f64>();
        let want: Vec<f64> = (0..u.len()).map(|i| u[i].exp() / sum(i)).collect();
        assert_near("z", &forward(&u, dims), &want, 1e-14);
    }
}

#[test]
fn large_numbers_do_not_overflow() {
    let [low, high] =
        [-1000.0, 1000.0].map(|shift| forward(&[shift, shift, shift - 2000.0], [1, 3]));
    assert_eq!([&low[..], &high[..]], [[0.5, 0.5, 0.0]; 2]);
}

#[test]
fn the_gradient_agrees_with_differences() {
    for dims @ [cells, latent] in SHAPES {
        let mut draw = Draw::new(2);
        let (u, dz) = (draw.normal(cells * latent), draw.normal(cells * latent));
        let mut du = buf(&dz);
        Cpu::new().softmax_grad(&forward(&u, dims), &mut du, dims);
        check_gradient(&format!("{dims:?}"), &u, &du, |u| dot(&dz, &forward(u, dims)));
    }
}
