//! The latent space.

use proptest::prelude::*;
use scvi_kernels::ops::posterior::VarActivation;
use scvi_kernels::{Backend, NormalPrior, PosteriorGradIo, PosteriorIo, Real, StoredPosteriorIo};

use crate::common::{Case, Results};

fn posterior<B: Backend>(b: &B, seed: u64, dims: [usize; 2]) -> Results {
    let (mut case, [cells, latent]) = (Case::new(b, seed), dims);
    let n = cells * latent;
    let [mean, raw, noise, prior_mean] = [(); 4].map(|()| case.normal(n));
    let prior_var = case.positive(n);
    let with_prior = case.coin();
    let prior = || with_prior.then_some(NormalPrior { mean: &prior_mean, var: &prior_var });
    // s² + 1/2, and its derivative
    let square = |s: B::Elem| s * s + B::Elem::HALF;
    let var_activation = &match case.below(3) {
        0 => VarActivation::Exp,
        1 => VarActivation::Softplus,
        _ => VarActivation::custom(square, |s| s + s),
    };
    let drawn = case.coin();
    let (mut var, mut z, mut kl) = (case.out(n), case.out(n), case.out(cells));
    let io = PosteriorIo {
        mean: &mean,
        raw: &raw,
        var_activation,
        var_eps: 1e-4,
        prior: prior(),
        noise: drawn.then_some(&noise),
        var: &mut var,
        z: &mut z,
        kl: &mut kl,
    };
    b.posterior(io, dims);
    let (mut dz, mut d_raw) = (case.normal(n), case.out(n));
    let [d_mean, d_var] = [(); 2].map(|()| case.normal(n));
    let kl_factors = case.normal(cells);
    let (factored, direct_mean, direct_var) = (case.coin(), case.coin(), case.coin());
    let io = PosteriorGradIo {
        mean: &mean,
        raw: &raw,
        var: &var,
        var_activation,
        prior: prior(),
        noise: &noise,
        kl_weight: B::Elem::of(0.3),
        kl_factors: factored.then_some(&kl_factors),
        direct: [direct_mean.then_some(&d_mean), direct_var.then_some(&d_var)],
        dz: &mut dz,
        d_raw: &mut d_raw,
    };
    b.posterior_grad(io, dims);
    vec![
        ("var", case.read(&var, n)),
        ("z", case.read(&z, n)),
        ("kl", case.read(&kl, cells)),
        ("d_mean", case.read(&dz, n)),
        ("d_raw", case.read(&d_raw, n)),
    ]
}

fn stored_posterior<B: Backend>(b: &B, seed: u64, dims: [usize; 2]) -> Results {
    let (mut case, [cells, latent]) = (Case::new(b, seed), dims);
    let n = cells * latent;
    let (mean, var, noise) = (case.normal(n), case.positive(n), case.normal(n));
    let (mut z, mut kl, drawn) = (case.out(n), case.out(cells), case.coin());
    let noise = drawn.then_some(&noise);
    let io = StoredPosteriorIo { mean: &mean, var: &var, noise, z: &mut z, kl: &mut kl };
    b.stored_posterior(io, dims);
    vec![("z", case.read(&z, n)), ("kl", case.read(&kl, cells))]
}

fn softmax<B: Backend>(b: &B, seed: u64, dims: [usize; 2]) -> Results {
    let (mut case, n) = (Case::new(b, seed), dims[0] * dims[1]);
    let (u, mut z, mut dz) = (case.normal(n), case.out(n), case.normal(n));
    b.softmax(&u, &mut z, dims);
    b.softmax_grad(&z, &mut dz, dims);
    vec![("z", case.read(&z, n)), ("du", case.read(&dz, n))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn posteriors_agree(seed in any::<u64>(), dims in [1usize..90, 1usize..30]) {
        hold_to_reference!(posterior, seed, dims);
        hold_to_reference!(stored_posterior, seed, dims);
        hold_to_reference!(softmax, seed, dims);
    }
}
