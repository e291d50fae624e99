//! The marginal likelihood where it is known: mean linear in z, normal noise.
//!
//! With the normal likelihood, no activation, and logits so large that softplus is the identity,
//! x | z ~ N(α z + β, diag σ²) and thus x ~ N(β, α αᵀ + diag σ²). The encoder is given the exact
//! posterior, in which every importance weight is p(x); then a wider one.

use scvi::Cpu;
use scvi::model::LogSumExp;
use scvi::module::{
    Activation, DecoderKwargs, EncoderKwargs, GeneLikelihood, GivenNoise, Minibatch, Noise,
    NormPlacement, Vae, VaeConfig, Workspace,
};
use scvi_kernels::Philox;

const GENES: usize = 4;
/// Effect of z, mean at z = 0, and standard deviation of each gene.
const ALPHA: [f64; GENES] = [1.5, -0.75, 0.25, 2.0];
const BETA: [f64; GENES] = [40.0, 45.0, 50.0, 55.0];
const SIGMA: [f64; GENES] = [1.0, 2.0, 0.5, 1.5];
const X: [[f32; GENES]; 3] =
    [[41.5, 44.0, 50.25, 58.0], [37.0, 47.5, 49.5, 50.0], [40.0, 45.0, 50.0, 55.0]];

fn config() -> VaeConfig {
    VaeConfig {
        n_input: GENES,
        n_hidden: 2,
        n_latent: 1,
        dropout_rate: 0.0,
        log_variational: false,
        gene_likelihood: GeneLikelihood::Normal,
        use_batch_norm: NormPlacement::None,
        use_size_factor_key: true,
        extra_encoder_kwargs: EncoderKwargs {
            activation_fn: Activation::Identity,
            var_eps: 0.0,
            ..EncoderKwargs::default()
        },
        extra_decoder_kwargs: DecoderKwargs {
            activation_fn: Activation::Identity,
            ..DecoderKwargs::default()
        },
        ..VaeConfig::default()
    }
}

/// Variance of the exact posterior of z.
fn posterior_variance() -> f64 {
    1.0 / (1.0 + (0..GENES).map(|g| (ALPHA[g] / SIGMA[g]).powi(2)).sum::<f64>())
}

/// A model whose posterior has the exact mean, and `widening` times the exact variance.
fn vae(widening: f64) -> Vae<Cpu<f64>> {
    let mut vae = Vae::new(Cpu::new(), config().validate().unwrap(), 0);
    let v = posterior_variance();
    let gain: Vec<f64> = (0..GENES).map(|g| v * ALPHA[g] / SIGMA[g].powi(2)).collect();
    let offset = -(0..GENES).map(|g| gain[g] * BETA[g]).sum::<f64>();
    // The hidden units of both networks carry one number twice, and one half of each is read.
    let twice = |values: &[f64]| [values, values].concat();
    let halves = |values: &[f64]| values.iter().flat_map(|v| [0.5 * v; 2]).collect::<Vec<_>>();
    let mut state = vae.state_dict();
    let values: [(&str, Vec<f64>); 11] = [
        ("px_r", SIGMA.map(f64::ln).to_vec()),
        ("z_encoder.encoder.fc_layers.Layer 0.0.weight", twice(&gain)),
        ("z_encoder.encoder.fc_layers.Layer 0.0.bias", vec![offset; 2]),
        ("z_encoder.mean_encoder.weight", vec![0.5; 2]),
        ("z_encoder.mean_encoder.bias", vec![0.0]),
        ("z_encoder.var_encoder.weight", vec![0.0; 2]),
        ("z_encoder.var_encoder.bias", vec![(widening * v).ln()]),
        ("decoder.px_decoder.fc_layers.Layer 0.0.weight", vec![1.0; 2]),
        ("decoder.px_decoder.fc_layers.Layer 0.0.bias", vec![0.0; 2]),
        ("decoder.px_scale_decoder.0.weight", halves(&ALPHA)),
        ("decoder.px_scale_decoder.0.bias", BETA.to_vec()),
    ];
    for (name, data) in values {
        if let Some(tensor) = state.get_mut(name) {
            assert_eq!(tensor.data.len(), data.len(), "{name}");
            tensor.data = data;
        }
    }
    vae.load_state_dict(state).unwrap();
    vae
}

