use crate::testing::{Draw, assert_near, check_gradient, dot};
use crate::{Backend, Cpu, PosteriorGradIo, PosteriorIo};

const VAR_EPS: f64 = 1e-4;

struct Posterior {
    var: Vec<f64>,
    z: Vec<f64>,
    kl: Vec<f64>,
}

fn forward(mean: &[f64], s: &[f64], noise: Option<&Vec<f64>>, dims: [usize; 2]) -> Posterior {
    let mut out =
        Posterior { var: s.to_vec(), z: vec![f64::NAN; s.len()], kl: vec![f64::NAN; dims[0]] };
    let io = PosteriorIo {
        mean: &mean.to_vec(),
        var: &mut out.var,
        noise,
        var_eps: VAR_EPS,
        z: &mut out.z,
        kl: &mut out.kl,
    };
    Cpu::new().posterior(io, dims);
    out
}

#[test]
fn follows_the_formulas() {
    for [cells, latent] in [[1, 1], [2, 3], [15, 10], [17, 1], [40, 7]] {
        let mut draw = Draw::new(1);
        let n = cells * latent;
        let (mean, s, noise) = (draw.normal(n), draw.normal(n), draw.normal(n));
        let got = forward(&mean, &s, Some(&noise), [cells, latent]);
        let var: Vec<f64> = s.iter().map(|s| s.exp() + VAR_EPS).collect();
        let z: Vec<f64> = (0..n).map(|i| mean[i] + var[i].sqrt() * noise[i]).collect();
        let term = |i: usize| 0.5 * (var[i] + mean[i].powi(2) - 1.0 - var[i].ln());
        let kl: Vec<f64> =
            (0..cells).map(|c| (0..latent).map(|l| term(c * latent + l)).sum()).collect();
        assert_near("q_v", &got.var, &var, 1e-14);
        assert_near("z", &got.z, &z, 1e-14);
        assert_near("kl", &got.kl, &kl, 1e-13);
        assert_eq!(forward(&mean, &s, None, [cells, latent]).z, mean, "z at the mean");
    }
}

#[test]
fn gradients_agree_with_differences() {
    for [cells, latent] in [[1, 1], [2, 3], [15, 10], [17, 1], [40, 7]] {
        for kl_weight in [0.0, 0.3, 1.0] {
            let dims = [cells, latent];
            let mut draw = Draw::new(2);
            let n = cells * latent;
            let (mean, s, noise) = (draw.normal(n), draw.normal(n), draw.normal(n));
            let r = draw.normal(n);
            let loss = |mean: &[f64], s: &[f64]| {
                let out = forward(mean, s, Some(&noise), dims);
                dot(&r, &out.z) + kl_weight * out.kl.iter().sum::<f64>()
            };
            let (mut dz, mut dvar) = (r.clone(), vec![f64::NAN; n]);
            let io = PosteriorGradIo {
                mean: &mean,
                var: &forward(&mean, &s, None, dims).var,
                noise: &noise,
                var_eps: VAR_EPS,
                kl_weight,
                dz: &mut dz,
                dvar: &mut dvar,
            };
            Cpu::new().posterior_grad(io, dims);
            check_gradient("mean", &mean, &dz, |mean| loss(mean, &s));
            check_gradient("s", &s, &dvar, |s| loss(&mean, s));
        }
    }
}
