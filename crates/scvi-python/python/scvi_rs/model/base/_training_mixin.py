"""Training."""

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


class UnsupervisedTrainingMixin:
    """Training without labels."""

    def train(
        self,
        max_epochs: int | None = None,
        accelerator: str = "auto",
        devices: int | list[int] | str = "auto",
        train_size: float | None = None,
        validation_size: float | None = None,
        shuffle_set_split: bool = True,
        load_sparse_tensor: bool = False,
        batch_size: int | None = 128,
        early_stopping: bool = False,
        datasplitter_kwargs: dict[str, Any] | None = None,
        plan_config: Any = None,
        plan_kwargs: dict[str, Any] | None = None,
        datamodule: Any = None,
        trainer_config: Any = None,
        *,
        checkpoint_path: str | os.PathLike[str] | None = None,
        checkpoint_every_minutes: float | None = None,
        checkpoint_every_n_epoch: int | None = None,
        resume: bool = False,
        **trainer_kwargs: Any,
    ) -> None:
        """Trains the model; a second call goes on from there.

        Ctrl-C ends training at the end of a step: the model keeps what it has learned, then
        ``KeyboardInterrupt`` is raised.

        Parameters
        ----------
        max_epochs
            Passes over the training cells; 400 for up to 20,000 cells, fewer for more. -1 for no
            limit, with ``max_steps``.
        accelerator, devices
            The processor: ``"auto"`` or ``"cpu"``.
        train_size
            Share of cells to train on, 0.9 if ``None``.
        validation_size
            Share of cells to validate on; the rest if ``None``.
        shuffle_set_split
            Whether chance says which cells these are, or their order.
        load_sparse_tensor
            Accepted: counts are always read sparse.
        batch_size
            Cells of a minibatch.
        early_stopping
            Whether training ends when ``early_stopping_monitor`` no longer improves.
        datasplitter_kwargs
            ``external_indexing`` (training, validation and test cells by number), ``drop_last``.
        plan_config, plan_kwargs
            ``lr``, ``weight_decay``, ``eps``, ``optimizer``, ``n_epochs_kl_warmup``,
            ``n_steps_kl_warmup``, ``min_kl_weight``, ``max_kl_weight``, ``reduce_lr_on_plateau``,
            ``lr_factor``, ``lr_patience``, ``lr_threshold``, ``lr_scheduler_metric``, ``lr_min``,
            ``update_only_decoder``, ``on_step``, ``on_epoch``.
        datamodule
            A :class:`~scvi_rs.dataloaders.DataSplitter`, for a model that was made without data.
        trainer_config, **trainer_kwargs
            Arguments of scvi-tools' and Lightning's ``Trainer``. How long training is, and on how
            much: ``max_steps``, ``min_epochs``, ``limit_train_batches``, ``limit_val_batches``,
            ``check_val_every_n_epoch``, ``fast_dev_run``, ``early_stopping_monitor``,
            ``early_stopping_mode``, ``early_stopping_patience``, ``early_stopping_min_delta``,
            ``early_stopping_warmup_epochs``. How: ``gradient_clip_val``,
            ``gradient_clip_algorithm``, ``detect_anomaly`` (looks at every number after every step).
            What is told: ``enable_progress_bar``, ``simple_progress_bar``,
            ``progress_bar_refresh_rate``, ``learning_rate_monitor``, ``log_save_dir``, ``logger``
            (any object with ``log_metrics(metrics, step)`` and ``log_hyperparams(params)``, or
            several) with ``log_every_n_steps``, ``default_root_dir`` and
            ``enable_autolog_hparams``, ``callbacks`` (see :class:`scvi_rs.train.Callback`). What is
            saved: ``enable_checkpointing`` and ``checkpointing_monitor`` (see
            :class:`scvi_rs.train.SaveCheckpoint`). Others that change no result are accepted;
            those that would change one are refused by name.
        checkpoint_path
            File that the run is kept in until ``train`` returns, in the format of the command
            ``scvi train``: written every ``checkpoint_every_minutes``, every
            ``checkpoint_every_n_epoch``, and when training is interrupted.
        checkpoint_every_minutes
            Minutes between two checkpoints, 5 if ``None``; 0 for no such checkpoints.
        checkpoint_every_n_epoch
            Epochs between two checkpoints.
        resume
            Go on with the run in ``checkpoint_path``, as if it had not been interrupted: with the
            same data and arguments the result is bit-identical. Without such a file, begin.

        Raises
        ------
        TypeError
            Naming an argument that is unknown.
        ValueError
            Naming an argument that is not supported, with the list of those that are.
        DivergedError
            If a number leaves the finite ones; the model stays as it was.
        LoggerError
            If a logger fails; the model keeps what it has learned until then.
        FileError
            If the checkpoint is of another run, or is there and ``resume`` is not set.
        """
        trainer = {**as_kwargs(trainer_config, "trainer_config"), **trainer_kwargs}
        configured = trainer.pop("max_epochs", None)
        max_epochs = configured if max_epochs is None else max_epochs
        check_processor(accelerator, devices)
        check_processor(trainer.pop("accelerator", "auto"), trainer.pop("devices", "auto"))
        self._refuse_minified(None, "VAE.loss")
        datasplitter_kwargs = dict(datasplitter_kwargs or {})
        if datamodule is not None:
            max_epochs = self._take_datamodule(datamodule, max_epochs, datasplitter_kwargs)
        manager = self._adata_manager if datamodule is None else datamodule.adata_manager
        if manager is None:
            raise AttributeError("the model has no data: pass `datamodule`")
        warn_of_repeated_names(manager.adata)
        plan, on_step = training_plan(
            n_cells=manager.adata.n_obs,
            max_epochs=max_epochs,
            train_size=train_size,
            validation_size=validation_size,
            shuffle_set_split=shuffle_set_split,
            batch_size=batch_size,
            datasplitter_kwargs=datasplitter_kwargs,
            plan_kwargs={
                **as_kwargs(plan_config, "plan_config"),
                **as_kwargs(plan_kwargs, "plan_kwargs"),
            },
        )
        trainer["early_stopping"] = early_stopping or trainer.get("early_stopping", False)
        options = trainer_options(plan, trainer)
        checkpoint = checkpoint_options(
            checkpoint_path, checkpoint_every_minutes, checkpoint_every_n_epoch, resume
        )
        if options.is_trial:
            checkpoint = None
        # The first training of a model takes the seed itself, as the command does.
        again = self.is_trained_ or settings.seed is None
        plan["seed"] = settings.next_seed() if again else settings.seed
        if checkpoint is not None:
            checkpoint["takes_seed"] = again
        self._train(manager, plan, on_step, options, checkpoint)

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
