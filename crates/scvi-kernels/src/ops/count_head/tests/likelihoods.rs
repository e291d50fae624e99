//! Values against scvi-tools' formulas written down directly.

use super::{Case, GeneLikelihood};
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

/// W h + b: `(cells, genes)`.
fn logits(case: &Case, [w, b]: &[Vec<f64>; 2]) -> Vec<f64> {
    let n = case.dims.hidden;
    let product = |h: &[f64], w: &[f64]| h.iter().zip(w).map(|(h, w)| h * w).sum::<f64>();
    let cell = |h| w.chunks(n).zip(b).map(move |(w, b)| product(h, w) + b);
    case.h.chunks(n).flat_map(cell).collect()
}

/// ρ: `(cells, genes)`.
fn shares(case: &Case) -> Vec<f64> {
    let mut rho = logits(case, &case.scale);
    for row in rho.chunks_mut(case.dims.genes) {
        let sum: f64 = row.iter().map(|v| v.exp()).sum();
        row.iter_mut().for_each(|v| *v = v.exp() / sum);
    }
    rho
}

fn naive(case: &Case) -> Vec<f64> {
    let genes = case.dims.genes;
    let (x, rho) = (dense(&case.rows, genes), shares(case));
    let pi = logits(case, &case.dropout);
    let term = |cell: usize, gene: usize| {
        let at = cell * genes + gene;
        let mu = case.library[cell].exp() * rho[at];
        let theta = case.px_r[gene * case.n_groups + case.group(cell)].exp();
        match case.likelihood {
            GeneLikelihood::Zinb => log_zinb(x[at], mu, theta, pi[at]),
            GeneLikelihood::Nb => log_nb(x[at], mu, theta),
            GeneLikelihood::Poisson => log_poisson(x[at], mu),
        }
    };
    (0..case.dims.cells).map(|c| -(0..genes).map(|g| term(c, g)).sum::<f64>()).collect()
}

#[test]
fn the_loss_is_the_formula() {
    for case in Case::all() {
        let want = naive(&case);
        assert_near(&case.name(), &case.run::<f64>(Mode::Frozen).nll, &want, 1e-11);
        assert_near(&case.name(), &case.evaluate::<f64>().0, &want, 1e-11);
    }
}

#[test]
fn shares_and_zero_inflation_can_be_read() {
    for case in Case::all() {
        let (_, rho, pi) = case.evaluate::<f64>();
        assert_near(&case.name(), &rho, &shares(&case), 1e-12);
        match pi {
            Some(pi) => assert_near(&case.name(), &pi, &logits(&case, &case.dropout), 1e-12),
            None => assert_ne!(case.likelihood, GeneLikelihood::Zinb),
        }
    }
}

/// Whole counts of any size, with θ and π from one end of their range to the other.
#[test]
fn the_loss_is_the_formula_at_the_extremes() {
    for likelihood in super::LIKELIHOODS {
        for theta in [1e-4, 1e-2, 1.0, 1e2, 1e4, 1e8] {
            for pi in [-30.0, -2.0, 0.0, 2.0, 30.0] {
                let mut case = Case::new([4, 6, 2], likelihood, 1, 9);
                case.px_r.fill(f64::ln(theta));
                case.dropout[0].fill(0.0);
                case.dropout[1].fill(pi);
                case.rows.counts.iter_mut().for_each(|x| *x = x.powi(3));
                case.library = super::library(&case.rows);
                // The formula as written down loses digits: ln((θ+ε)/(θ+μ+ε)) where θ is large, and
                // terms of 1e5 that nearly cancel.
                let allowed = if theta > 1e6 { 1e-7 } else { 1e-9 };
                let name = format!("{likelihood:?} {theta} {pi}");
                assert_near(&name, &case.run::<f64>(Mode::Frozen).nll, &naive(&case), allowed);
            }
        }
    }
}
