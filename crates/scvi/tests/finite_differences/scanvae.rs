//! SCANVAE: every parameter that two minibatches read, and all that lies between z1 and z2.

use scvi::Cpu;
use scvi::module::{
    Choice, ClassifierParameters, Dispersion, GivenScanvaeNoise, Scanvae, ScanvaeConfig,
    ScanvaeNoise, ScanvaeWorkspace, VaeConfig,
};
use scvi::nn::StateDict;

use crate::differentiable::{Differentiable, away_from_the_start, check};
use crate::draw::Draw;

const CONFIGS: u64 = 60;
const RATIO: f64 = 5.0;

/// A model with everything its training loss depends on.
struct Case {
    model: Scanvae<Cpu<f64>>,
    ws: ScanvaeWorkspace<Cpu<f64>>,
    noise: GivenScanvaeNoise<f64>,
    kl_weight: f64,
    /// where differences are taken
    state: StateDict<f64>,
}

fn config(draw: &mut Draw) -> ScanvaeConfig {
    let vae = loop {
        let config = draw.config();
        if !config.linear_decoder && config.dispersion != Dispersion::GeneLabel {
            break config;
        }
    };
    let some = |draw: &mut Draw, value: usize| draw.flag().then_some(value);
    let classifier_parameters = ClassifierParameters {
        n_layers: some(draw, 2),
        n_hidden: some(draw, 5),
        dropout_rate: draw.flag().then_some(0.2),
        logits: draw.flag(),
        activation_fn: draw.choice(),
        ..ClassifierParameters::default()
    };
    let prior = (0..vae.n_labels).map(|_| 0.2 + draw.unit()).collect();
    let y_prior = Some(prior).filter(|_| draw.flag());
    ScanvaeConfig { vae, linear_classifier: draw.flag(), classifier_parameters, y_prior }
}

/// Hidden layers of the classifier and their width.
fn classifier(config: &ScanvaeConfig) -> (usize, usize) {
    let ScanvaeConfig { vae, linear_classifier, classifier_parameters: own, .. } = config;
    let of = |n: usize| if *linear_classifier { 0 } else { n };
    (own.n_layers.unwrap_or(of(vae.n_layers)), own.n_hidden.unwrap_or(of(vae.n_hidden)))
}

impl Case {
    fn new(config: &ScanvaeConfig, draw: &mut Draw) -> Self {
        let model = Scanvae::new(Cpu::<f64>::new(), config.validate().unwrap(), 1);
        let prior = model.state_dict()["y_prior"].clone();
        let mut state = away_from_the_start(model.state_dict(), draw);
        state.insert("y_prior".to_owned(), prior);
        let cells = [2 + draw.below(9), draw.one_of(&[0, 2, 3, 7])];
        let batches = cells.map(|n| draw.minibatch(n, &config.vae));
        let [full, labelled] = batches.each_ref().map(|b| [b.rows.n_cells(), b.rows.counts.len()]);
        let mut ws = model.workspace(full, labelled);
        let mut inputs = model.inputs(full, labelled);
        inputs.load(model.backend(), &batches[0], &batches[1]);
        ws.swap_inputs(&mut inputs);
        let noise = noise(cells, config, draw);
        Self { model, ws, noise, kl_weight: draw.one_of(&[0.0, 0.3, 1.0]), state }
    }
}

fn noise(
    [cells, labelled]: [usize; 2],
    config: &ScanvaeConfig,
    draw: &mut Draw,
) -> GivenScanvaeNoise<f64> {
    let VaeConfig { n_labels, n_latent, n_hidden, n_layers, dropout_rate: rate, .. } = config.vae;
    let (depth, width) = classifier(config);
    let depth = if width == 0 { 0 } else { depth };
    let of_classifier = config.classifier_parameters.dropout_rate.unwrap_or(rate);
    GivenScanvaeNoise {
        vae: draw.noise(cells, &config.vae),
        z2: draw.normal(cells * n_labels * n_latent),
        z2_dropout: draw.dropout(rate, n_layers, cells * n_labels * n_hidden),
        classifier_dropout: draw.dropout(of_classifier, depth, cells * width),
        labelled_dropout: draw.dropout(rate, n_layers, labelled * n_hidden),
        labelled_classifier_dropout: draw.dropout(of_classifier, depth, labelled * width),
    }
}

impl Differentiable for Case {
    fn state(&self) -> &StateDict<f64> {
        &self.state
    }

    fn gradients(&self) -> StateDict<f64> {
        self.model.gradients()
    }

    fn loss(&mut self, state: StateDict<f64>) -> f64 {
        self.model.load_state_dict(state).unwrap();
        let noise = ScanvaeNoise::Given(&self.noise);
        self.model.compute_gradients(&mut self.ws, noise, self.kl_weight, RATIO);
        let loss = self.model.loss(&self.ws, self.kl_weight, RATIO);
        loss.sum() / loss.n_cells as f64
    }
}

#[test]
fn every_gradient_of_scanvae_agrees_with_differences() {
    let mut drawn = Vec::new();
    for seed in 0..CONFIGS {
        let mut draw = Draw::new(1000 + seed);
        let config = config(&mut draw);
        let mut case = Case::new(&config, &mut draw);
        check(&mut case, &format!("{seed}: {config:?}"), &mut draw);
        drawn.push(config);
    }
    // Every option took part.
    let some = |of: &dyn Fn(&ScanvaeConfig) -> bool| assert!(drawn.iter().any(of));
    some(&|c| c.linear_classifier && classifier(c).0 == 0);
    some(&|c| classifier(c).0 == 2 && classifier(c).1 == 5);
    some(&|c| !c.classifier_parameters.logits);
    some(&|c| c.vae.n_labels == 1);
    some(&|c| c.vae.n_labels == 3 && c.y_prior.is_some());
    some(&|c| c.vae.encode_covariates && c.vae.batch_representation.name() == "embedding");
    some(&|c| !c.vae.use_observed_lib_size && !c.vae.use_size_factor_key);
}
