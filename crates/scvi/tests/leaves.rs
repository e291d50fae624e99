//! A minibatch in leaves has the loss, the gradients and the normalisation of the whole, and its bits
//! depend on no number of threads.

use std::ops::ControlFlow;

use scvi::Cpu;
use scvi::data::simulate::{SimulateConfig, Simulated, simulate};
use scvi::data::{Dataset, minibatches};
use scvi::module::{
    BatchRepresentation, Dispersion, GeneLikelihood, Minibatch, Noise, NormPlacement, Vae,
    VaeConfig, Workspace,
};
use scvi::nn::StateDict;
use scvi::train::{TrainPlan, Trained, train};

const GENES: usize = 40;
const NOISE: Noise<'static, f64> = Noise::Seeded { seed: 4, draw: 1 };

fn simulated(n_cells: usize) -> Simulated {
    simulate(&SimulateConfig { n_cells, n_genes: GENES, density: 0.4, ..Default::default() })
}

fn config() -> VaeConfig {
    VaeConfig { n_input: GENES, n_batch: 2, n_hidden: 9, n_latent: 3, ..VaeConfig::default() }
}

fn workspace(
    vae: &Vae<Cpu<f64>>,
    data: &Dataset,
    cells: std::ops::Range<u32>,
) -> Workspace<Cpu<f64>> {
    let cells: Vec<u32> = cells.collect();
    let mut ws = vae.workspace(cells.len(), cells.len() * GENES, true);
    let mut batch = Minibatch::default();
    data.fill(&cells, &mut batch).unwrap();
    ws.load(vae.backend(), &batch);
    ws
}

/// Gradients and running moments of a step, and the loss, on `n` cells in leaves of `leaf`.
fn step(config: &VaeConfig, n: usize, leaf: usize) -> (StateDict<f64>, StateDict<f64>, f64) {
    let sim = simulated(n);
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let mut vae = Vae::<Cpu<f64>>::new(Cpu::new(), config.validate().unwrap(), 2);
    let ranges = minibatches(n, leaf).map(|r| r.start as u32..r.end as u32);
    let mut leaves: Vec<_> = ranges.map(|cells| workspace(&vae, &data, cells)).collect();
    vae.compute_gradients_of_leaves(&mut leaves, NOISE, 0.7);
    let loss = leaves.iter().map(|ws| ws.loss(vae.backend(), 0.7).sum()).sum();
    (vae.gradients(), vae.state_dict(), loss)
}

fn assert_near(label: &str, found: &StateDict<f64>, want: &StateDict<f64>) {
    let norm = |state: &StateDict<f64>| -> f64 {
        state.values().flat_map(|t| &t.data).map(|v| v * v).sum::<f64>().sqrt()
    };
    let all = norm(want);
    assert!(all > 0.0);
    for (name, want) in want {
        let pairs = found[name].data.iter().zip(&want.data);
        let distance = pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        assert!(distance <= 1e-11 * all, "{label}, {name}: {distance:e} of {all:e}");
    }
}

#[test]
fn leaves_together_are_the_minibatch() {
    let configs = [
        ("default", config()),
        (
            "layers",
            VaeConfig {
                n_layers: 2,
                use_layer_norm: NormPlacement::Both,
                encode_covariates: true,
                gene_likelihood: GeneLikelihood::Nb,
                dispersion: Dispersion::GeneBatch,
                ..config()
            },
        ),
        (
            "library",
            VaeConfig {
                use_observed_lib_size: false,
                library_log_means: Some(vec![3.0, 4.0]),
                library_log_vars: Some(vec![0.5, 1.5]),
                ..config()
            },
        ),
        (
            "embedding",
            VaeConfig {
                batch_representation: BatchRepresentation::Embedding,
                encode_covariates: true,
                dispersion: Dispersion::GeneCell,
                ..config()
            },
        ),
        ("no norm", VaeConfig { use_batch_norm: NormPlacement::None, ..config() }),
        (
            "linear",
            VaeConfig { linear_decoder: true, use_batch_norm: NormPlacement::Encoder, ..config() },
        ),
    ];
    for (label, config) in &configs {
        let (gradients, state, loss) = step(config, 46, 46);
        // 2, 3 and 5 leaves; the last of 3 cells.
        for leaf in [23, 17, 10] {
            let (of_leaves, after, sum) = step(config, 46, leaf);
            assert_near(&format!("{label}, {leaf}"), &of_leaves, &gradients);
            assert_near(&format!("{label}, {leaf}, state"), &after, &state);
            assert!((sum - loss).abs() < 1e-11 * loss.abs(), "{label}, {leaf}: {sum}, not {loss}");
        }
    }
}

fn trained(threads: usize, plan: &TrainPlan) -> Trained {
    let sim = simulated(1_200);
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let spec = config().validate().unwrap();
    pool.install(|| train(spec, &data, plan, &mut |_| ControlFlow::Continue(())).unwrap())
}

#[test]
fn a_run_in_leaves_gives_the_same_bits_for_any_number_of_threads() {
    let plan = TrainPlan {
        max_epochs: Some(4),
        batch_size: 1_000,
        check_val_every_n_epoch: Some(1),
        ..TrainPlan::default()
    };
    let one = trained(1, &plan);
    for threads in [2, 4] {
        let other = trained(threads, &plan);
        assert!(other.module.state_dict() == one.module.state_dict(), "{threads} threads");
        assert_eq!(other.history, one.history, "{threads} threads");
    }
    // Steps are taken: with clipping that does nothing the same ones.
    let clipped = TrainPlan { gradient_clip_val: Some(1e9), ..plan };
    assert!(trained(2, &clipped).module.state_dict() == one.module.state_dict());
}
