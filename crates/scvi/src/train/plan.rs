//! How to train: scvi-tools' `train` arguments and `TrainingPlan`.

use scvi_kernels::ops::adam::AdamRule;
use serde::{Deserialize, Serialize};

use super::metric::Metric;
use super::steps::Steps;
use super::{BatchLimit, EarlyStopping, GradientClipAlgorithm, Optimizer, ReduceLrOnPlateau};
use crate::data::{Shuffling, Split, SplitError};
use crate::module::GradientClip;

/// Options of a training run.
///
/// | Name | Default | Purpose |
/// |---|---|---|
/// | `max_epochs` | [`default_max_epochs`] | passes over the training cells |
/// | `min_epochs` | none | epochs before which early stopping does not end the run |
/// | `max_steps` | none | optimizer steps after which the run ends, within an epoch too |
/// | `limit_train_batches` | all | minibatches of an epoch to train on |
/// | `limit_val_batches` | all | minibatches to validate on |
/// | `batch_size` | 128 | cells of a minibatch |
/// | `train_size` | 0.9 | share of cells to train on |
/// | `validation_size` | the rest | share of cells to validate on |
/// | `shuffle_set_split` | yes | whether chance says which cells these are, or their order |
/// | `external_indexing` | none | which cells these are, instead of both shares |
/// | `shuffling` | all cells | how far apart cells may stand that come into one minibatch |
/// | `drop_last` | no | whether an epoch leaves out the cells that fill no minibatch |
/// | `optimizer` | Adam | Adam with an L2 term, or AdamW |
/// | `adam` | lr 1e-3, eps 0.01, weight decay 1e-6 | its constants |
/// | `gradient_clip_val` | none | what gradients are clipped to before the optimizer's step |
/// | `gradient_clip_algorithm` | norm | whether their common norm is bounded, or each number |
/// | `reduce_lr_on_plateau` | none | when the learning rate is reduced |
/// | `learning_rate_monitor` | with `reduce_lr_on_plateau` | whether the history has learning rates |
/// | `update_only_decoder` | no | minified data: train on the stored posteriors, without encoder |
/// | `n_epochs_kl_warmup` | 400 | epochs over which the KL's weight rises; beats steps unless 0 |
/// | `n_steps_kl_warmup` | none | the same in steps |
/// | `min_kl_weight`, `max_kl_weight` | 0, 1 | where the weight starts and ends |
/// | `classification_ratio` | 50 | weight of the classification loss, of modules that classify |
/// | `n_samples_per_label` | all | labelled cells of each label that an epoch trains the classifier on |
/// | `early_stopping` | none | when to stop before `max_epochs` |
/// | `check_val_every_n_epoch` | 1 where a learning rate or early stopping is looked at, else never | how often to validate |
/// | `seed` | 0 | of weights, split, order and noise |
///
/// Source: scvi-tools 1.4.2, `train/_trainingplans.py`, `train/_trainer.py`,
/// `dataloaders/_data_splitting.py`, `model/base/_training_mixin.py`; Lightning 2.6, `Trainer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainPlan {
    /// Passes over the training cells.
    pub max_epochs: Option<usize>,
    /// Epochs before which early stopping does not end the run.
    #[serde(default)]
    pub min_epochs: Option<usize>,
    /// Optimizer steps after which the run ends. An epoch that it ends early does not validate.
    #[serde(default)]
    pub max_steps: Option<u64>,
    /// Minibatches of an epoch to train on, others in each epoch.
    #[serde(default)]
    pub limit_train_batches: Option<BatchLimit>,
    /// Minibatches to validate on, the same in each epoch.
    #[serde(default)]
    pub limit_val_batches: Option<BatchLimit>,
    /// Cells of a minibatch.
    pub batch_size: usize,
    /// Share of cells to train on.
    pub train_size: f64,
    /// Share of cells to validate on.
    pub validation_size: Option<f64>,
    /// Whether validation, training and test cells are drawn; else they are the first cells, the
    /// next and the last.
    pub shuffle_set_split: bool,
    /// Training, validation and test cells, in place of the shares.
    pub external_indexing: Option<Split>,
    /// The order of cells within an epoch.
    pub shuffling: Shuffling,
    /// Whether an epoch leaves out the cells of its order that fill no minibatch.
    pub drop_last: bool,
    /// The optimiser.
    pub optimizer: Optimizer,
    /// Its constants.
    #[serde(with = "AdamFields")]
    pub adam: AdamRule,
    /// What gradients are clipped to before the optimizer's step; none, or 0, for no clipping.
    #[serde(default)]
    pub gradient_clip_val: Option<f64>,
    /// Whether their common norm is bounded, or each number.
    #[serde(default)]
    pub gradient_clip_algorithm: GradientClipAlgorithm,
    /// When the learning rate is reduced.
    pub reduce_lr_on_plateau: Option<ReduceLrOnPlateau>,
    /// Whether the history has the learning rate of each epoch; it has with `reduce_lr_on_plateau`.
    pub learning_rate_monitor: bool,
    /// Whether a model of minified data is trained on the stored posteriors, which leaves its
    /// encoder as it is; other models know no such posteriors, and it has no effect there.
    pub update_only_decoder: bool,
    /// Epochs over which the KL's weight rises.
    pub n_epochs_kl_warmup: Option<usize>,
    /// Steps over which the KL's weight rises, where `n_epochs_kl_warmup` is none or 0.
    pub n_steps_kl_warmup: Option<usize>,
    /// The KL's weight at the start.
    pub min_kl_weight: f64,
    /// The KL's weight after warm-up.
    pub max_kl_weight: f64,
    /// Weight of the classification loss; other modules have none.
    #[serde(default = "default_classification_ratio")]
    pub classification_ratio: f64,
    /// Labelled cells of each label that an epoch trains the classifier on, drawn anew each epoch;
    /// all of a label that has no more.
    #[serde(default)]
    pub n_samples_per_label: Option<usize>,
    /// When to stop before `max_epochs`.
    pub early_stopping: Option<EarlyStopping>,
    /// How often to validate.
    pub check_val_every_n_epoch: Option<usize>,
    /// Of weights, split, order and noise.
    pub seed: u64,
}

