//! Legal configurations and minibatches drawn at random.

use scvi::module::{
    Activation, BatchRepresentation, Choice, DecoderKwargs, Dispersion, EmbeddingKwargs,
    EncoderKwargs, GeneLikelihood, GivenNoise, LatentDistribution, Minibatch, NormPlacement,
    VaeConfig, VarActivation,
};
use scvi_kernels::Philox;

/// Random choices, the same ones every time.
pub struct Draw {
    philox: Philox,
    drawn: u32,
}

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self { philox: Philox::new(seed), drawn: 0 }
    }

    pub fn unit(&mut self) -> f64 {
        self.drawn += 1;
        self.philox.uniform(0, 0, self.drawn, 0)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    pub fn choice<C: Choice>(&mut self) -> C {
        C::ALL[self.below(C::ALL.len())].1
    }

    pub fn flag(&mut self) -> bool {
        self.unit() < 0.5
    }

    pub fn normal(&mut self, n: usize) -> Vec<f64> {
        let mut one = || {
            self.drawn += 1;
            self.philox.normal_pair(1, 0, self.drawn, 0)[0]
        };
        (0..n).map(|_| one()).collect()
    }

    pub fn config(&mut self) -> VaeConfig {
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

    pub fn minibatch(&mut self, cells: usize, config: &VaeConfig) -> Minibatch {
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

impl Draw {
    /// Dropout factors of some layers of one width.
    pub fn dropout(&mut self, rate: f64, n_layers: usize, len: usize) -> Vec<Vec<f64>> {
        let keep = 1.0 - rate;
        let n_layers = if rate > 0.0 { n_layers } else { 0 };
        let mut factor = || if self.unit() < keep { 1.0 / keep } else { 0.0 };
        (0..n_layers).map(|_| (0..len).map(|_| factor()).collect()).collect()
    }

    /// All noise of a step of the Vae.
    pub fn noise(&mut self, cells: usize, config: &VaeConfig) -> GivenNoise<f64> {
        let (rate, len) = (config.dropout_rate, cells * config.n_hidden);
        let dropout = self.dropout(rate, config.n_layers, len);
        let library_dropout = self.dropout(rate, 1, len);
        let (z, library) = (self.normal(cells * config.n_latent), self.normal(cells));
        GivenNoise { z, library, dropout, library_dropout }
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
