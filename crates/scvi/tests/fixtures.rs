//! Every configuration against scvi-tools: outputs, loss terms, every gradient, running moments,
//! and all weights after ten steps of Adam.
//!
//! The fixtures were computed in f64 (`reference/generate.py`). The engine is held to them twice:
//! in f32, as it is used, within the project's tolerances; in f64 within 1e-8, which no mistake in
//! a formula survives.

mod common;

use common::{Fixture, deviation, total_norm, worst};
use scvi::module::{CellOutputs, Noise, Vae};
use scvi::{Cpu, Real};
use scvi_kernels::ops::adam::AdamRule;

/// Largest deviations found in one fixture.
#[derive(Debug, Default)]
struct Deviations {
    outputs: f64,
    losses: f64,
    gradients: f64,
    adam: f64,
}

/// What is allowed.
struct Tolerance {
    outputs: f64,
    gradients: f64,
    adam: f64,
}

const SINGLE: Tolerance = Tolerance { outputs: 1e-5, gradients: 1e-4, adam: 1e-4 };
const DOUBLE: Tolerance = Tolerance { outputs: 1e-8, gradients: 1e-8, adam: 1e-8 };

fn model<F: Real>(fixture: &Fixture) -> Vae<Cpu<F>> {
    let spec = fixture.entry.config.validate().unwrap();
    let mut vae = Vae::new(Cpu::<F>::new(), spec, 0);
    let state = fixture.state(&vae.state_dict());
    vae.load_state_dict(state).unwrap();
    vae
}

/// Remembers the larger, and says which tensor it was where it is over the tolerance.
fn note(fixture: &Fixture, name: &str, found: f64, allowed: f64, most: &mut f64) {
    assert!(found <= allowed, "{}: {name} deviates by {found:.2e}", fixture.entry.name);
    *most = most.max(found);
}

fn check<F: Real>(fixture: &Fixture, allowed: &Tolerance) -> Deviations {
    let mut most = Deviations::default();
    evaluation::<F>(fixture, allowed, &mut most);
    gradients::<F>(fixture, allowed, &mut most);
    ten_steps::<F>(fixture, allowed, &mut most);
    most
}

fn evaluation<F: Real>(fixture: &Fixture, allowed: &Tolerance, most: &mut Deviations) {
    let vae = model::<F>(fixture);
    let batch = fixture.minibatch();
    let mut ws = vae.workspace(batch.rows.n_cells(), batch.rows.counts.len(), false);
    ws.load(vae.backend(), &batch);
    vae.inference(&mut ws, None);
    vae.generative(&mut ws, None);
    let b = vae.backend();
    let cell = ws.cell_outputs(b);
    let outputs = [
        ("qz_m", Some(ws.qz_m(b))),
        ("qz_v", Some(ws.qz_v(b))),
        ("z", Some(ws.z(b))),
        ("library", Some(ws.library(b))),
        ("px_scale", Some(vae.px_scale(&ws))),
        ("px_rate", Some(vae.px_rate(&ws))),
        ("px_dropout", vae.px_dropout(&ws)),
        ("px_r", vae.px_r(&ws)),
    ];
    for (name, got) in outputs {
        let name = format!("eval/{name}");
        // Wide fixtures leave out what has a value per cell and gene, to stay small.
        let Some(got) = got.filter(|_| fixture.has(&name)) else { continue };
        let found = deviation(&got, &fixture.get(&name).data, 0.0);
        note(fixture, &name, found, allowed.outputs, &mut most.outputs);
    }
    library_posterior(fixture, "eval", ws.ql(b), allowed, most);
    losses(fixture, "eval", &cell, allowed, most);
}

fn library_posterior<F: Real>(
    fixture: &Fixture,
    pass: &str,
    ql: Option<(Vec<F>, Vec<F>)>,
    allowed: &Tolerance,
    most: &mut Deviations,
) {
    let has = fixture.has(&format!("{pass}/ql_m"));
    assert_eq!(ql.is_some(), has, "{}: an inferred library", fixture.entry.name);
    let Some((mean, var)) = ql else { return };
    for (name, got) in [("ql_m", mean), ("ql_v", var)] {
        let name = format!("{pass}/{name}");
        let found = deviation(&got, &fixture.get(&name).data, 0.0);
        note(fixture, &name, found, allowed.outputs, &mut most.outputs);
    }
}