/// The fields of [`AdamRule`], which is made where nothing is read or written.
#[derive(Serialize, Deserialize)]
#[serde(remote = "AdamRule", deny_unknown_fields)]
struct AdamFields {
    lr: f64,
    beta1: f64,
    beta2: f64,
    eps: f64,
    weight_decay: f64,
}

impl Default for TrainPlan {
    fn default() -> Self {
        Self {
            max_epochs: None,
            min_epochs: None,
            max_steps: None,
            limit_train_batches: None,
            limit_val_batches: None,
            batch_size: 128,
            train_size: 0.9,
            validation_size: None,
            shuffle_set_split: true,
            external_indexing: None,
            shuffling: Shuffling::default(),
            drop_last: false,
            optimizer: Optimizer::default(),
            adam: AdamRule::default(),
            gradient_clip_val: None,
            gradient_clip_algorithm: GradientClipAlgorithm::default(),
            reduce_lr_on_plateau: None,
            learning_rate_monitor: false,
            update_only_decoder: false,
            n_epochs_kl_warmup: Some(400),
            n_steps_kl_warmup: None,
            min_kl_weight: 0.0,
            max_kl_weight: 1.0,
            classification_ratio: default_classification_ratio(),
            n_samples_per_label: None,
            early_stopping: None,
            check_val_every_n_epoch: None,
            seed: 0,
        }
    }
}

fn default_classification_ratio() -> f64 {
    50.0
}

/// Epochs for a data set of `n_cells`: round(20,000 / n_cells · 400), between 1 and 400.
///
/// Source: scvi-tools 1.4.2, `model/_utils.py`, `get_max_epochs_heuristic`.
pub fn default_max_epochs(n_cells: usize) -> usize {
    // Python rounds a half to the even neighbour.
    let epochs = (20_000.0 / n_cells as f64 * 400.0).round_ties_even();
    epochs.clamp(1.0, 400.0) as usize
}

/// Epochs for a SCANVI that begins with the weights of a trained SCVI, on `n_cells`: a third of
/// [`default_max_epochs`], between 2 and 10.
///
/// Source: scvi-tools 1.4.2, `model/base/_training_mixin.py`, `SemisupervisedTrainingMixin.train`.
pub fn default_max_epochs_pretrained(n_cells: usize) -> usize {
    let third = (default_max_epochs(n_cells) as f64 / 3.0).round_ties_even();
    (third as usize).clamp(2, 10)
}

impl TrainPlan {
    /// The KL's weight in an epoch (from 0) and at a step (from 0).
    ///
    /// It rises in a line from `min_kl_weight` to `max_kl_weight` over the warm-up, and stays.
    pub fn kl_weight(&self, epoch: usize, step: u64) -> f64 {
        let slope = self.max_kl_weight - self.min_kl_weight;
        let rise = |at: f64, over: usize| {
            if over > 0 && at < over as f64 {
                at / over as f64 * slope + self.min_kl_weight
            } else {
                self.max_kl_weight
            }
        };
        let epochs = self.n_epochs_kl_warmup.filter(|&epochs| epochs > 0);
        match (epochs, self.n_steps_kl_warmup) {
            (Some(epochs), _) => rise(epoch as f64, epochs),
            (None, Some(steps)) => rise(step as f64, steps),
            (None, None) => self.max_kl_weight,
        }
    }

    /// Epochs to run on a data set of `n_cells`, with the one that `max_steps` ends early.
    pub fn epochs(&self, n_cells: usize) -> usize {
        let most = self.max_epochs.unwrap_or_else(|| default_max_epochs(n_cells));
        if self.max_steps.is_none() {
            return most;
        }
        match self.steps_per_epoch(n_cells) {
            0 => most,
            per_epoch => Steps { per_epoch, max_steps: self.max_steps }.epochs(most),
        }
    }

