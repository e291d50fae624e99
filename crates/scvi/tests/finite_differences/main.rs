//! Every gradient of the whole model against finite differences of its loss, in double precision,
//! for legal configurations drawn at random.

mod differentiable;
mod draw;
mod scanvae;

use differentiable::{Differentiable, away_from_the_start, check};
use draw::Draw;
use scvi::Cpu;
use scvi::module::{Choice, GivenNoise, Noise, Vae, VaeConfig, Workspace};
use scvi::nn::StateDict;

const CONFIGS: u64 = 120;

/// A model with everything its training loss depends on.
struct Case {
    vae: Vae<Cpu<f64>>,
    ws: Workspace<Cpu<f64>>,
    noise: GivenNoise<f64>,
    kl_weight: f64,
    /// where differences are taken
    state: StateDict<f64>,
}

impl Case {
    fn new(config: &VaeConfig, draw: &mut Draw) -> Self {
        let vae = Vae::new(Cpu::<f64>::new(), config.validate().unwrap(), 1);
        let state = away_from_the_start(vae.state_dict(), draw);
        let cells = 2 + draw.below(16);
        let batch = draw.minibatch(cells, config);
        let mut ws = vae.workspace(cells, batch.rows.counts.len(), true);
        ws.load(vae.backend(), &batch);
        let noise = draw.noise(cells, config);
        Self { vae, ws, noise, kl_weight: draw.one_of(&[0.0, 0.3, 1.0]), state }
    }
}

impl Differentiable for Case {
    fn state(&self) -> &StateDict<f64> {
        &self.state
    }

    fn gradients(&self) -> StateDict<f64> {
        self.vae.gradients()
    }

    fn loss(&mut self, state: StateDict<f64>) -> f64 {
        self.vae.load_state_dict(state).unwrap();
        self.vae.compute_gradients(&mut self.ws, Noise::Given(&self.noise), self.kl_weight);
        let loss = self.ws.loss(self.vae.backend(), self.kl_weight);
        loss.sum() / loss.n_cells as f64
    }
}

#[test]
fn every_gradient_agrees_with_differences() {
    let mut drawn = Vec::new();
    for seed in 0..CONFIGS {
        let mut draw = Draw::new(seed);
        let config = draw.config();
        let mut case = Case::new(&config, &mut draw);
        check(&mut case, &format!("{seed}: {config:?}"), &mut draw);
        drawn.push(config);
    }
    // Every option took part.
    fn all<C: Choice>(drawn: &[VaeConfig], of: impl Fn(&VaeConfig) -> C) {
        assert!(C::ALL.iter().all(|&(_, choice)| drawn.iter().any(|c| of(c) == choice)));
    }
    all(&drawn, |c| c.dispersion);
    all(&drawn, |c| c.gene_likelihood);
    all(&drawn, |c| c.use_batch_norm);
    all(&drawn, |c| c.use_layer_norm);
    all(&drawn, |c| c.latent_distribution);
    all(&drawn, |c| c.batch_representation);
    all(&drawn, |c| c.var_activation);
    all(&drawn, |c| c.extra_encoder_kwargs.activation_fn);
    all(&drawn, |c| c.extra_decoder_kwargs.activation_fn);
    assert!(drawn.iter().any(|c| c.linear_decoder));
    assert!(drawn.iter().any(|c| c.use_size_factor_key));
    assert!(drawn.iter().any(|c| !c.use_size_factor_key && !c.use_observed_lib_size));
    assert!(drawn.iter().any(|c| c.encode_covariates && c.n_batch > 1 && c.n_layers > 1));
    assert!(drawn.iter().any(|c| !c.deeply_inject_covariates && c.n_batch > 1 && c.n_layers > 1));
}

/// The biases before batch normalisation, which takes any constant out again.
#[test]
fn biases_before_batch_normalisation_have_no_gradient_at_all() {
    let mut draw = Draw::new(1);
    let config = VaeConfig { n_input: 33, n_hidden: 5, n_layers: 2, ..VaeConfig::default() };
    let mut case = Case::new(&config, &mut draw);
    case.loss(case.state.clone());
    let gradients = case.vae.gradients();
    let before = gradients
        .iter()
        .filter(|(name, _)| name.contains("fc_layers") && name.ends_with(".0.bias"));
    let zeros: Vec<bool> = before.map(|(_, g)| g.data.iter().all(|&v| v == 0.0)).collect();
    assert_eq!(zeros, [true; 4]);
}
