//! A module that is no autoencoder and reads two minibatches a step trains through the same run:
//! loop, history, early stopping, checkpoints and guard.

use std::sync::{Arc, Mutex};

use scvi::Cpu;
use scvi::comm::Comm;
use scvi::data::simulate::{SimulateConfig, Simulated, simulate};
use scvi::data::{CsrMatrix, Dataset, Split};
use scvi::module::{Loss, LossPart, LossTerm, Minibatch};
use scvi::nn::{NotFinite, Slot, StateDict, StateError, Tensor};
use scvi::train::{
    Event, MinibatchSize, Sampler, Samplers, Step, Stop, TrainError, TrainPlan, Trainable, Trained,
    TrainingRun, validation_sampler,
};
use scvi_kernels::{AdamIo, Device, OptimizerOps};

type Buf = <Cpu<f32> as Device>::Buf;

/// Batch that the second sampler draws from.
const MARKED: u32 = 1;
/// Factor of the marked cells in the loss.
const RATIO: f64 = 50.0;

/// Two numbers: the mean of ln Σ_g x over all cells, and that over the marked cells.
///
/// ```text
/// loss = Σ over cells of (y - mean)² / 2 / n + RATIO · mean over marked cells of (y - marked)² / 2
/// ```
struct Means {
    backend: Cpu<f32>,
    slots: [Buf; 4], // value, gradient, moments: (2) each
    log: Arc<Mutex<Vec<[Vec<u32>; 2]>>>,
}

/// Two minibatches: y of each cell.
struct Inputs {
    cells: [Vec<u32>; 2],
    y: [Vec<f32>; 2],
    log: Arc<Mutex<Vec<[Vec<u32>; 2]>>>,
}

struct Workspace {
    inputs: Inputs,
    /// What each cell adds to the loss.
    losses: [Vec<f64>; 2],
}

/// So many of the cells, drawn anew each epoch without replacement.
struct SomeOf {
    cells: Vec<u32>,
    n: usize,
}

impl Sampler for SomeOf {
    fn len(&self) -> usize {
        self.n.min(self.cells.len())
    }

    fn sample(&self, epoch: u32, order: &mut Vec<u32>) {
        order.extend_from_slice(&self.cells);
        scvi_kernels::Philox::new(7).shuffle(scvi_kernels::Stream::Shuffle, epoch, order);
        order.truncate(self.len());
    }
}

impl Means {
    fn new() -> Self {
        let backend = Cpu::new();
        let slots = [(); 4].map(|()| backend.zeros(2));
        Self { backend, slots, log: Arc::default() }
    }

    fn values(&self) -> Vec<f32> {
        self.backend.download(&self.slots[0], 2)
    }

    fn evaluate(&self, ws: &mut Workspace) -> [f32; 2] {
        let values = self.values();
        let mut gradient = [0.0; 2];
        for (i, y) in ws.inputs.y.iter().enumerate() {
            let residuals = y.iter().map(|y| values[i] - y);
            ws.losses[i] = residuals.clone().map(|r| f64::from(r).powi(2) / 2.0).collect();
            gradient[i] = residuals.sum::<f32>() / y.len().max(1) as f32;
        }
        gradient[1] *= RATIO as f32;
        gradient
    }

    fn slot(slot: Slot) -> usize {
        match slot {
            Slot::Value => 0,
            Slot::Grad => 1,
            Slot::FirstMoment => 2,
            Slot::SecondMoment => 3,
        }
    }
}

impl Trainable for Means {
    type Backend = Cpu<f32>;
    type Config = ();
    type Workspace = Workspace;
    type Inputs = Inputs;

    fn backend(&self) -> &Cpu<f32> {
        &self.backend
    }

    fn config(&self) -> &() {
        &()
    }

    fn check(&self, _: &Dataset, _: &TrainPlan) -> Result<(), TrainError> {
        Ok(())
    }

    fn samplers(&self, data: &Dataset, plan: &TrainPlan, split: &Split) -> Samplers {
        let marked = |cells: &[u32]| -> Vec<u32> {
            let mut batch = Minibatch::default();
            data.fill(cells, &mut batch).unwrap();
            let of = cells.iter().zip(&batch.batch).filter(|(_, batch)| **batch == MARKED);
            of.map(|(&cell, _)| cell).collect()
        };
        let mut samplers = Samplers::of_split(split, plan);
        samplers.train.push(Box::new(SomeOf { cells: marked(&split.train), n: 20 }));
        let validation = validation_sampler(&marked(&split.validation), plan);
        samplers.validation.push(Box::new(validation));
        samplers
    }

