use super::VarActivation;
use crate::testing::{Draw, assert_near, buf, check_gradient, dot, full};
use crate::{Aligned, Cpu, LatentOps, NormalPrior, PosteriorGradIo, PosteriorIo};

const VAR_EPS: f64 = 1e-4;
const SHAPES: [[usize; 2]; 5] = [[1, 1], [2, 3], [15, 10], [17, 1], [40, 7]];

type Formula = fn(f64) -> f64;

/// Every choice, with its function in plain formulas.
fn var_activations() -> [(VarActivation<f64>, Formula); 3] {
    let square = |s: f64| 0.3 + s * s;
    [
        (VarActivation::Exp, f64::exp),
        (VarActivation::Softplus, |s| s.exp().ln_1p()),
        (VarActivation::custom(square, |s| 2.0 * s), square),
    ]
}

/// Inputs of one case; both priors at once.
struct Case {
    dims: [usize; 2],
    mean: Aligned<f64>,
    s: Aligned<f64>,
    noise: Aligned<f64>,
    prior: [Aligned<f64>; 2],
}

struct Posterior {
    var: Aligned<f64>,
    z: Aligned<f64>,
    kl: Aligned<f64>,
}

impl Case {
    fn new(dims: [usize; 2]) -> Self {
        let mut draw = Draw::new(dims[0] as u64);
        let n = dims[0] * dims[1];
        let [mean, s, noise, prior_mean] = [(); 4].map(|()| buf(&draw.normal(n)));
        let prior_var: Vec<f64> = (0..n).map(|_| draw.within(0.2, 3.0)).collect();
        Self { dims, mean, s, noise, prior: [prior_mean, buf(&prior_var)] }
    }

    fn prior(&self, own: bool) -> Option<NormalPrior<'_, Cpu<f64>>> {
        own.then_some(NormalPrior { mean: &self.prior[0], var: &self.prior[1] })
    }

    fn forward(
        &self,
        mean: &[f64],
        s: &[f64],
        var_activation: &VarActivation<f64>,
        own_prior: bool,
        noise: bool,
    ) -> Posterior {
        let nan = |len| full(len, f64::NAN);
        let mut out = Posterior { var: nan(s.len()), z: nan(s.len()), kl: nan(self.dims[0]) };
        let io = PosteriorIo {
            mean: &buf(mean),
            raw: &buf(s),
            var_activation,
            var_eps: VAR_EPS,
            prior: self.prior(own_prior),
            noise: noise.then_some(&self.noise),
            var: &mut out.var,
            z: &mut out.z,
            kl: &mut out.kl,
        };
        Cpu::new().posterior(io, self.dims);
        out
    }
}

#[test]
fn follows_the_formulas() {
    for dims @ [cells, latent] in SHAPES {
        let case = Case::new(dims);
        let Case { mean, s, noise, .. } = &case;
        for (activation, f) in &var_activations() {
            for own_prior in [false, true] {
                let got = case.forward(mean, s, activation, own_prior, true);
                let var: Vec<f64> = s.iter().map(|&s| f(s) + VAR_EPS).collect();
                let z: Vec<f64> =
                    (0..s.len()).map(|i| mean[i] + var[i].sqrt() * noise[i]).collect();
                let term = |i: usize| {
                    let (pm, pv) =
                        if own_prior { (case.prior[0][i], case.prior[1][i]) } else { (0.0, 1.0) };
                    let square = (mean[i] - pm).powi(2);
                    0.5 * (var[i] / pv + square / pv - 1.0 - (var[i] / pv).ln())
                };
                let kl: Vec<f64> =
                    (0..cells).map(|c| (0..latent).map(|l| term(c * latent + l)).sum()).collect();
                assert_near("q_v", &got.var, &var, 1e-14);
                assert_near("z", &got.z, &z, 1e-14);
                assert_near("kl", &got.kl, &kl, 1e-13);
                let at_mean = case.forward(mean, s, activation, own_prior, false);
                assert_eq!(&at_mean.z, mean, "z at the mean");
            }
        }
    }
}

