//! Against scvi-tools, on the grid of `reference/distributions.py`.

use std::path::Path;

use safetensors::SafeTensors;
use scvi::Real;
use scvi::distributions::{
    Distribution, NegativeBinomial, Normal, Poisson, ZeroInflatedNegativeBinomial,
};

use crate::assert_close;

struct Grid(Vec<u8>);

impl Grid {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference");
        Self(std::fs::read(folder.join("fixtures_distributions/grid.safetensors")).unwrap())
    }

    fn get(&self, name: &str) -> Vec<f64> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let bytes = file.tensor(name).unwrap().data();
        bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
    }

    /// Every point of these axes, the last running fastest.
    fn points<const N: usize>(&self, axes: [&str; N]) -> Vec<[f64; N]> {
        let mut points = vec![[0.0; N]];
        for (k, axis) in axes.into_iter().enumerate() {
            let values = self.get(&format!("axis/{axis}"));
            let with = |mut p: [f64; N], v| {
                p[k] = v;
                p
            };
            points = points.iter().flat_map(|&p| values.iter().map(move |&v| with(p, v))).collect();
        }
        points
    }

    /// Holds `got` against both columns of a quantity: the exact one within `tolerance`, if its
    /// size is in `range`; what scvi-tools computes within that and what it loses where terms
    /// cancel, whose size `terms` bounds.
    fn check<const N: usize>(
        &self,
        name: &str,
        axes: [&str; N],
        (tolerance, range): (f64, [f64; 2]),
        terms: impl Fn([f64; N]) -> f64,
        got: impl Fn([f64; N]) -> f64,
    ) {
        let [exact, scvi] = ["exact", "scvi"].map(|by| self.get(&format!("{by}/{name}")));
        let points = self.points(axes);
        assert_eq!((points.len(), points.len()), (exact.len(), scvi.len()), "{name}");
        assert!(points.len() > 10, "{name}: the grid is gone");
        for ((&point, &exact), &scvi) in points.iter().zip(&exact).zip(&scvi) {
            let got = got(point);
            // A log-probability that the number type does not hold is minus infinity, or 0.
            if exact.abs() > range[1] {
                assert_eq!(got, f64::NEG_INFINITY, "{name} {point:?}");
                continue;
            }
            if exact.abs() < range[0] {
                assert!(got.abs() <= range[0], "{name} {point:?}");
                continue;
            }
            assert_close(got, exact, tolerance, (name, point));
            let allowed = tolerance * scvi.abs() + 4.0 * f64::EPSILON * terms(point);
            assert!((got - scvi).abs() <= allowed, "{name} {point:?}: {got:e} for {scvi:e}");
        }
    }
}

/// Bound on the largest term of a negative binomial's log-probability.
fn nb_terms(mu: f64, theta: f64, x: f64) -> f64 {
    let largest = 1.0 + (theta + mu + x).ln().abs();
    (1.0 + theta + x) * (largest + theta.ln().abs() + mu.ln().abs())
}

/// To a relative tolerance, and over a range of sizes.
fn agrees_with_scvi_tools<F: Real>(tolerance: (f64, [f64; 2])) {
    let grid = Grid::read();
    let f = F::of;
    let nb = |mu, theta| NegativeBinomial::new(f(mu), f(theta)).unwrap();
    let zinb = |mu, theta, zi| ZeroInflatedNegativeBinomial::new(f(mu), f(theta), f(zi)).unwrap();

    let axes = ["mu", "theta", "x"];
    let terms = |[mu, theta, x]: [f64; 3]| nb_terms(mu, theta, x);
    let got = |[mu, theta, x]: [f64; 3]| nb(mu, theta).log_prob(f(x)).to_f64();
    grid.check("nb/log_prob", axes, tolerance, terms, got);
    let got =
        |[loc, scale, x]: [f64; 3]| Normal::new(f(loc), f(scale)).unwrap().log_prob(f(x)).to_f64();
    grid.check("normal/log_prob", axes, tolerance, terms, got);

    let axes = ["mu", "theta", "zi_logits", "x"];
    let terms = |[mu, theta, zi, x]: [f64; 4]| nb_terms(mu, theta, x) + zi.abs();
    let got = |[mu, theta, zi, x]: [f64; 4]| zinb(mu, theta, zi).log_prob(f(x)).to_f64();
    grid.check("zinb/log_prob", axes, tolerance, terms, got);

    // scvi-tools takes the share that is not inflated as 1 - σ(π).
    let axes = ["mu", "theta", "logits"];
    let got = |[mu, theta, zi]: [f64; 3]| zinb(mu, theta, zi).mean().to_f64();
    grid.check("zinb/mean", axes, tolerance, |[mu, ..]| mu, got);
    let got = |[mu, theta, zi]: [f64; 3]| zinb(mu, theta, zi).variance().to_f64();
    let terms = |[mu, theta, _]: [f64; 3]| mu + mu * mu * (1.0 + 1.0 / theta);
    grid.check("zinb/variance", axes, tolerance, terms, got);

    let axes = ["mu", "theta"];
    let got = |[mu, theta]: [f64; 2]| nb(mu, theta).variance().to_f64();
    grid.check("nb/variance", axes, tolerance, |_| 0.0, got);

    let axes = ["mu", "x"];
    let terms = |[rate, x]: [f64; 2]| nb_terms(rate, 1.0, x) + rate;
    let got = |[rate, x]: [f64; 2]| Poisson::new(f(rate)).unwrap().log_prob(f(x)).to_f64();
    grid.check("poisson/log_prob", axes, tolerance, terms, got);

    let from_logits = |[n, logits]: [f64; 2]| {
        NegativeBinomial::from_logits(f(n), f(logits)).unwrap().mean().to_f64()
    };
    grid.check("nb_logits/mu", ["theta", "logits"], tolerance, |_| 0.0, from_logits);
}

#[test]
fn agrees_with_scvi_tools_in_double_precision() {
    agrees_with_scvi_tools::<f64>((1e-10, [f64::MIN_POSITIVE, f64::MAX]));
}

#[test]
fn agrees_with_scvi_tools_in_single_precision() {
    agrees_with_scvi_tools::<f32>((1e-5, [f32::MIN_POSITIVE, f32::MAX].map(f64::from)));
}
