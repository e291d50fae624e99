//! Every gradient of the whole model against finite differences of its loss, in double precision,
//! for legal configurations drawn at random.

use scvi::Cpu;
use scvi::module::{
    Activation, BatchRepresentation, Choice, DecoderKwargs, Dispersion, EmbeddingKwargs,
    EncoderKwargs, GeneLikelihood, GivenNoise, LatentDistribution, Minibatch, Noise, NormPlacement,
    Vae, VaeConfig, VarActivation, Workspace,
};
use scvi::nn::StateDict;
use scvi_kernels::Philox;

const CONFIGS: u64 = 120;

/// Random choices, the same ones every time.
struct Draw {
    philox: Philox,
    drawn: u32,
}

impl Draw {
    fn new(seed: u64) -> Self {
        Self { philox: Philox::new(seed), drawn: 0 }
    }

    fn unit(&mut self) -> f64 {
        self.drawn += 1;
        self.philox.uniform(0, 0, self.drawn, 0)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn choice<C: Choice>(&mut self) -> C {
        C::ALL[self.below(C::ALL.len())].1
    }

    fn flag(&mut self) -> bool {
        self.unit() < 0.5
    }

    fn normal(&mut self, n: usize) -> Vec<f64> {
        let mut one = || {
            self.drawn += 1;
            self.philox.normal_pair(1, 0, self.drawn, 0)[0]
        };
        (0..n).map(|_| one()).collect()
    }

    fn config(&mut self) -> VaeConfig {
        let n_batch = self.below(5);
        // Some choices need batches.
        let dispersion = match self.choice::<Dispersion>() {
            Dispersion::GeneBatch if n_batch == 0 => Dispersion::Gene,
            dispersion => dispersion,
        };
        let batch_representation = match self.choice::<BatchRepresentation>() {
            BatchRepresentation::Embedding if n_batch == 0 => BatchRepresentation::OneHot,
            representation => representation,
        };
        let prior = |draw: &mut Self| (0..n_batch.max(1)).map(|_| 0.5 + draw.unit()).collect();
        let config = VaeConfig {
            n_input: self.one_of(&[1, 3, 7, 13, 33, 129]),
            n_batch,
            n_labels: 1 + self.below(3),
            n_hidden: self.one_of(&[2, 3, 5, 9, 17]),
            n_latent: self.one_of(&[1, 2, 3, 7]),
            n_layers: 1 + self.below(3),
            n_continuous_cov: self.below(3),
            n_cats_per_cov: (0..self.below(3)).map(|_| 1 + self.below(3)).collect(),
            dropout_rate: self.one_of(&[0.0, 0.1, 0.5]),
            dispersion,
            log_variational: self.flag(),
            gene_likelihood: self.choice::<GeneLikelihood>(),
            latent_distribution: self.choice::<LatentDistribution>(),
            encode_covariates: self.flag(),
            deeply_inject_covariates: self.flag(),
            batch_representation,
            use_batch_norm: self.choice::<NormPlacement>(),
            use_layer_norm: self.choice::<NormPlacement>(),
            use_size_factor_key: self.unit() < 0.3,
            use_observed_lib_size: self.flag(),
            library_log_means: Some(prior(self)),
            library_log_vars: Some(prior(self)),
            extra_payload_autotune: self.flag(),
            var_activation: self.choice::<VarActivation>(),
            extra_encoder_kwargs: EncoderKwargs {
                bias: self.flag(),
                use_activation: self.flag(),
                activation_fn: self.choice::<Activation>(),
                var_eps: self.one_of(&[1e-4, 0.1]),
                n_cont: 0,
            },
            extra_decoder_kwargs: DecoderKwargs {
                bias: self.flag(),
                use_activation: self.flag(),
                activation_fn: self.choice::<Activation>(),
                n_cont: 0,
            },
            batch_embedding_kwargs: EmbeddingKwargs {
                embedding_dim: 1 + self.below(4),
                ..EmbeddingKwargs::default()
            },
            linear_decoder: false,
        };
        if self.unit() < 0.15 { linear(config) } else { config }
    }

    fn minibatch(&mut self, cells: usize, config: &VaeConfig) -> Minibatch {
        let mut batch = Minibatch::default();
        batch.rows.clear();
        for _ in 0..cells {
            let sure = self.below(config.n_input);
            let genes: Vec<u32> = (0..config.n_input)
                .filter(|&g| g == sure || self.unit() < 0.3)
                .map(|g| g as u32)
                .collect();
            let counts: Vec<f32> = genes.iter().map(|_| 1.0 + self.below(9) as f32).collect();
            batch.rows.push(&genes, &counts);
        }
        batch.cells = (0..cells as u32).collect();
        let mut codes = |n: usize| self.below(n.max(1)) as u32;
        batch.batch = (0..cells).map(|_| codes(config.n_batch)).collect();
        batch.labels = (0..cells).map(|_| codes(config.n_labels)).collect();
        let covariates = &config.n_cats_per_cov;
        batch.categories = (0..cells).flat_map(|_| covariates.clone()).map(&mut codes).collect();
        let normal = |draw: &mut Self, n| draw.normal(n).into_iter().map(|v| v as f32);
        batch.continuous = normal(self, cells * config.n_continuous_cov).collect();
        batch.size_factor = normal(self, cells).map(f32::exp).collect();
        batch
    }
}

/// The same with a linear decoder, where some options have no place.
fn linear(config: VaeConfig) -> VaeConfig {
    VaeConfig {
        n_continuous_cov: 0,
        n_cats_per_cov: Vec::new(),
        encode_covariates: false,
        dispersion: match config.dispersion {
            Dispersion::GeneCell => Dispersion::Gene,
            dispersion => dispersion,
        },
        batch_representation: BatchRepresentation::OneHot,
        use_batch_norm: match config.use_batch_norm.in_decoder() {
            true => NormPlacement::Both,
            false => NormPlacement::Encoder,
        },
        use_layer_norm: NormPlacement::None,
        var_activation: VarActivation::Exp,
        extra_encoder_kwargs: EncoderKwargs::default(),
        extra_decoder_kwargs: DecoderKwargs {
            bias: config.extra_decoder_kwargs.bias,
            ..DecoderKwargs::default()
        },
        linear_decoder: true,
        ..config
    }
}

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
        let mut state = vae.state_dict();
        for tensor in state.values_mut() {
            // Away from where training starts: γ = 1 and β = 0 hide mistakes.
            let shifts = draw.normal(tensor.data.len());
            tensor.data.iter_mut().zip(shifts).for_each(|(v, d)| *v += 0.1 * d);
        }
        let cells = 2 + draw.below(16);
        let batch = draw.minibatch(cells, config);
        let mut ws = vae.workspace(cells, batch.rows.counts.len(), true);
        ws.load(vae.backend(), &batch);
        let keep = 1.0 - config.dropout_rate;
        let factor = |draw: &mut Draw| if draw.unit() < keep { 1.0 / keep } else { 0.0 };
        let mut layers = |n: usize| -> Vec<Vec<f64>> {
            let n = if config.dropout_rate > 0.0 { n } else { 0 };
            let mut layer = || (0..cells * config.n_hidden).map(|_| factor(draw)).collect();
            (0..n).map(|_| layer()).collect()
        };
        let (dropout, library_dropout) = (layers(config.n_layers), layers(1));
        let (z, library) = (draw.normal(cells * config.n_latent), draw.normal(cells));
        let noise = GivenNoise { z, library, dropout, library_dropout };
        Self { vae, ws, noise, kl_weight: draw.one_of(&[0.0, 0.3, 1.0]), state }
    }

    /// The mean over cells of reconstruction loss and weighted KL; gradients are kept.
    fn loss(&mut self, state: StateDict<f64>) -> f64 {
        self.vae.load_state_dict(state).unwrap();
        self.vae.compute_gradients(&mut self.ws, Noise::Given(&self.noise), self.kl_weight);
        let loss = self.ws.loss(self.vae.backend(), self.kl_weight);
        loss.sum() / loss.n_cells as f64
    }

    /// The derivative along `d`, a direction of one tensor, by the five-point stencil.
    fn difference(&mut self, name: &str, d: &[f64], step: f64) -> f64 {
        let mut at = |k: f64| {
            let mut state = self.state.clone();
            let tensor = state.get_mut(name).unwrap();
            tensor.data.iter_mut().zip(d).for_each(|(v, d)| *v += k * step * d);
            self.loss(state)
        };
        (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * step)
    }

    /// Two entries of each tensor, and a direction in which all of them take part.
    fn check(&mut self, label: &str, draw: &mut Draw) {
        let loss = self.loss(self.state.clone());
        assert!(loss.is_finite(), "{label}");
        for (name, gradient) in self.vae.gradients() {
            let n = gradient.data.len();
            let norm = gradient.data.iter().map(|g| g * g).sum::<f64>().sqrt();
            let entries = [draw.below(n), draw.below(n)];
            let unit = |i: usize| (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect();
            let mut directions: Vec<Vec<f64>> = entries.map(unit).into();
            let length = (n as f64).sqrt();
            directions.push(draw.normal(n).into_iter().map(|v| v / length).collect());
            for d in directions {
                let got: f64 = gradient.data.iter().zip(&d).map(|(g, d)| g * d).sum();
                // A rectifier's kink within reach spoils a step, and only a shorter one is free
                // of it. A wrong gradient is wrong at every length.
                let agrees = [1e-4, 1e-5, 1e-6].into_iter().any(|step| {
                    let rounding = 1e-14 * (1.0 + loss.abs()) / step;
                    let want = self.difference(&name, &d, step);
                    (got - want).abs() <= 1e-6 * norm + rounding
                });
                let want = [1e-4, 1e-5, 1e-6].map(|s| self.difference(&name, &d, s));
                assert!(
                    agrees,
                    "{label}: {name}: {got:e} for {want:?}, norm {norm:e}, loss {loss:e}"
                );
            }
        }
    }
}

#[test]
fn every_gradient_agrees_with_differences() {
    let mut drawn = Vec::new();
    for seed in 0..CONFIGS {
        let mut draw = Draw::new(seed);
        let config = draw.config();
        Case::new(&config, &mut draw).check(&format!("{seed}: {config:?}"), &mut draw);
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