/// `torch.distributions.kl_divergence` of N(0.5, 2) from N(8, 0.3), torch 2.15, f64.
#[test]
fn the_divergence_is_torchs() {
    let (mut var, mut z, mut kl) = (full(1, 0.0), full(1, 0.0), full(1, 0.0));
    let io = PosteriorIo::<Cpu<f64>> {
        mean: &buf(&[0.5]),
        raw: &buf(&[2f64.ln()]),
        var_activation: &VarActivation::Exp,
        var_eps: 0.0,
        prior: Some(NormalPrior { mean: &buf(&[8.0]), var: &buf(&[0.3]) }),
        noise: None,
        var: &mut var,
        z: &mut z,
        kl: &mut kl,
    };
    Cpu::new().posterior(io, [1, 1]);
    assert_near("kl", &kl, &[95.6347733408904], 1e-14);
}

/// What reaches a posterior from the loss.
struct Incoming<'a> {
    dz: &'a Aligned<f64>,
    kl_weight: f64,
    kl_factors: Option<&'a Aligned<f64>>,
    direct: [Option<&'a Aligned<f64>>; 2],
}

impl Case {
    /// Holds both gradients to differences of a loss whose gradients are `incoming`.
    fn check_gradients(
        &self,
        activation: &VarActivation<f64>,
        own_prior: bool,
        incoming: &Incoming,
    ) {
        let Self { dims, mean, s, noise, .. } = self;
        let &Incoming { dz, kl_weight, kl_factors, direct } = incoming;
        let ones = full(dims[0], 1.0);
        let loss = |mean: &[f64], s: &[f64]| {
            let out = self.forward(mean, s, activation, own_prior, true);
            let moments = [mean, &out.var];
            let direct = direct.iter().zip(moments).map(|(d, m)| d.map_or(0.0, |d| dot(d, m)));
            let kl = dot(kl_factors.unwrap_or(&ones), &out.kl);
            dot(dz, &out.z) + kl_weight * kl + direct.sum::<f64>()
        };
        let (mut d_mean, mut d_raw) = (dz.clone(), full(s.len(), f64::NAN));
        let io = PosteriorGradIo {
            mean,
            raw: s,
            var: &self.forward(mean, s, activation, own_prior, true).var,
            var_activation: activation,
            prior: self.prior(own_prior),
            noise,
            kl_weight,
            kl_factors,
            direct,
            dz: &mut d_mean,
            d_raw: &mut d_raw,
        };
        Cpu::new().posterior_grad(io, *dims);
        let name = format!("{activation:?}, own prior {own_prior}, {dims:?}");
        check_gradient(&format!("mean, {name}"), mean, &d_mean, |mean| loss(mean, s));
        check_gradient(&format!("s, {name}"), s, &d_raw, |s| loss(mean, s));
    }
}

#[test]
fn gradients_agree_with_differences() {
    for dims in SHAPES {
        let case = Case::new(dims);
        let dz = &buf(&Draw::new(7).normal(case.s.len()));
        for (activation, _) in &var_activations() {
            for (own_prior, kl_weight) in
                [(false, 0.0), (false, 0.3), (false, 1.0), (true, 0.0), (true, 0.3)]
            {
                let incoming = Incoming { dz, kl_weight, kl_factors: None, direct: [None; 2] };
                case.check_gradients(activation, own_prior, &incoming);
            }
        }
    }
}

#[test]
fn cells_weigh_their_divergence_and_terms_in_the_moments_join() {
    for dims @ [cells, _] in SHAPES {
        let case = Case::new(dims);
        let mut draw = Draw::new(8);
        let [dz, d_mean, d_var] = &[(); 3].map(|()| buf(&draw.normal(case.s.len())));
        let factors = &buf(&draw.normal(cells));
        for (activation, _) in &var_activations() {
            for (kl_factors, direct) in [
                (Some(factors), [Some(d_mean), Some(d_var)]),
                (Some(factors), [None; 2]),
                (None, [None, Some(d_var)]),
            ] {
                let incoming = Incoming { dz, kl_weight: 0.3, kl_factors, direct };
                case.check_gradients(activation, direct[0].is_some(), &incoming);
            }
        }
    }
}
