//! Surgery and ten steps, as scvi-tools does both.

use scvi::model::query::Freeze;
use scvi::module::{Noise, Vae};
use scvi::{Backend, Cpu, Real};
use scvi_kernels::Reference;
use scvi_kernels::ops::adam::AdamRule;

use crate::common::{Fixture, deviation, queries};
use crate::mapped;

fn reference<B: Backend + Default>(fixture: &Fixture) -> Vae<B> {
    let config = fixture.entry.reference.as_ref().unwrap();
    let mut vae = Vae::new(B::default(), config.validate().unwrap(), 0);
    let state = fixture.state_under("reference/", &vae.state_dict());
    vae.load_state_dict(state).unwrap();
    vae
}

/// scvi-tools trains the columns of all categories.
fn as_there(fixture: &Fixture) -> Freeze {
    Freeze { freeze_reference_categories: false, ..fixture.entry.freeze }
}

/// Every number of the reference stands where scvi-tools puts it; the new ones are random in both.
/// (In these fixtures the last covariate grows: where another does, scvi-tools shifts columns.)
#[test]
fn the_reference_numbers_stand_where_scvi_tools_puts_them() {
    let fixtures = queries();
    assert!(fixtures.len() >= 6, "the fixtures are gone");
    for fixture in &fixtures {
        let mut reference = reference::<Cpu<f64>>(fixture);
        let old = reference.state_dict();
        let new = mapped(&mut reference, &fixture.entry.config, &as_there(fixture)).state_dict();
        let theirs = fixture.state_under::<f64>("param/", &new);
        assert_eq!(new.len(), theirs.len(), "{}", fixture.entry.name);
        let mut n_grown = 0;
        for (name, ours) in &new {
            assert_eq!(ours.shape, theirs[name].shape, "{name}");
            let (width, known) = (ours.shape.last().unwrap(), old[name].shape.last().unwrap());
            n_grown += usize::from(width != known);
            let numbers = ours.data.iter().zip(&theirs[name].data).enumerate();
            for (i, (a, b)) in numbers.filter(|(i, _)| i % width < *known) {
                assert_eq!(a, b, "{}: {name}, number {i}", fixture.entry.name);
            }
        }
        assert!(n_grown > 0, "{}: nothing grew", fixture.entry.name);
    }
}

fn ten_steps<B: Backend + Clone + Default>(fixture: &Fixture, allowed: f64) {
    let mut vae = mapped(&mut reference::<B>(fixture), &fixture.entry.config, &as_there(fixture));
    let start = fixture.state(&vae.state_dict());
    vae.load_state_dict(start.clone()).unwrap();
    let batch = fixture.minibatch();
    let mut ws = vae.workspace(batch.rows.n_cells(), batch.rows.counts.len(), true);
    ws.load(vae.backend(), &batch);
    let rule = AdamRule { weight_decay: 0.0, ..AdamRule::default() };
    for step in 1..=10 {
        let (noise, adam) = (fixture.noise(step), rule.at_step(step as u64));
        vae.train_step(&mut ws, Noise::Given(&noise), fixture.entry.kl_weight, adam);
    }
    for (name, ours) in vae.state_dict() {
        let theirs = &fixture.get(&format!("adam10/{name}")).data;
        let is_still = |i: usize| theirs[i] == start[&name].data[i].to_f64();
        for i in (0..theirs.len()).filter(|&i| is_still(i)) {
            let (was, is) = (start[&name].data[i].to_f64(), ours.data[i].to_f64());
            assert_eq!(was, is, "{}: {name}, number {i} moved", fixture.entry.name);
        }
        let found = deviation(&ours.data, theirs, 0.0);
        assert!(found < allowed, "{}: {name} is off by {found:e}", fixture.entry.name);
    }
}

/// What scvi-tools leaves alone stays bit-identical here; what it moves moves as far.
#[test]
fn training_moves_what_scvi_tools_moves_in_double_precision() {
    for fixture in &queries() {
        ten_steps::<Cpu<f64>>(fixture, 1e-8);
        ten_steps::<Reference<f64>>(fixture, 1e-8);
    }
}

#[test]
fn training_moves_what_scvi_tools_moves_in_single_precision() {
    for fixture in &queries() {
        ten_steps::<Cpu<f32>>(fixture, 1e-4);
        ten_steps::<Reference<f32>>(fixture, 1e-4);
    }
}