    /// Optimizer steps of an epoch on a data set of `n_cells`; 0 where the plan does not split it,
    /// and is refused when the run begins.
    pub fn steps_per_epoch(&self, n_cells: usize) -> usize {
        self.split(n_cells).map_or(0, |split| self.train_ranges(split.train.len()).len())
    }

    /// Cells that an epoch, counted from 0, trains on.
    pub fn cells_of_epoch(&self, split: &Split, epoch: usize) -> usize {
        let ranges = self.train_ranges(split.train.len());
        let steps = Steps { per_epoch: ranges.len(), max_steps: self.max_steps };
        ranges[..steps.of(epoch)].last().map_or(0, |range| range.end)
    }

    /// The split of a data set of `n_cells`.
    ///
    /// # Errors
    /// [`SplitError`] where shares or given cells make none.
    pub fn split(&self, n_cells: usize) -> Result<Split, SplitError> {
        let (train, validation) = (self.train_size, self.validation_size);
        match &self.external_indexing {
            Some(given) => given.check(n_cells).map(|()| given.clone()),
            None if self.shuffle_set_split => Split::new(n_cells, train, validation, self.seed),
            None => Split::in_order(n_cells, train, validation),
        }
    }

    /// How gradients are clipped.
    pub(super) fn gradient_clip(&self) -> Option<GradientClip> {
        let bound = self.gradient_clip_val.filter(|&bound| bound > 0.0);
        bound.map(|bound| self.gradient_clip_algorithm.at(bound))
    }

    /// Whether the history has the learning rate of each epoch.
    pub(super) fn monitors_lr(&self) -> bool {
        self.learning_rate_monitor || self.reduce_lr_on_plateau.is_some()
    }

    /// Whether an epoch ends with a look at the validation cells.
    pub(super) fn validates(&self, epoch: usize) -> bool {
        let is_asked = self.check_val_every_n_epoch.is_some();
        (is_asked || self.early_stopping.is_some() || self.monitors_lr()) && self.looks(epoch)
    }

    /// Whether early stopping, if there is any, looks at an epoch.
    pub(super) fn looks(&self, epoch: usize) -> bool {
        (epoch + 1).is_multiple_of(self.check_val_every_n_epoch.unwrap_or(1))
    }

    /// What goes by a quantity of an epoch, and by which.
    pub(super) fn metrics(&self) -> impl Iterator<Item = (&'static str, Metric)> {
        let stopping = self.early_stopping.map(|rule| ("early_stopping", rule.monitor));
        let plateau = self.reduce_lr_on_plateau.map(|rule| ("reduce_lr_on_plateau", rule.metric));
        stopping.into_iter().chain(plateau)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_follow_the_heuristic() {
        let of = |n| default_max_epochs(n);
        assert_eq!((of(2), of(2700), of(20_000), of(20_001)), (400, 400, 400, 400));
        assert_eq!((of(100_000), of(1_000_000), of(100_000_000)), (80, 8, 1));
        let of = |n| default_max_epochs_pretrained(n);
        assert_eq!((of(2700), of(500_000), of(1_000_000), of(100_000_000)), (10, 5, 3, 2));
    }

    #[test]
    fn the_kl_weight_rises_in_a_line_and_stays() {
        let plan = TrainPlan::default();
        assert_eq!((plan.kl_weight(0, 9), plan.kl_weight(100, 9)), (0.0, 0.25));
        assert_eq!((plan.kl_weight(400, 9), plan.kl_weight(1000, 9)), (1.0, 1.0));
        let plan = TrainPlan {
            n_epochs_kl_warmup: None,
            n_steps_kl_warmup: Some(10),
            min_kl_weight: 0.5,
            ..plan
        };
        assert_eq!((plan.kl_weight(7, 5), plan.kl_weight(0, 10)), (0.75, 1.0));
        // 0 epochs are as good as none: steps count, and without them there is no warm-up.
        let plan = TrainPlan { n_epochs_kl_warmup: Some(0), ..plan };
        assert_eq!((plan.kl_weight(7, 5), plan.kl_weight(0, 10)), (0.75, 1.0));
        let plan = TrainPlan { n_steps_kl_warmup: Some(0), ..plan };
        assert_eq!(plan.kl_weight(0, 0), 1.0);
    }

    #[test]
    fn who_looks_at_validation_cells() {
        let epochs = |plan: TrainPlan| (0..6).filter(|&e| plan.validates(e)).collect::<Vec<_>>();
        let plan = TrainPlan::default;
        let all = [0, 1, 2, 3, 4, 5];
        assert!(epochs(plan()).is_empty());
        assert_eq!(epochs(TrainPlan { learning_rate_monitor: true, ..plan() }), all);
        let reduce_lr_on_plateau = Some(ReduceLrOnPlateau::default());
        assert_eq!(epochs(TrainPlan { reduce_lr_on_plateau, ..plan() }), all);
        let early_stopping = Some(EarlyStopping::default());
        assert_eq!(epochs(TrainPlan { early_stopping, ..plan() }), all);
        let check_val_every_n_epoch = Some(3);
        assert_eq!(epochs(TrainPlan { check_val_every_n_epoch, early_stopping, ..plan() }), [2, 5]);
    }
}