    fn workspace(&self, sizes: &[MinibatchSize], comm: &Arc<dyn Comm>) -> Workspace {
        Workspace { inputs: self.inputs(sizes, comm), losses: Default::default() }
    }

    fn inputs(&self, sizes: &[MinibatchSize], _: &Arc<dyn Comm>) -> Inputs {
        assert_eq!(sizes.len(), 2);
        Inputs { cells: Default::default(), y: Default::default(), log: self.log.clone() }
    }

    fn load(_: &Cpu<f32>, minibatches: &[Minibatch], inputs: &mut Inputs, _: Option<&Step>) {
        for (i, batch) in minibatches.iter().enumerate() {
            let total = |cell| batch.rows.row(cell).1.iter().sum::<f32>().ln();
            inputs.y[i] = (0..batch.cells.len()).map(total).collect();
            inputs.cells[i].clone_from(&batch.cells);
        }
        inputs.log.lock().unwrap().push(inputs.cells.clone());
    }

    fn swap_inputs(workspace: &mut Workspace, inputs: &mut Inputs) {
        std::mem::swap(&mut workspace.inputs, inputs);
    }

    fn train_step(&mut self, ws: &mut Workspace, step: &Step) {
        let gradient = self.evaluate(ws);
        let [value, grad, m, v] = &mut self.slots;
        self.backend.upload(grad, &gradient);
        let io = AdamIo { value, grad, m, v, mask: None, step: step.optimizer.adam };
        self.backend.adam(io, 0..2);
    }

    fn evaluate(&self, ws: &mut Workspace, _: &Step) {
        self.evaluate(ws);
    }

    fn loss(&self, ws: &Workspace, _: &Step) -> Loss {
        let [all, marked] = ws.losses.each_ref().map(|losses| losses.iter().sum::<f64>());
        let [n, n_marked] = ws.losses.each_ref().map(|losses| losses.len() as f64);
        let term = |name, part, weight, sum| LossTerm { name, part, weight, sum };
        let of_marked = marked / n_marked.max(1.0);
        Loss {
            n_cells: ws.losses[0].len(),
            terms: vec![
                term("squares", LossPart::Reconstruction, 1.0, all),
                term("marked", LossPart::Other, RATIO, n * of_marked),
            ],
            metrics: vec![("marked_loss", of_marked), ("marked_cells", n_marked)],
        }
    }

    fn cell_losses(&self, ws: &Workspace) -> Vec<f64> {
        ws.losses.concat()
    }

    fn state(&self, slot: Slot) -> StateDict<f32> {
        let data = self.backend.download(&self.slots[Self::slot(slot)], 2);
        [("means".to_owned(), Tensor { shape: vec![2], data })].into()
    }

    fn load_state(&mut self, slot: Slot, state: StateDict<f32>) -> Result<(), StateError> {
        self.backend.upload(&mut self.slots[Self::slot(slot)], &state["means"].data);
        Ok(())
    }

    fn first_not_finite(&self, slots: &[Slot]) -> Option<NotFinite> {
        let slot = slots
            .iter()
            .find(|&&slot| !self.backend.is_finite(&self.slots[Self::slot(slot)], 2))?;
        let (name, index) = ("means".to_owned(), vec![0]);
        Some(NotFinite { name, slot: *slot, index, value: f64::NAN })
    }

    fn reset_optimizer(&mut self) {
        let zeros = self.backend.zeros(2);
        self.slots[1..].iter_mut().for_each(|slot| self.backend.copy(&zeros, slot, 2));
    }
}

fn simulated() -> Simulated {
    simulate(&SimulateConfig { n_cells: 100, n_genes: 30, density: 0.5, ..Default::default() })
}

fn plan() -> TrainPlan {
    let mut plan = TrainPlan {
        max_epochs: Some(60),
        batch_size: 16,
        train_size: 0.8,
        check_val_every_n_epoch: Some(1),
        ..TrainPlan::default()
    };
    (plan.adam.lr, plan.adam.eps, plan.adam.weight_decay) = (0.1, 1e-8, 0.0);
    plan
}

fn finish(mut run: TrainingRun<Means>) -> Trained<Means> {
    loop {
        if let Event::Done(stop) = run.advance().unwrap() {
            return run.finish(stop).unwrap();
        }
    }
}

/// The means of ln Σ_g x over cells, all and marked.
fn means(data: &Dataset, cells: &[u32]) -> [f64; 2] {
    let mut batch = Minibatch::default();
    data.fill(cells, &mut batch).unwrap();
    let y = |cell| f64::from(batch.rows.row(cell).1.iter().sum::<f32>()).ln();
    let mean = |cells: Vec<usize>| cells.iter().map(|&c| y(c)).sum::<f64>() / cells.len() as f64;
    let marked = (0..cells.len()).filter(|&cell| batch.batch[cell] == MARKED).collect();
    [mean((0..cells.len()).collect()), mean(marked)]
}

