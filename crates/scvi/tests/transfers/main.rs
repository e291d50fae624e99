//! What a training step moves between host and device, for every configuration of the fixtures:
//! nothing, but for the loss, which is read after the update.

#[path = "../common/mod.rs"]
mod common;
mod counting;

use common::Fixture;
use counting::{Counting, Transfers};
use scvi::Cpu;
use scvi::comm::LeafShare;
use scvi::module::{
    GradientClip, Minibatch, MinifiedDataType, Noise, OptimizerStep, PosteriorRows, Vae, Workspace,
};
use scvi_kernels::ops::adam::AdamRule;

type Counted = Counting<Cpu<f32>>;

const CLIPS: [Option<GradientClip>; 3] =
    [None, Some(GradientClip::Norm(0.5)), Some(GradientClip::Value(0.01))];

fn model(fixture: &Fixture, batch: &Minibatch) -> (Vae<Counted>, Workspace<Counted>) {
    let vae = Vae::new(Counted::default(), fixture.entry.config.validate().unwrap(), 0);
    let ws = vae.workspace(batch.rows.n_cells(), batch.rows.counts.len(), true);
    (vae, ws)
}

/// Loads, takes a step and reads the loss, three times over, and checks what each transferred.
fn watch(
    fixture: &Fixture,
    batch: &Minibatch,
    (vae, ws): &mut (Vae<Counted>, Workspace<Counted>),
    step: impl Fn(&mut Vae<Counted>, &mut Workspace<Counted>, Noise<f32>, OptimizerStep<f32>),
) {
    let name = &fixture.entry.name;
    for clip in CLIPS {
        for t in 1..=3 {
            ws.load(vae.backend(), batch);
            let loading = vae.backend().take();
            assert!(loading.uploads > 0, "{name}: the backend does not count");
            let adam = AdamRule::default().at_step(t);
            let noise = Noise::Seeded { seed: 3, draw: t as u32 };
            step(vae, ws, noise, OptimizerStep { adam, clip });
            let seen = vae.backend().take();
            // The first step makes the buffers that the optimizer needs.
            let allocations = if t == 1 { seen.allocations } else { 0 };
            assert_eq!(seen, Transfers { allocations, ..Transfers::default() }, "{name}, {clip:?}");
            assert!(ws.loss(vae.backend(), 1.0).is_finite(), "{name}");
            // A number for each term.
            let inferred = !fixture.entry.config.use_observed_lib_size
                && !fixture.entry.config.use_size_factor_key;
            let host_sums = if inferred { 3 } else { 2 };
            let want = Transfers { host_sums, ..Transfers::default() };
            assert_eq!(vae.backend().take(), want, "{name}: the loss");
        }
    }
}

#[test]
fn a_step_moves_nothing_between_host_and_device() {
    for fixture in &common::all() {
        let batch = fixture.minibatch();
        let mut model = model(fixture, &batch);
        watch(fixture, &batch, &mut model, |vae, ws, noise, optimizer| {
            vae.train_step(ws, noise, 0.7, optimizer);
        });
    }
}

#[test]
fn a_step_on_stored_posteriors_moves_nothing_either() {
    let mut seen = 0;
    for fixture in &common::all() {
        let mut batch = fixture.minibatch();
        let n_latent = fixture.entry.config.n_latent;
        let cells = batch.rows.n_cells();
        let totals = (0..cells).map(|cell| batch.rows.row(cell).1.iter().sum()).collect();
        batch.posterior = PosteriorRows {
            qz_m: vec![0.5; cells * n_latent],
            qz_v: vec![0.25; cells * n_latent],
            observed_lib_size: totals,
        };
        let mut model = model(fixture, &batch);
        let minified = Some(MinifiedDataType::LatentPosteriorParameters);
        // A model that infers its library takes no minified data.
        if model.0.set_minified_data_type(minified).is_err() {
            continue;
        }
        seen += 1;
        watch(fixture, &batch, &mut model, |vae, ws, noise, optimizer| {
            let cells = [ws.n_cells()];
            let (share, leaves) = (LeafShare::solo(&cells), std::slice::from_mut(ws));
            vae.train_decoder_leaves(leaves, share, noise, optimizer);
        });
    }
    assert!(seen > 50, "{seen} configurations");
}

/// Noise that is drawn ahead of its step stays on the device as well.
#[test]
fn noise_drawn_ahead_moves_nothing() {
    for fixture in &common::all() {
        let batch = fixture.minibatch();
        let (mut vae, mut ws) = model(fixture, &batch);
        let mut next = vae.inputs(batch.rows.n_cells(), batch.rows.counts.len());
        let noise = Noise::Seeded { seed: 1, draw: 2 };
        for t in 1..=2 {
            next.load(vae.backend(), &batch);
            vae.backend().take();
            next.draw_ahead(vae.backend(), noise);
            ws.swap_inputs(&mut next);
            vae.train_step(&mut ws, noise, 1.0, AdamRule::default().at_step(t));
            let seen = vae.backend().take();
            let moved = Transfers { allocations: 0, ..seen };
            assert_eq!(moved, Transfers::default(), "{}", fixture.entry.name);
        }
    }
}
