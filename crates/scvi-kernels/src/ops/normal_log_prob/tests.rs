use super::{NormalLogProb, NormalLogProbGrad};
use crate::ops::repeat::RepeatDims;
use crate::testing::{Draw, assert_near, buf, check_gradient, dot, full};
use crate::{Aligned, Cpu, LabelOps};

const SHAPES: [(usize, usize, usize); 5] =
    [(1, 1, 1), (2, 1, 3), (5, 4, 10), (17, 2, 1), (7, 9, 5)];

/// x, means, variances and factors of one case.
struct Case {
    d: RepeatDims,
    x: Vec<f64>,
    mean: Vec<f64>,
    var: Vec<f64>,
    factors: Vec<f64>,
}

impl Case {
    fn new((rows, times, width): (usize, usize, usize)) -> Self {
        let (d, mut draw) = (RepeatDims { rows, times, width }, Draw::new(rows as u64));
        let n = rows * times * width;
        let (x, mean) = (draw.normal(rows * width), draw.normal(n));
        let var = (0..n).map(|_| draw.within(0.1, 3.0)).collect();
        Self { d, x, mean, var, factors: draw.normal(rows * times) }
    }

    fn forward(&self, x: &[f64], mean: &[f64], var: &[f64]) -> Aligned<f64> {
        let mut log_prob = full(self.factors.len() + 1, f64::NAN);
        let (x, mean, var) = (&buf(x), &buf(mean), &buf(var));
        let io = NormalLogProb { x, mean, var, log_prob: &mut log_prob };
        Cpu::new().normal_log_prob(io, self.d);
        assert!(log_prob.pop().unwrap().is_nan(), "a number beyond the rows");
        log_prob
    }

    /// dx, added to 0.5, dm and dv.
    fn backward(&self, weight: f64, factors: Option<&Aligned<f64>>) -> [Aligned<f64>; 3] {
        let nan = || full(self.mean.len(), f64::NAN);
        let mut grads = [full(self.x.len(), 0.5), nan(), nan()];
        let [dx, d_mean, d_var] = &mut grads;
        let (x, mean, var) = (&buf(&self.x), &buf(&self.mean), &buf(&self.var));
        let io = NormalLogProbGrad { x, mean, var, weight, factors, dx, d_mean, d_var };
        Cpu::new().normal_log_prob_grad(io, self.d);
        grads
    }
}

/// `torch.distributions.Normal(0.5, 2).log_prob(8)`, torch 2.15, f64.
#[test]
fn the_density_is_torchs() {
    let case = Case::new((1, 1, 1));
    assert_near("ln p", &case.forward(&[8.0], &[0.5], &[4.0]), &[-8.643_335_713_764_618], 1e-14);
}

#[test]
fn densities_follow_the_formula() {
    for shape @ (_, times, width) in SHAPES {
        let case = Case::new(shape);
        let Case { x, mean, var, .. } = &case;
        let term = |i: usize| {
            let from = x[i / (times * width) * width + i % width] - mean[i];
            -0.5 * ((std::f64::consts::TAU * var[i]).ln() + from * from / var[i])
        };
        let want: Vec<f64> = (0..case.factors.len())
            .map(|k| (0..width).map(|l| term(k * width + l)).sum())
            .collect();
        assert_near("ln p", &case.forward(x, mean, var), &want, 1e-14);
    }
}

#[test]
fn gradients_agree_with_differences() {
    for shape in SHAPES {
        let case = Case::new(shape);
        let Case { x, mean, var, .. } = &case;
        let factors = buf(&case.factors);
        let ones = full(factors.len(), 1.0);
        for (given, factors) in [(None, &ones), (Some(&factors), &factors)] {
            let [dx, d_mean, d_var] = case.backward(0.7, given);
            let weighted = |log_prob: Aligned<f64>| 0.7 * dot(factors, &log_prob);
            check_gradient("x", x, &dx, |x| {
                weighted(case.forward(x, mean, var)) + 0.5 * x.iter().sum::<f64>()
            });
            check_gradient("mean", mean, &d_mean, |mean| weighted(case.forward(x, mean, var)));
            check_gradient("var", var, &d_var, |var| weighted(case.forward(x, mean, var)));
        }
    }
}