/// Each cell's loss terms.
fn losses<F: Real>(
    fixture: &Fixture,
    pass: &str,
    cell: &CellOutputs<F>,
    allowed: &Tolerance,
    most: &mut Deviations,
) {
    let both = cell.kl_divergence_z.iter().zip(&cell.kl_divergence_l);
    let kl_local: Vec<F> = both.map(|(&z, &l)| z + l).collect();
    let terms = [
        ("reconstruction", &cell.reconstruction_loss),
        ("kl_local", &kl_local),
        ("kl_l", &cell.kl_divergence_l),
    ];
    for (name, got) in terms {
        let name = format!("{pass}/{name}");
        if name.ends_with("kl_l") && !fixture.has(&name) {
            assert!(got.iter().all(|&v| v == F::ZERO), "an observed library has no divergence");
            continue;
        }
        let found = worst(got, &fixture.get(&name).data, 1.0);
        note(fixture, &name, found, allowed.outputs, &mut most.losses);
    }
}

fn gradients<F: Real>(fixture: &Fixture, allowed: &Tolerance, most: &mut Deviations) {
    let mut vae = model::<F>(fixture);
    let batch = fixture.minibatch();
    let mut ws = vae.workspace(batch.rows.n_cells(), batch.rows.counts.len(), true);
    ws.load(vae.backend(), &batch);
    let noise = fixture.noise(0);
    let kl_weight = fixture.entry.kl_weight;
    vae.compute_gradients(&mut ws, Noise::Given(&noise), kl_weight);

    let b = vae.backend();
    for (name, got) in [("qz_m", ws.qz_m(b)), ("qz_v", ws.qz_v(b)), ("z", ws.z(b))] {
        let name = format!("train/{name}");
        let found = deviation(&got, &fixture.get(&name).data, 0.0);
        note(fixture, &name, found, allowed.outputs, &mut most.outputs);
    }
    library_posterior(fixture, "train", ws.ql(b), allowed, most);
    losses(fixture, "train", &ws.cell_outputs(b), allowed, most);
    let loss = [ws.loss_sums(b).loss(kl_weight) / ws.n_cells() as f64];
    let found = worst(&loss, &fixture.get("train/loss").data, 1.0);
    note(fixture, "train/loss", found, allowed.outputs, &mut most.losses);
    let gradients = vae.gradients();
    // A bias before batch normalisation has a gradient of exactly zero, which comes out as
    // rounding: it is measured against the norm of the whole gradient.
    let floor = total_norm(fixture, "grad/");
    let mut seen = 0;
    for (name, want) in fixture.under("grad/") {
        let got = gradients.get(name).unwrap_or_else(|| panic!("no gradient of {name}"));
        assert_eq!(got.shape, want.shape, "{name}");
        let normalised = name.strip_suffix(".0.bias").map(|layer| format!("{layer}.1.weight"));
        let before_norm = normalised.is_some_and(|norm| gradients.contains_key(&norm));
        let floor = if before_norm { floor } else { 0.0 };
        let found = deviation(&got.data, &want.data, floor);
        note(fixture, name, found, allowed.gradients, &mut most.gradients);
        seen += 1;
    }
    assert_eq!(seen, gradients.len(), "{}: a gradient without an oracle", fixture.entry.name);
    let state = vae.state_dict();
    for (name, want) in fixture.under("buffers/") {
        let Some(got) = state.get(name) else { continue };
        let found = deviation(&got.data, &want.data, 0.0);
        note(fixture, name, found, allowed.outputs, &mut most.outputs);
    }
}

fn ten_steps<F: Real>(fixture: &Fixture, allowed: &Tolerance, most: &mut Deviations) {
    let mut vae = model::<F>(fixture);
    let batch = fixture.minibatch();
    let mut ws = vae.workspace(batch.rows.n_cells(), batch.rows.counts.len(), true);
    ws.load(vae.backend(), &batch);
    for step in 1..=10 {
        let noise = fixture.noise(step);
        let adam = AdamRule::default().at_step(step as u64);
        vae.train_step(&mut ws, Noise::Given(&noise), fixture.entry.kl_weight, adam);
    }
    for (name, got) in vae.state_dict() {
        let want = fixture.get(&format!("adam10/{name}"));
        let found = deviation(&got.data, &want.data, 0.0);
        note(fixture, &name, found, allowed.adam, &mut most.adam);
    }
}

fn all<F: Real>(label: &str, allowed: &Tolerance) {
    let fixtures = common::all();
    assert!(fixtures.len() > 15, "the fixtures are gone");
    println!("{label}: largest relative deviations from scvi-tools 1.4.2");
    println!("| fixture | outputs | losses | gradients | ten steps |\n|---|---|---|---|---|");
    for fixture in &fixtures {
        let d = check::<F>(fixture, allowed);
        let (o, l, g, a) = (d.outputs, d.losses, d.gradients, d.adam);
        println!("| {} | {o:.1e} | {l:.1e} | {g:.1e} | {a:.1e} |", fixture.entry.name);
    }
}

#[test]
fn agrees_with_scvi_tools_in_single_precision() {
    all::<f32>("f32", &SINGLE);
}

#[test]
fn agrees_with_scvi_tools_in_double_precision() {
    all::<f64>("f64", &DOUBLE);
}
