//! Values against scvi-tools' formulas written down directly.

use super::case::{MOMENTUM, NORM_EPS};
use super::{Case, Kind, LIKELIHOODS};
use crate::ops::count_head::{GeneLikelihood, ScaleActivation};
use crate::testing::{Mode, assert_near, dense};

const EPS: f64 = 1e-8;

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// ln Γ(x + θ) - ln Γ(θ) for a whole x.
fn ln_gamma_ratio(theta: f64, x: f64) -> f64 {
    (0..x as usize).map(|i| (theta + i as f64).ln()).sum()
}

fn ln_factorial(x: f64) -> f64 {
    ln_gamma_ratio(1.0, x)
}

fn log_nb(x: f64, mu: f64, theta: f64) -> f64 {
    let log_theta_mu = (theta + mu + EPS).ln();
    theta * ((theta + EPS).ln() - log_theta_mu)
        + x * ((mu + EPS).ln() - log_theta_mu)
        + ln_gamma_ratio(theta, x)
        - ln_factorial(x)
}

fn log_zinb(x: f64, mu: f64, theta: f64, pi: f64) -> f64 {
    let kept = -softplus(-pi);
    if x > 0.0 {
        return kept - pi + log_nb(x, mu, theta);
    }
    softplus(log_nb(0.0, mu, theta) - pi) + kept
}

fn log_poisson(x: f64, mu: f64) -> f64 {
    x * mu.ln() - mu - ln_factorial(x)
}

fn log_normal(x: f64, mu: f64, sd: f64) -> f64 {
    -0.5 * ((x - mu) / sd).powi(2) - sd.ln() - 0.5 * std::f64::consts::TAU.ln()
}

/// W h + b: `(cells, genes)`; none where there is no such head.
fn products(case: &Case, head: &str) -> Option<Vec<f64>> {
    let n = case.dims.hidden;
    let w = case.parameters.get(&format!("{head} weight"))?;
    let product = |h: &[f64], w: &[f64]| h.iter().zip(w).map(|(h, w)| h * w).sum::<f64>();
    let cell = |h| w.chunks(n).map(move |w| product(h, w));
    let mut y: Vec<f64> = case.h.chunks(n).flat_map(cell).collect();
    if let Some(bias) = case.parameters.get(&format!("{head} bias")) {
        for row in y.chunks_mut(case.dims.genes) {
            row.iter_mut().zip(bias).for_each(|(v, b)| *v += b);
        }
    }
    Some(y)
}

/// Mean and biased variance of each gene over the cells.
fn moments(y: &[f64], genes: usize) -> [Vec<f64>; 2] {
    let n = (y.len() / genes) as f64;
    let column = |g: usize| y.iter().skip(g).step_by(genes);
    let mean: Vec<f64> = (0..genes).map(|g| column(g).sum::<f64>() / n).collect();
    let square = |g: usize| column(g).map(|v| (v - mean[g]).powi(2)).sum::<f64>() / n;
    let var = (0..genes).map(square).collect();
    [mean, var]
}

/// A head's output in a pass of training or of evaluation: `(cells, genes)`.
fn logits(case: &Case, head: &str, training: bool) -> Option<Vec<f64>> {
    let mut y = products(case, head)?;
    let genes = case.dims.genes;
    if let Some(running) = case.running.get(head) {
        let [mean, var] = if training { moments(&y, genes) } else { running.clone() };
        let [gamma, beta] = ["gamma", "beta"].map(|of| &case.parameters[&format!("{head} {of}")]);
        for (at, v) in y.iter_mut().enumerate() {
            let g = at % genes;
            *v = gamma[g] * (*v - mean[g]) / (var[g] + NORM_EPS).sqrt() + beta[g];
        }
    }
    Some(y)
}

/// ρ: `(cells, genes)`.
fn scales(case: &Case, training: bool) -> Vec<f64> {
    let mut rho = logits(case, "scale", training).unwrap();
    for row in rho.chunks_mut(case.dims.genes) {
        let sum: f64 = row.iter().map(|v| v.exp()).sum();
        for v in row {
            *v = match case.kind.activation {
                ScaleActivation::Softmax => v.exp() / sum,
                // torch's threshold
                ScaleActivation::Softplus if *v > 20.0 => *v,
                ScaleActivation::Softplus => softplus(*v),
            };
        }
    }
    rho
}

