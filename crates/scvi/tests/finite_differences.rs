//! Every gradient of the whole model against finite differences of its loss, in double precision,
//! for legal configurations drawn at random.

use scvi::Cpu;
use scvi::module::{
    Choice, Dispersion, GeneLikelihood, Minibatch, Noise, NormPlacement, Vae, VaeConfig, Workspace,
};
use scvi::nn::StateDict;
use scvi_kernels::Philox;

const CONFIGS: u64 = 50;

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
        // A dispersion per batch needs batches.
        let dispersion = if n_batch > 0 { self.choice::<Dispersion>() } else { Dispersion::Gene };
        VaeConfig {
            n_input: self.one_of(&[1, 3, 7, 13, 33, 129]),
            n_batch,
            n_hidden: self.one_of(&[1, 3, 5, 9, 17]),
            n_latent: self.one_of(&[1, 2, 3, 7]),
            n_layers: 1 + self.below(3),
            dropout_rate: self.one_of(&[0.0, 0.1, 0.5]),
            dispersion,
            log_variational: self.flag(),
            gene_likelihood: self.choice::<GeneLikelihood>(),
            encode_covariates: self.flag(),
            deeply_inject_covariates: self.flag(),
            use_batch_norm: self.choice::<NormPlacement>(),
        }
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
        batch.batch = (0..cells).map(|_| self.below(config.n_batch.max(1)) as u32).collect();
        batch
    }
}

/// A model with everything its training loss depends on.
struct Case {
    vae: Vae<Cpu<f64>>,
    ws: Workspace<Cpu<f64>>,
    z: Vec<f64>,
    dropout: Vec<Vec<f64>>,
    kl_weight: f64,
    /// where differences are taken
    state: StateDict<f64>,
}

impl Case {
    fn new(config: &VaeConfig, draw: &mut Draw) -> Self {
        let mut vae = Vae::new(Cpu::<f64>::new(), config.validate().unwrap(), 1);
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
        let layers = if config.dropout_rate > 0.0 { config.n_layers } else { 0 };
        let dropout = (0..layers)
            .map(|_| (0..cells * config.n_hidden).map(|_| factor(draw)).collect())
            .collect();
        let z = draw.normal(cells * config.n_latent);
        Self { vae, ws, z, dropout, kl_weight: draw.one_of(&[0.0, 0.3, 1.0]), state }
    }

    /// The mean over cells of reconstruction loss and weighted KL; gradients are kept.
    fn loss(&mut self, state: StateDict<f64>) -> f64 {
        self.vae.load_state_dict(state).unwrap();
        let noise = Noise::Given { z: &self.z, dropout: &self.dropout };
        self.vae.compute_gradients(&mut self.ws, noise, self.kl_weight);
        let cells = self.ws.cell_outputs(self.vae.backend());
        let terms = cells.reconstruction_loss.iter().zip(&cells.kl_local);
        let n = cells.kl_local.len() as f64;
        terms.map(|(r, kl)| r + self.kl_weight * kl).sum::<f64>() / n
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
