//! -ln p(x) of one value and its derivatives, as scvi-tools writes them
//! (1.4.2, `distributions/_negative_binomial.py`).

use crate::ops::count_head::GeneLikelihood;
use crate::reference::activation::{sigmoid, softplus};
use crate::reference::gamma::{digamma, ln_gamma};

/// Added to μ and θ before a logarithm is taken.
const EPS: f64 = 1e-8;

/// Parameters of one value's distribution; those that it does not have are not read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Params {
    pub(super) mu: f64,
    pub(super) theta: f64,
    pub(super) pi: f64,
}

/// ln p(x) and its derivatives.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LogProb {
    pub(super) value: f64,
    pub(super) d_mu: f64,
    pub(super) d_theta: f64,
    pub(super) d_pi: f64,
}

pub(super) fn log_prob(likelihood: GeneLikelihood, x: f64, p: Params) -> LogProb {
    match likelihood {
        GeneLikelihood::Zinb => zinb(x, p),
        GeneLikelihood::Nb => nb(x, p),
        GeneLikelihood::Poisson => poisson(x, p),
        GeneLikelihood::Normal => normal(x, p),
    }
}

/// θ ln((θ+ε)/(θ+μ+ε)) + x ln((μ+ε)/(θ+μ+ε)) + ln Γ(x+θ) - ln Γ(θ) - ln Γ(x+1)
fn nb(x: f64, Params { mu, theta, .. }: Params) -> LogProb {
    let all = theta + mu + EPS;
    let gammas = ln_gamma(x + theta) - ln_gamma(theta) - ln_gamma(x + 1.0);
    let d_gammas = digamma(x + theta) - digamma(theta);
    let log_share = ((theta + EPS) / all).ln();
    LogProb {
        value: theta * log_share + x * ((mu + EPS) / all).ln() + gammas,
        d_mu: x / (mu + EPS) - (theta + x) / all,
        d_theta: log_share + theta / (theta + EPS) - (theta + x) / all + d_gammas,
        d_pi: 0.0,
    }
}

/// With t = θ ln((θ+ε)/(θ+μ+ε)), the logarithm of a negative binomial's zero:
/// softplus(t - π) - softplus(-π) of a zero, ln NB(x) - π - softplus(-π) of another count.
fn zinb(x: f64, p: Params) -> LogProb {
    let nb = nb(x, p);
    // softplus without a threshold: ln(1 + e^a) = softplus(a) where a ≤ 20, else a + ln(1 + e^-a)
    let log_1p_exp = |a: f64| if a > 0.0 { a + (-a).exp().ln_1p() } else { softplus(a).0 };
    let not_inflated = -p.pi - log_1p_exp(-p.pi);
    if x > 0.0 {
        return LogProb { value: nb.value + not_inflated, d_pi: -sigmoid(p.pi), ..nb };
    }
    // How much of the zero is the negative binomial's own.
    let own = sigmoid(nb.value - p.pi);
    LogProb {
        value: log_1p_exp(nb.value - p.pi) - log_1p_exp(-p.pi),
        d_mu: own * nb.d_mu,
        d_theta: own * nb.d_theta,
        d_pi: sigmoid(-p.pi) - own,
    }
}

/// x ln μ - μ - ln Γ(x+1), where 0 ln 0 = 0
fn poisson(x: f64, Params { mu, .. }: Params) -> LogProb {
    let x_ln_mu = if x > 0.0 { x * mu.ln() } else { 0.0 };
    let value = x_ln_mu - mu - ln_gamma(x + 1.0);
    let of_x = if x > 0.0 { x / mu } else { 0.0 };
    LogProb { value, d_mu: of_x - 1.0, ..LogProb::default() }
}

/// -½ ((x-μ)/θ)² - ln θ - ½ ln 2π, θ the standard deviation
fn normal(x: f64, Params { mu, theta, .. }: Params) -> LogProb {
    let z = (x - mu) / theta;
    LogProb {
        value: -0.5 * z * z - theta.ln() - 0.5 * std::f64::consts::TAU.ln(),
        d_mu: z / theta,
        d_theta: (z * z - 1.0) / theta,
        d_pi: 0.0,
    }
}