fn naive(case: &Case, training: bool) -> Vec<f64> {
    let genes = case.dims.genes;
    let (x, rho) = (dense(&case.rows, genes), scales(case, training));
    let [pi, own] = ["dropout", "px_r"].map(|head| logits(case, head, training));
    let term = |cell: usize, gene: usize| {
        let at = cell * genes + gene;
        let mu = case.library[cell].exp() * rho[at];
        let shared = || case.parameters["px_r"][gene * case.n_groups() + case.group(cell)];
        let px_r = || own.as_ref().map_or_else(shared, |px_r| px_r[at]);
        match case.kind.likelihood {
            GeneLikelihood::Zinb => log_zinb(x[at], mu, px_r().exp(), pi.as_ref().unwrap()[at]),
            GeneLikelihood::Nb => log_nb(x[at], mu, px_r().exp()),
            GeneLikelihood::Poisson => log_poisson(x[at], mu),
            GeneLikelihood::Normal => log_normal(x[at], mu, px_r().exp()),
        }
    };
    (0..case.dims.cells).map(|c| -(0..genes).map(|g| term(c, g)).sum::<f64>()).collect()
}

#[test]
fn the_loss_is_the_formula() {
    for case in Case::all() {
        let (trained, evaluated) = (case.run::<f64>(Mode::Frozen), case.evaluate::<f64>());
        // A normalised head reaches θ so large that the formula as written down loses digits.
        let allowed = if case.kind.norm { 1e-9 } else { 1e-11 };
        assert_near(&case.name(), &trained.nll, &naive(&case, true), allowed);
        assert_near(&case.name(), &evaluated.nll, &naive(&case, false), allowed);
    }
}

#[test]
fn the_heads_outputs_can_be_read() {
    for case in Case::all() {
        let got = case.evaluate::<f64>();
        assert_near(&case.name(), &got.scale, &scales(&case, false), 1e-12);
        for (got, head) in [(got.dropout, "dropout"), (got.px_r, "px_r")] {
            let want = logits(&case, head, false);
            assert_eq!(got.is_some(), want.is_some(), "{head}, {}", case.name());
            if let (Some(got), Some(want)) = (got, want) {
                assert_near(&format!("{head}, {}", case.name()), &got, &want, 1e-12);
            }
        }
    }
}

#[test]
fn running_moments_move_towards_the_minibatchs() {
    for case in Case::all().filter(|case| case.kind.norm) {
        let n = case.dims.cells as f64;
        let got = case.run::<f64>(Mode::Frozen).running;
        for ((head, before), got) in case.running.iter().zip(&got) {
            let [mean, var] = moments(&products(&case, head).unwrap(), case.dims.genes);
            // One cell has no unbiased variance; it counts as none.
            let unbiased = var.iter().map(|v| v * n / (n - 1.0).max(1.0)).collect();
            for ((got, before), new) in got.iter().zip(before).zip([mean, unbiased]) {
                let step = |(b, n): (&f64, &f64)| (1.0 - MOMENTUM) * b + MOMENTUM * n;
                let want: Vec<f64> = before.iter().zip(&new).map(step).collect();
                assert_near(&format!("{head}, {}", case.name()), got, &want, 1e-12);
            }
        }
    }
}

/// Whole counts of any size, with θ and π from one end of their range to the other.
#[test]
fn the_loss_is_the_formula_at_the_extremes() {
    for likelihood in LIKELIHOODS {
        for theta in [1e-4, 1e-2, 1.0, 1e2, 1e4, 1e8] {
            for pi in [-30.0, -2.0, 0.0, 2.0, 30.0] {
                let mut case = Case::new([4, 6, 2], Kind::new(likelihood), 9);
                case.fill("px_r", || f64::ln(theta));
                case.fill("dropout weight", || 0.0);
                case.fill("dropout bias", || pi);
                case.rows.counts.iter_mut().for_each(|x| *x = x.powi(3));
                case.library = super::library(&case.rows);
                // The formula as written down loses digits: ln((θ+ε)/(θ+μ+ε)) where θ is large, and
                // terms of 1e5 that nearly cancel.
                let allowed = if theta > 1e6 { 1e-7 } else { 1e-9 };
                let name = format!("{likelihood:?} {theta} {pi}");
                assert_near(
                    &name,
                    &case.run::<f64>(Mode::Frozen).nll,
                    &naive(&case, true),
                    allowed,
                );
            }
        }
    }
}
