"""Training."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from scvi_rs import _core
from scvi_rs._settings import settings
from scvi_rs.dataloaders import DataSplitter

from ._history import history_frames, with_steps
from ._progress import ProgressBar
from ._saved import check_processor
from ._training_options import Asked, training_plan

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
        plan_config: dict[str, Any] | None = None,
        plan_kwargs: dict[str, Any] | None = None,
        datamodule: Any = None,
        trainer_config: dict[str, Any] | None = None,
        **trainer_kwargs: Any,
    ) -> None:
        """Trains the model; a second call goes on from there.

        Ctrl-C ends training at the end of a step: the model keeps what it has learnt, then
        ``KeyboardInterrupt`` is raised.

        Parameters
        ----------
        max_epochs
            Passes over the training cells; 400 for up to 20,000 cells, fewer for more.
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
            ``check_val_every_n_epoch``, ``early_stopping_monitor``, ``early_stopping_mode``,
            ``early_stopping_patience``, ``early_stopping_min_delta``,
            ``early_stopping_warmup_epochs``, ``learning_rate_monitor``, ``log_every_n_steps``,
            ``enable_progress_bar``; options of Lightning's that change no number are accepted.

        Raises
        ------
        TypeError
            Naming an argument that is unknown.
        DivergedError
            If a number leaves the finite ones; the model stays as it was.
        """
        check_processor(accelerator, devices)
        self._refuse_minified(None, "VAE.loss")
        datasplitter_kwargs = dict(datasplitter_kwargs or {})
        if datamodule is not None:
            max_epochs = self._take_datamodule(datamodule, max_epochs, datasplitter_kwargs)
        manager = self._adata_manager if datamodule is None else datamodule.adata_manager
        if manager is None:
            raise AttributeError("the model has no data: pass `datamodule`")
        plan, asked = training_plan(
            n_cells=manager.adata.n_obs,
            max_epochs=max_epochs,
            train_size=train_size,
            validation_size=validation_size,
            shuffle_set_split=shuffle_set_split,
            batch_size=batch_size,
            early_stopping=early_stopping,
            datasplitter_kwargs=datasplitter_kwargs,
            plan_kwargs={**(plan_config or {}), **(plan_kwargs or {})},
            trainer_kwargs={**(trainer_config or {}), **trainer_kwargs},
        )
        # The first training of a model takes the seed itself, as the command does.
        again = self.is_trained_ or settings.seed is None
        plan["seed"] = settings.next_seed() if again else settings.seed
        self._train(manager, plan, asked)

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

    def _train(self, manager: Any, plan: dict[str, Any], asked: Asked) -> None:
        engine = self._engine()
        data = self._engine_data_of(manager, for_training=True)
        epochs = plan["max_epochs"] or _core.max_epochs_heuristic(data.n_cells)
        _warn_of_short_warmup(plan, epochs)
        before = len(engine.history.get("epoch", ()))
        steps: list[dict[str, Any]] = []
        with ProgressBar("Training", "it", shown=asked.progress_bar) as bar:
            bar(0, epochs, f"Epoch 1/{epochs}")

            def progress(record: dict[str, Any]) -> None:
                done = record["epoch"] + 1
                losses = {"train_loss": record["train"]["loss"]}
                if record["validation"] is not None:
                    losses["elbo_validation"] = record["validation"]["elbo"]
                bar(done, epochs, f"Epoch {min(done + 1, epochs)}/{epochs}", **losses)

            try:
                engine.train(data, plan, progress, steps.append if asked.on_step else None)
            finally:
                # A run that was interrupted has kept what it learnt.
                if engine.is_trained and len(engine.history["epoch"]) >= before:
                    self._after_training(asked, steps)

    def _after_training(self, asked: Asked, steps: list[dict[str, Any]]) -> None:
        engine = self._engine()
        self.is_trained_ = True
        indices = (np.asarray(part, dtype=np.int64) for part in engine.split)
        self.train_indices_, self.validation_indices_, self.test_indices_ = indices
        history = history_frames(engine.history)
        if asked.on_step:
            history = with_steps(history, steps)
        self.history_ = history


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
