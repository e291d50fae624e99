//! Γ's logarithm and its derivative.

/// ln Γ(x) for x > 0.
pub(super) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ψ(x) = d ln Γ(x)/dx for x > 0.
///
/// ψ(x) = ψ(x + 1) - 1/x up to x ≥ 10, and from there
/// ψ(x) ~ ln x - 1/(2x) - Σ_k B_2k/(2k x^2k) (Abramowitz and Stegun 6.3.5, 6.3.18).
pub(super) fn digamma(x: f64) -> f64 {
    // B_2k/2k, k = 1 ..= 7
    const SERIES: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 120.0,
        1.0 / 252.0,
        -1.0 / 240.0,
        1.0 / 132.0,
        -691.0 / 32_760.0,
        1.0 / 12.0,
    ];
    let (mut x, mut below) = (x, 0.0);
    while x < 10.0 {
        below += 1.0 / x;
        x += 1.0;
    }
    let series = SERIES.iter().rev().fold(0.0, |sum, term| (sum + term) / (x * x));
    x.ln() - 0.5 / x - series - below
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ψ(1) = -γ, ψ(1/2) = -γ - 2 ln 2, ψ(n) = H_(n-1) - γ.
    #[test]
    fn digamma_is_that_of_the_tables() {
        let euler = 0.577_215_664_901_532_9;
        let harmonic = |n: usize| (1..n).map(|k| 1.0 / k as f64).sum::<f64>();
        let half = -euler - 2.0 * 2f64.ln();
        let whole = [1, 2, 9, 10, 11, 500].map(|n| (n as f64, harmonic(n) - euler));
        for (x, want) in whole.into_iter().chain([(0.5, half), (1.5, half + 2.0)]) {
            assert!((digamma(x) - want).abs() < 1e-14 * want.abs().max(1.0), "{x}");
        }
    }

    #[test]
    fn digamma_is_the_slope_of_ln_gamma() {
        for k in 1..200 {
            let (x, step) = (k as f64 * 0.17, 1e-4);
            let slope = (ln_gamma(x + step) - ln_gamma(x - step)) / (2.0 * step);
            assert!((digamma(x) - slope).abs() < 1e-5 * digamma(x).abs().max(1.0), "{x}");
        }
    }
}