fn workspace(vae: &Vae<Cpu<f64>>) -> Workspace<Cpu<f64>> {
    let mut batch = Minibatch::default();
    batch.rows.clear();
    for row in X {
        batch.rows.push(&[0, 1, 2, 3], &row);
    }
    batch.cells = (0..X.len() as u32).collect();
    batch.batch = vec![0; X.len()];
    batch.size_factor = vec![1.0; X.len()];
    let mut ws = vae.workspace(X.len(), X.len() * GENES, false);
    ws.load(vae.backend(), &batch);
    ws
}

/// ln N(x; β, α αᵀ + diag σ²), by the matrix determinant and Sherman-Morrison formulas.
fn exact(x: &[f32; GENES]) -> f64 {
    let r: Vec<f64> = (0..GENES).map(|g| f64::from(x[g]) - BETA[g]).collect();
    let sum = |f: &dyn Fn(usize) -> f64| (0..GENES).map(f).sum::<f64>();
    let ln_det = sum(&|g| 2.0 * SIGMA[g].ln()) - posterior_variance().ln();
    let projected = sum(&|g| ALPHA[g] * r[g] / SIGMA[g].powi(2));
    let squares =
        sum(&|g| (r[g] / SIGMA[g]).powi(2)) - posterior_variance() * projected * projected;
    -0.5 * (GENES as f64 * (2.0 * std::f64::consts::PI).ln() + ln_det + squares)
}

#[test]
fn every_weight_is_the_marginal_likelihood_where_the_posterior_is_exact() {
    let vae = vae(1.0);
    let mut ws = workspace(&vae);
    vae.inference(&mut ws, None);
    for z in [[0.0, 0.0, 0.0], [1.0, -2.0, 0.5], [-3.0, 3.0, 0.1]] {
        let noise = GivenNoise { z: z.to_vec(), ..GivenNoise::default() };
        vae.redraw(&mut ws, Noise::Given(&noise));
        vae.generative(&mut ws, None);
        for (weight, x) in vae.log_importance_weights(&ws).iter().zip(&X) {
            assert!((weight - exact(x)).abs() < 1e-9, "{weight} {}", exact(x));
        }
    }
}

#[test]
fn a_wider_posterior_estimates_it() {
    let vae = vae(1.5);
    let mut ws = workspace(&vae);
    vae.inference(&mut ws, None);
    const DRAWS: u32 = 20_000;
    let mut sums = [LogSumExp::default(); X.len()];
    // Σ (w/p)², for the standard error of the mean of w/p.
    let mut squares = [0.0; X.len()];
    let philox = Philox::new(5);
    for draw in 0..DRAWS {
        let z = (0..X.len() as u32).map(|cell| philox.normal_pair(9, draw, cell, 0)[0]).collect();
        let noise = GivenNoise { z, ..GivenNoise::default() };
        vae.redraw(&mut ws, Noise::Given(&noise));
        vae.generative(&mut ws, None);
        for (i, weight) in vae.log_importance_weights(&ws).into_iter().enumerate() {
            sums[i].add(weight);
            squares[i] += (2.0 * (weight - exact(&X[i]))).exp();
        }
    }
    for i in 0..X.len() {
        let n = f64::from(DRAWS);
        let error = ((squares[i] / n - 1.0) / n).sqrt();
        let difference = sums[i].log_mean() - exact(&X[i]);
        assert!(error > 1e-4, "the posterior is not exact, and its weights differ");
        assert!(difference.abs() < 4.0 * error, "{difference} +- {error}");
    }
}
