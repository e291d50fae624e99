"""What training with and without labels shares."""

from __future__ import annotations

import logging
import os
from typing import Any

import numpy as np

from scvi_rs import _core
from scvi_rs._settings import settings
from scvi_rs.data._names import warn_of_repeated_names
from scvi_rs.dataloaders import DataSplitter
from scvi_rs.exceptions import DivergedError
from scvi_rs.train._arguments import as_kwargs
from scvi_rs.train._checkpoint import checkpoint_options
from scvi_rs.train._hyperparameters import hyperparameters
from scvi_rs.train._listener import TrainingListener
from scvi_rs.train._log_file import write_history
from scvi_rs.train._options import TrainerOptions, trainer_options

from ._history import history_frames, with_steps
from ._progress import ProgressBar
from ._saved import check_processor
from ._training_options import training_plan

logger = logging.getLogger(__name__)


class TrainingMixin:
    """A training from its arguments to its records."""

    def _run_training(
        self,
        *,
        max_epochs: int | None,
        processor: tuple[Any, Any],
        split: dict[str, Any],
        datasplitter_kwargs: dict[str, Any] | None,
        plan: tuple[Any, Any],
        datamodule: Any,
        trainer: dict[str, Any],
        early_stopping: bool,
        checkpoint: tuple[Any, Any, Any, bool],
        labels: dict[str, Any] | None = None,
    ) -> None:
        """Trains by the arguments of a ``train``.

        Parameters
        ----------
        processor
            ``accelerator`` and ``devices``.
        split
            ``train_size``, ``validation_size``, ``shuffle_set_split`` and ``batch_size``.
        plan
            ``plan_config`` and ``plan_kwargs``.
        trainer
            Arguments of the ``Trainer``.
        checkpoint
            ``checkpoint_path``, ``checkpoint_every_minutes``, ``checkpoint_every_n_epoch``, ``resume``.
        labels
            Options of the engine's plan that only models with labels have; ``None`` of others.
        """
        configured = trainer.pop("max_epochs", None)
        max_epochs = configured if max_epochs is None else max_epochs
        check_processor(*processor)
        check_processor(trainer.pop("accelerator", "auto"), trainer.pop("devices", "auto"))
        self._refuse_minified(None, "VAE.loss")
        datasplitter_kwargs = dict(datasplitter_kwargs or {})
        if datamodule is not None:
            max_epochs = self._take_datamodule(datamodule, max_epochs, datasplitter_kwargs)
        manager = self._adata_manager if datamodule is None else datamodule.adata_manager
        if manager is None:
            raise AttributeError("the model has no data: pass `datamodule`")
        warn_of_repeated_names(manager.adata)
        plan_config, plan_kwargs = plan
        engine_plan, on_step = training_plan(
            n_cells=manager.adata.n_obs,
            max_epochs=max_epochs,
            **split,
            datasplitter_kwargs=datasplitter_kwargs,
            plan_kwargs={
                **as_kwargs(plan_config, "plan_config"),
                **as_kwargs(plan_kwargs, "plan_kwargs"),
            },
            classifies=labels is not None,
        )
        engine_plan |= labels or {}
        trainer["early_stopping"] = early_stopping or trainer.get("early_stopping", False)
        options = trainer_options(engine_plan, trainer)
        kept = checkpoint_options(*checkpoint)
        if options.is_trial:
            kept = None
        # The first training of a model takes the seed itself, as the command does.
        again = self.is_trained_ or settings.seed is None
        engine_plan["seed"] = settings.next_seed() if again else settings.seed
        if kept is not None:
            kept["takes_seed"] = again
        self._train(manager, engine_plan, on_step, options, kept)

    def _take_datamodule(
        self, datamodule: Any, max_epochs: int | None, datasplitter_kwargs: dict[str, Any]
    ) -> int:
        """Makes the module for the data of a splitter, and the splitter's sets those of training."""
        if max_epochs is None:
            if not hasattr(datamodule, "n_obs"):
                raise ValueError(
                    "If `datamodule` does not have `n_obs` attribute, `max_epochs` must be passed in."
                )
            max_epochs = _core.max_epochs_heuristic(datamodule.n_obs)
        if not isinstance(datamodule, DataSplitter):
            raise TypeError(
                f"datamodule is {type(datamodule).__name__}; expected scvi_rs.dataloaders."
                "DataSplitter: the engine reads the data itself"
            )
        datamodule.setup()
        if self._core is None:
            self._set_registry(datamodule.adata_manager.registry)
            self._init_module(datamodule.adata_manager)
        sets = (datamodule.train_idx, datamodule.val_idx, datamodule.test_idx)
        datasplitter_kwargs.setdefault("external_indexing", [np.asarray(cells) for cells in sets])
        datasplitter_kwargs.setdefault("drop_last", datamodule.drop_last)
        return max_epochs

    def _train(
        self,
        manager: Any,
        plan: dict[str, Any],
        on_step: bool,
        options: TrainerOptions,
        checkpoint: dict[str, Any] | None,
    ) -> None:
        engine = self._engine()
        data = self._engine_data_of(manager, for_training=True)
        epochs, steps_per_epoch = _core.plan_length(plan, data.n_cells)
        _warn_of_short_warmup(plan, epochs)
        monitored = plan["learning_rate_monitor"] or "reduce_lr_on_plateau" in plan
        with ProgressBar("Training", "it", shown=options.progress_bar is not None) as bar:
            listener = TrainingListener(
                self,
                options,
                bar,
                epochs=epochs,
                steps_per_epoch=steps_per_epoch,
                on_step=on_step,
                lr_key=f"lr-{plan['optimizer']}" if monitored else None,
            )
            params = hyperparameters(engine.config, plan, data.n_cells)
            try:
                listener.start(params if options.logs_hyperparams else None)
                engine.train(
                    data,
                    plan,
                    listener=listener,
                    checkpoint=checkpoint,
                    watch_closely=options.watch_closely,
                )
            except BaseException as error:
                # A run that was interrupted has kept what it learned.
                if engine.is_trained and not isinstance(error, DivergedError):
                    self._after_training(listener, on_step)
                listener.fail()
                _tell_of_checkpoint(checkpoint)
                raise
        self._after_training(listener, on_step)
        if options.log_save_dir is not None:
            write_history(options.log_save_dir, self.history_)
        listener.finish()

    def _after_training(self, listener: TrainingListener, on_step: bool) -> None:
        self._take_records()
        if on_step and self.history_ is not None:
            self.history_ = with_steps(self.history_, listener.steps)

    def _take_records(self) -> None:
        """Takes over what the engine recorded of a training."""
        engine = self._engine()
        self.is_trained_ = True
        indices = (np.asarray(part, dtype=np.int64) for part in engine.split)
        self.train_indices_, self.validation_indices_, self.test_indices_ = indices
        self.history_ = history_frames(engine.history)

    def _trained_copy(self, core: _core.Model) -> Any:
        """A model on the same data that has another module."""
        copy = type(self).__new__(type(self))
        vars(copy).update(vars(self))
        managers = self._per_instance_manager_store.get(self.id, {})
        copy._new_id()
        copy._per_instance_manager_store[copy.id] = dict(managers)
        copy._set_core(core)
        copy._take_records()
        return copy


def _tell_of_checkpoint(checkpoint: dict[str, Any] | None) -> None:
    if checkpoint is not None and os.path.exists(checkpoint["path"]):
        logger.info(
            "The run is kept in %s; train() with the same arguments and resume=True goes on with it.",
            checkpoint["path"],
        )


def _warn_of_short_warmup(plan: dict[str, Any], epochs: int) -> None:
    defaults = _core.default_plan()
    warmup = plan.get("n_epochs_kl_warmup", defaults["n_epochs_kl_warmup"])
    if not warmup or epochs >= warmup:
        return
    least, most = (plan.get(k, defaults[k]) for k in ("min_kl_weight", "max_kl_weight"))
    last = least + (most - least) * (epochs - 1) / warmup
    logger.info(
        "The KL weight rises over %d epochs and training has %d: it ends at %.4f instead of %g. "
        "plan_kwargs={'n_epochs_kl_warmup': ...} fits it to the run.",
        warmup,
        epochs,
        last,
        most,
    )
