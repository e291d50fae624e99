"""What is told while the engine trains: to the progress bar, to loggers and to callbacks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from scvi_rs import _core
from scvi_rs.exceptions import LoggerError

from ._callbacks import Training, call
from ._loggers import Logging
from ._metrics import epoch_metrics
from ._options import TrainerOptions

_NEVER = 2**63 - 1


class TrainingListener:
    """Hears of a run from the engine, in the thread that called ``train``.

    Parameters
    ----------
    model
        The model that is trained.
    options
        Who is told.
    bar
        Moves the progress bar.
    epochs, steps_per_epoch
        How long training is.
    on_step
        Whether losses of single minibatches are kept, in :attr:`steps`.
    lr_key
        Key of the learning rate, where it is on record.
    """

    def __init__(
        self,
        model: Any,
        options: TrainerOptions,
        bar: Callable[..., None],
        *,
        epochs: int,
        steps_per_epoch: int,
        on_step: bool,
        lr_key: str | None,
    ) -> None:
        self._training = Training(model, epochs)
        self._callbacks = options.callbacks
        self._bar, self._epochs, self._steps_per_epoch = bar, epochs, steps_per_epoch
        self._counts_minibatches = options.progress_bar == "minibatches"
        self._logging: Logging | None = None
        if options.loggers:
            every = options.log_every_n_steps
            self._logging = Logging(options.loggers, every, on_step, lr_key)
        self._on_step = on_step
        self.steps: list[dict[str, Any]] = []
        """Records of minibatches, with ``on_step``."""
        self.waits = bool(options.callbacks)
        """Whether the run waits at the end of an epoch."""
        tells_all = on_step or self._counts_minibatches
        self.every_n_steps = 1 if tells_all else options.log_every_n_steps or _NEVER
        """Which minibatches are told."""
        hears = tells_all or self._logging is not None
        self.on_minibatch = self._minibatch if hears else None
        """What is called with them."""

    def start(self, params: dict[str, Any] | None) -> None:
        """Begins.

        Parameters
        ----------
        params
            What loggers are told of the options, or ``None`` for nothing.
        """
        if self._logging is not None and params is not None:
            self._logging.start(params)
        call(self._callbacks, "on_train_start", self._training)
        if not self._counts_minibatches:
            self._bar(0, self._epochs, f"Epoch 1/{self._epochs}")

    def _minibatch(self, record: dict[str, Any]) -> None:
        if self._on_step:
            self.steps.append(record)
        if self._logging is not None:
            self._logging.minibatch(record)
        if self._counts_minibatches and not record["is_validation"]:
            steps = self._steps_per_epoch
            done = (record["step"] - 1) % steps + 1
            title = f"Epoch {record['epoch'] + 1}/{self._epochs}"
            self._bar(done, steps, title, train_loss=record["loss"])

    def on_epoch(self, record: dict[str, Any], run: _core.Run | None) -> None:
        """Hears of an epoch that has ended.

        Parameters
        ----------
        record
            The engine's record of it.
        run
            The run, if it waits.
        """
        done = record["epoch"] + 1
        metrics = epoch_metrics(record)
        if not self._counts_minibatches:
            names = ("train_loss", "elbo_validation")
            shown = {name: metrics[name] for name in names if name in metrics}
            title = f"Epoch {min(done + 1, self._epochs)}/{self._epochs}"
            self._bar(done, self._epochs, title, **shown)
        if self._logging is not None:
            self._logging.epoch(record)
        training = self._training
        training.epoch, training.step, training.metrics = done, record["step"], metrics
        training._run = run
        try:
            call(self._callbacks, "on_epoch_end", training, dict(metrics))
        finally:
            training._run = None

    def finish(self) -> None:
        """Ends a run that was not interrupted."""
        call(self._callbacks, "on_train_end", self._training)
        if self._logging is not None:
            self._logging.finish("success")

    def fail(self) -> None:
        """Ends a run that was interrupted or failed."""
        if self._logging is not None:
            # What ended the run is told, and not that a logger cannot hear of it.
            with contextlib.suppress(LoggerError):
                self._logging.finish("failed")
