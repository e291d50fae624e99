//! From the options of training to a plan, for every verb that trains.

use scvi::module::Choice;
use scvi::train::{
    EarlyStopping, GradientClipAlgorithm, Metric, Mode, Optimizer, ReduceLrOnPlateau, TrainError,
    TrainPlan,
};

use crate::args::{Common, PlanArgs};
use crate::error::CliError;
use crate::log::note;

/// What the options come to; `weight_decay` is the default.
pub(super) fn plan(
    args: &PlanArgs,
    common: &Common,
    n_cells: usize,
    weight_decay: f64,
) -> Result<TrainPlan, CliError> {
    let (stopping, reduction) = (early_stopping(args)?, reduce_lr_on_plateau(args)?);
    let mut plan = TrainPlan {
        max_epochs: args.max_epochs,
        min_epochs: args.min_epochs,
        max_steps: args.max_steps,
        limit_train_batches: args.limit_train_batches,
        limit_val_batches: args.limit_val_batches,
        batch_size: args.batch_size,
        train_size: args.train_size,
        validation_size: args.validation_size,
        shuffle_set_split: !args.no_shuffle_set_split,
        drop_last: args.drop_last,
        optimizer: Optimizer::from_name(&args.optimizer)?,
        gradient_clip_val: args.gradient_clip_val,
        gradient_clip_algorithm: GradientClipAlgorithm::from_name(&args.gradient_clip_algorithm)?,
        reduce_lr_on_plateau: args.reduce_lr_on_plateau.then_some(reduction),
        learning_rate_monitor: args.learning_rate_monitor,
        n_steps_kl_warmup: args.n_steps_kl_warmup,
        min_kl_weight: args.min_kl_weight,
        max_kl_weight: args.max_kl_weight,
        early_stopping: args.early_stopping.then_some(stopping),
        check_val_every_n_epoch: args.check_val_every_n_epoch,
        seed: common.seed,
        ..TrainPlan::default()
    };
    (plan.adam.lr, plan.adam.eps) = (args.lr, args.eps);
    plan.adam.weight_decay = args.weight_decay.unwrap_or(weight_decay);
    plan.n_epochs_kl_warmup = match (args.n_steps_kl_warmup, args.n_epochs_kl_warmup.as_str()) {
        (Some(_), _) => None,
        (None, "auto") => Some(plan.epochs(n_cells).div_ceil(2).min(400)),
        (None, number) => Some(number.parse().map_err(|_| CliError::Option {
            option: "n_epochs_kl_warmup",
            found: format!("{number:?}"),
            range: "a number of epochs, or auto",
        })?),
    };
    plan.validate().map_err(TrainError::from)?;
    Ok(plan)
}

fn early_stopping(args: &PlanArgs) -> Result<EarlyStopping, CliError> {
    Ok(EarlyStopping {
        monitor: Metric::from_name(&args.early_stopping_monitor)?,
        mode: Mode::from_name(&args.early_stopping_mode)?,
        patience: args.early_stopping_patience,
        min_delta: args.early_stopping_min_delta,
        warmup_epochs: args.early_stopping_warmup_epochs,
    })
}

fn reduce_lr_on_plateau(args: &PlanArgs) -> Result<ReduceLrOnPlateau, CliError> {
    Ok(ReduceLrOnPlateau {
        factor: args.lr_factor,
        patience: args.lr_patience,
        threshold: args.lr_threshold,
        metric: Metric::from_name_of("lr_scheduler_metric", &args.lr_scheduler_metric)?,
        min: args.lr_min,
    })
}

pub(super) fn warn_of_short_warmup(plan: &TrainPlan, epochs: usize, common: &Common) {
    let last = plan.kl_weight(epochs - 1, 0);
    // One epoch short of the full weight is what the defaults give on small data.
    if let Some(warmup) = plan.n_epochs_kl_warmup.filter(|&warmup| epochs < warmup) {
        note(
            common,
            &format!(
                "the KL weight rises over {warmup} epochs and training has {epochs}: it ends at \
                 {last:.4} instead of {}; --n-epochs-kl-warmup auto fits it to the run",
                plan.max_kl_weight
            ),
        );
    }
}
