//! SCANVAE against scvi-tools: outputs, loss terms, every gradient, running moments, and all weights
//! after ten steps of Adam, each on a minibatch of all cells and on one of labelled cells.
//!
//! The fixtures were computed in f64 (`reference/scanvae.py`). The engine is held to them in f32 and
//! in f64, within the tolerances of the Vae's fixtures.

#[path = "../common/mod.rs"]
mod common;

use rayon::prelude::*;

use common::{Fixture, deviation, norm, total_norm, worst};
use scvi::module::{Scanvae, ScanvaeConfig, ScanvaeNoise, ScanvaeWorkspace};
use scvi::{Cpu, Real};
use scvi_kernels::ops::adam::AdamRule;

type Model<F> = Scanvae<Cpu<F>>;
type Buffers<F> = ScanvaeWorkspace<Cpu<F>>;

/// A model and its minibatches, held to a fixture.
struct Case<'a, F: Real> {
    fixture: &'a Fixture<ScanvaeConfig>,
    model: Model<F>,
    ws: Buffers<F>,
    /// Allowed of outputs and losses, and of gradients and weights.
    tolerances: [f64; 2],
}

const SINGLE: [f64; 2] = [1e-5, 1e-4];
const DOUBLE: [f64; 2] = [1e-8, 1e-8];

impl<'a, F: Real> Case<'a, F> {
    fn new(fixture: &'a Fixture<ScanvaeConfig>, tolerances: [f64; 2]) -> Self {
        let spec = fixture.entry.config.validate().unwrap();
        let mut model = Model::<F>::new(Cpu::new(), spec, 0);
        model.load_state_dict(fixture.state(&model.state_dict())).unwrap();
        let minibatches = [fixture.minibatch(), fixture.labelled_minibatch()];
        let [full, labelled] =
            minibatches.each_ref().map(|m| [m.rows.n_cells(), m.rows.counts.len()]);
        let mut ws = model.workspace(full, labelled);
        let mut inputs = model.inputs(full, labelled);
        inputs.load(model.backend(), &minibatches[0], &minibatches[1]);
        ws.swap_inputs(&mut inputs);
        Self { fixture, model, ws, tolerances }
    }

    fn hold(&self, name: &str, found: f64, allowed: f64) {
        assert!(found <= allowed, "{}: {name} deviates by {found:.2e}", self.fixture.entry.name);
    }

    /// Outputs and loss terms of a pass.
    fn check_outputs(&self, pass: &str) {
        let (fixture, model, [allowed, _]) = (self.fixture, &self.model, self.tolerances);
        let (b, ws) = (model.backend(), self.ws.vae());
        for (name, got) in [("qz_m", ws.qz_m(b)), ("qz_v", ws.qz_v(b)), ("z", ws.z(b))] {
            let name = format!("{pass}/{name}");
            self.hold(&name, deviation(&got, &fixture.get(&name).data, 0.0), allowed);
        }
        let cell = model.cell_outputs(&self.ws);
        let both = cell.kl_divergence_z.iter().zip(&cell.kl_divergence_l);
        let kl_local: Vec<F> = both.map(|(&z, &l)| z + l).collect();
        for (name, got) in [("reconstruction", cell.reconstruction_loss), ("kl_local", kl_local)] {
            let name = format!("{pass}/{name}");
            self.hold(&name, worst(&got, &fixture.get(&name).data, 1.0), allowed);
        }
        let scores = model.labelled_scores(&self.ws);
        let name = format!("{pass}/logits");
        assert_eq!(scores.is_empty(), !fixture.has(&name), "{}: {name}", fixture.entry.name);
        if !scores.is_empty() {
            self.hold(&name, deviation(&scores, &fixture.get(&name).data, 1.0), allowed);
        }
        let name = format!("{pass}/classification_loss");
        let loss = self.loss();
        let found = loss.metrics.iter().find(|(name, _)| *name == "classification_loss");
        if let Some((_, found)) = found {
            self.hold(&name, worst(&[*found], &fixture.get(&name).data, 1.0), allowed);
        }
        assert_eq!(found.is_some(), fixture.has(&name), "{}: {name}", fixture.entry.name);
    }

    fn loss(&self) -> scvi::module::Loss {
        let entry = &self.fixture.entry;
        self.model.loss(&self.ws, entry.kl_weight, entry.classification_ratio)
    }

    fn evaluation(&mut self) {
        self.model.evaluate(&mut self.ws, None);
        self.check_outputs("eval");
    }

    fn gradients(&mut self) {
        let (fixture, [allowed, of_gradients]) = (self.fixture, self.tolerances);
        let entry = &fixture.entry;
        let noise = fixture.noise(0);
        let noise = ScanvaeNoise::Given(&noise);
        let (kl_weight, ratio) = (entry.kl_weight, entry.classification_ratio);
        // Once more than needed: nothing may be left of the pass before.
        for _ in 0..2 {
            let state = fixture.state(&self.model.state_dict());
            self.model.load_state_dict(state).unwrap();
            self.model.compute_gradients(&mut self.ws, noise, kl_weight, ratio);
        }
        self.check_outputs("train");
        let loss = [self.loss().sum() / self.ws.vae().n_cells() as f64];
        self.hold("train/loss", worst(&loss, &fixture.get("train/loss").data, 1.0), allowed);
        let gradients = self.model.gradients();
        // Normalisation takes some parameters' effect out again: their gradient is zero but for
        // rounding, and is measured against the whole's norm.
        let whole = total_norm(fixture, "grad/");
        let mut seen = 0;
        for (name, want) in fixture.under("grad/") {
            let got = gradients.get(name).unwrap_or_else(|| panic!("no gradient of {name}"));
            assert_eq!(got.shape, want.shape, "{name}");
            let vanishes = norm(want.data.iter().copied()) < 1e-10 * whole;
            let floor = if vanishes { whole } else { 0.0 };
            self.hold(name, deviation(&got.data, &want.data, floor), of_gradients);
            seen += 1;
        }
        assert_eq!(seen, gradients.len(), "{}: a gradient without an oracle", entry.name);
        let state = self.model.state_dict();
        for (name, want) in fixture.under("buffers/").filter(|(name, _)| state.contains_key(*name))
        {
            self.hold(name, deviation(&state[name].data, &want.data, 0.0), allowed);
        }
    }

    fn ten_steps(&mut self) {
        let entry = &self.fixture.entry;
        for step in 1..=10 {
            let noise = self.fixture.noise(step);
            let adam = AdamRule::default().at_step(step as u64);
            let noise = ScanvaeNoise::Given(&noise);
            let weights = [entry.kl_weight, entry.classification_ratio];
            self.model.train_step(&mut self.ws, noise, weights[0], weights[1], adam);
        }
        for (name, got) in self.model.state_dict() {
            let want = self.fixture.get(&format!("adam10/{name}"));
            self.hold(&name, deviation(&got.data, &want.data, 0.0), self.tolerances[1]);
        }
    }
}

fn check<F: Real>(fixture: &Fixture<ScanvaeConfig>, tolerances: [f64; 2]) {
    Case::<F>::new(fixture, tolerances).evaluation();
    Case::<F>::new(fixture, tolerances).gradients();
    Case::<F>::new(fixture, tolerances).ten_steps();
}

#[test]
fn agrees_with_scvi_tools() {
    let fixtures = common::scanvae();
    assert!(fixtures.len() >= 30, "the fixtures are gone");
    fixtures.par_iter().for_each(|fixture| {
        check::<f64>(fixture, DOUBLE);
        check::<f32>(fixture, SINGLE);
    });
}
