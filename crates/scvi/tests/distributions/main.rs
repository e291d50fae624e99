//! Distributions: against scvi-tools on a grid, against each other, by their own sums and samples,
//! and against the loss of the model.

mod edges;
mod equations;
mod grid;
mod model_loss;
mod samples;

use std::fmt::Debug;

use scvi::distributions::{
    Distribution, NegativeBinomial, Normalized, Poisson, ZeroInflatedNegativeBinomial,
};

fn nb(mu: f64, theta: f64) -> NegativeBinomial<f64> {
    NegativeBinomial::new(mu, theta).unwrap()
}

fn zinb(mu: f64, theta: f64, zi_logits: f64) -> ZeroInflatedNegativeBinomial<f64> {
    ZeroInflatedNegativeBinomial::new(mu, theta, zi_logits).unwrap()
}

fn poisson(rate: f64) -> Poisson<f64> {
    Poisson::new(rate).unwrap()
}

/// |got - want| ≤ tolerance |want|.
fn assert_close(got: f64, want: f64, tolerance: f64, what: impl Debug) {
    let allowed = tolerance * want.abs();
    assert!((got - want).abs() <= allowed, "{what:?}: {got:e} for {want:e}, ±{allowed:.1e}");
}

/// Σ_x f(x) p(x) over counts, up to where p has fallen to nothing.
fn expectation(distribution: &impl Distribution<f64>, f: impl Fn(f64) -> f64) -> f64 {
    let mu = distribution.normalized(Normalized::Mu).unwrap();
    let p = |x: u32| (f64::from(x), distribution.log_prob(x.into()).exp());
    let terms = (0..).map(p).take_while(|&(x, p)| x <= mu + 1.0 || p > 1e-25);
    terms.map(|(x, p)| f(x) * p).sum()
}
