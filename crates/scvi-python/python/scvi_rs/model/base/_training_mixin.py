"""Training."""

from __future__ import annotations

import os
from typing import Any

from scvi_rs.train._arguments import as_kwargs

from ._training_run import TrainingMixin


class UnsupervisedTrainingMixin(TrainingMixin):
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
        self._run_training(
            max_epochs=max_epochs,
            processor=(accelerator, devices),
            split={
                "train_size": train_size,
                "validation_size": validation_size,
                "shuffle_set_split": shuffle_set_split,
                "batch_size": batch_size,
            },
            datasplitter_kwargs=datasplitter_kwargs,
            plan=(plan_config, plan_kwargs),
            datamodule=datamodule,
            trainer={**as_kwargs(trainer_config, "trainer_config"), **trainer_kwargs},
            early_stopping=early_stopping,
            checkpoint=(
                checkpoint_path,
                checkpoint_every_minutes,
                checkpoint_every_n_epoch,
                resume,
            ),
        )