#[test]
fn both_minibatches_move_the_parameters_and_are_on_record() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let plan = plan();
    let trained = finish(TrainingRun::of_model(Means::new(), &data, &plan).unwrap());
    assert_eq!(trained.stop, Stop::MaxEpochs);
    let want = means(&data, &trained.split.train);
    for (found, want) in trained.module.values().into_iter().zip(want) {
        assert!((f64::from(found) - want).abs() < 0.1, "{found}, not {want}");
    }
    let columns = trained.history.columns();
    let names = ["train_marked_cells", "train_marked_loss"];
    assert_eq!(columns[12..14], names);
    assert_eq!(columns[14..], names.map(|name| name.replace("train", "validation")));
    // 80 cells in minibatches of 16, beside which 20 marked ones in one of 16 and one of 4 take
    // turns: 16, 4, 16, 4, 16.
    let row = trained.history.rows().next().unwrap();
    assert_eq!(row[12], Some(56.0 / 5.0));
    let epoch = &trained.history.epochs[3];
    assert_eq!((epoch.train.kl_local, epoch.train.elbo), (0.0, epoch.train.reconstruction_loss));
    let weighted = epoch.train.reconstruction_loss + RATIO * epoch.train.metrics["marked_loss"];
    assert!((epoch.train.loss - weighted).abs() < 1e-9);
}

#[test]
fn the_first_sampler_goes_once_and_the_second_is_cycled() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let plan = TrainPlan { max_epochs: Some(2), check_val_every_n_epoch: None, ..plan() };
    let trained = finish(TrainingRun::of_model(Means::new(), &data, &plan).unwrap());
    let log = trained.module.log.lock().unwrap();
    assert_eq!(log.len(), 10);
    let [first, second] = [&log[..5], &log[5..]];
    for epoch in [first, second] {
        let mut all: Vec<u32> = epoch.iter().flat_map(|[all, _]| all).copied().collect();
        all.sort_unstable();
        let mut train = trained.split.train.clone();
        train.sort_unstable();
        assert_eq!(all, train);
        assert_eq!((&epoch[0][1], &epoch[1][1]), (&epoch[2][1], &epoch[3][1]));
        assert_eq!(epoch[0][1], epoch[4][1]);
        assert_ne!(epoch[0][1], epoch[1][1]);
    }
    assert_ne!(first[0], second[0]);
}

#[test]
fn a_run_resumed_anywhere_gives_the_same_bits() {
    let sim = simulated();
    let data = Dataset::new(&sim.counts, sim.batch.clone()).unwrap();
    let fingerprint = data.fingerprint().unwrap();
    let plan = TrainPlan { max_epochs: Some(3), ..plan() };
    let whole = finish(TrainingRun::of_model(Means::new(), &data, &plan).unwrap());
    for steps in [1, 5, 6, 9] {
        let mut run = TrainingRun::of_model(Means::new(), &data, &plan).unwrap();
        (0..steps).for_each(|_| drop(run.advance().unwrap()));
        let checkpoint = run.checkpoint(&fingerprint).unwrap();
        let run = TrainingRun::resume_of_model(Means::new(), &data, &plan, checkpoint).unwrap();
        let resumed = finish(run);
        assert_eq!(resumed.module.values(), whole.module.values(), "{steps}");
        assert_eq!(resumed.history, whole.history, "{steps}");
    }
}

#[test]
fn the_guard_names_the_cell_of_either_minibatch() {
    let sim = simulated();
    let plan = plan();
    let split = plan.split(100).unwrap();
    let is_marked = |&&cell: &&u32| sim.batch[cell as usize] == MARKED;
    let cell = *split.train.iter().find(is_marked).unwrap() as usize;
    let mut values = sim.counts.values().to_vec();
    let first = sim.counts.indptr()[cell] as usize;
    values[first..first + 2].fill(f32::MAX);
    let (indptr, genes) = (sim.counts.indptr().to_vec(), sim.counts.indices().to_vec());
    let counts = CsrMatrix::new(30, indptr, genes, values).unwrap();
    let data = Dataset::new(&counts, sim.batch.clone()).unwrap();
    let mut run = TrainingRun::of_model(Means::new(), &data, &plan).unwrap();
    let error = loop {
        match run.advance() {
            Ok(Event::Done(_)) => panic!("nothing diverged"),
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    let TrainError::Diverged(found) = error else { panic!("{error}") };
    assert!(!found.loss_is_finite && found.cells.contains(&(cell as u32)), "{found:?}");
}
