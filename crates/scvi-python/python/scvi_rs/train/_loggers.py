"""Loggers of training: Lightning's, or any object with their methods."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from scvi_rs._settings import settings
from scvi_rs.exceptions import LoggerError

from ._metrics import epoch_metrics

_METHODS = ("log_metrics", "log_hyperparams")


def as_loggers(given: Any, default_root_dir: str | os.PathLike[str] | None) -> list[Any]:
    """A list of loggers.

    Parameters
    ----------
    given
        One, several, ``True`` for Lightning's own choice, ``None`` or ``False`` for none:
        ``model.history`` has everything in any case.
    default_root_dir
        Where Lightning's logger writes; ``settings.logging_dir`` if ``None``.

    Raises
    ------
    TypeError
        If an object is no logger.
    """
    if given is None or given is False:
        return []
    if given is True:
        return [_lightning_logger(os.fspath(default_root_dir or settings.logging_dir))]
    many = isinstance(given, Iterable) and not any(hasattr(given, name) for name in _METHODS)
    loggers = list(given) if many else [given]
    for logger in loggers:
        missing = [name for name in _METHODS if not callable(getattr(logger, name, None))]
        if isinstance(logger, type) or missing:
            raise TypeError(
                f"logger: {logger!r} is none; a logger is an object with log_metrics(metrics, step) "
                "and log_hyperparams(params), such as CSVLogger, TensorBoardLogger, MLFlowLogger "
                "and WandbLogger of lightning.pytorch.loggers"
            )
    return loggers


def _lightning_logger(folder: str) -> Any:
    try:
        from lightning.pytorch import loggers
    except ImportError:
        raise ModuleNotFoundError(
            "logger=True is Lightning's own logger: `pip install lightning`, or pass an object with "
            "log_metrics and log_hyperparams. model.history has everything without any."
        ) from None
    try:
        return loggers.TensorBoardLogger(folder)
    except ModuleNotFoundError:
        return loggers.CSVLogger(folder)


class Logging:
    """What loggers are told: the keys of scvi-tools, at the steps where Lightning logs them.

    Parameters
    ----------
    loggers
        The loggers.
    every_n_steps
        How often the weight of the KL divergence and the learning rate are logged; 0 for never.
    on_step
        Whether losses of single steps are logged, and names of those of epochs end in ``_epoch``.
    lr_key
        Key of the learning rate, where it is logged.
    """

    def __init__(
        self, loggers: list[Any], every_n_steps: int, on_step: bool, lr_key: str | None
    ) -> None:
        self._loggers = loggers
        self._every = every_n_steps
        self._on_step = on_step
        self._lr_key = lr_key
        self._epoch = -1
        self._validated = 0

    def start(self, params: dict[str, Any]) -> None:
        """Logs what the model and the training are.

        Parameters
        ----------
        params
            Options by their names.
        """
        for logger in self._loggers:
            _call(logger, "log_hyperparams", "before training began", params)

    def minibatch(self, record: dict[str, Any]) -> None:
        """Logs what is due after a minibatch.

        Parameters
        ----------
        record
            The engine's record.
        """
        if record["is_validation"]:
            if self._on_step:
                self._log({"validation_loss_step": record["loss"]}, self._validated)
                self._validated += 1
            return
        # Steps are counted from 0, as Lightning's loggers do.
        step, epoch = record["step"] - 1, record["epoch"]
        due = self._every > 0 and record["step"] % self._every == 0
        if self._lr_key is not None:
            for _ in range((epoch != self._epoch) + due):
                self._log({self._lr_key: record["lr"]}, step)
        self._epoch = epoch
        losses = {"train_loss_step": record["loss"]} if self._on_step else {}
        if losses:
            self._log(losses, step)
        if due:
            self._log({"kl_weight": record["kl_weight"], **losses, "epoch": epoch}, step)

    def epoch(self, record: dict[str, Any]) -> None:
        """Logs the metrics of an epoch: of the validation cells, then of the training cells.

        Parameters
        ----------
        record
            The engine's record.
        """
        suffix = "_epoch" if self._on_step else ""
        for part in ("validation", "train"):
            metrics = {f"{k}{suffix}": v for k, v in epoch_metrics(record, part).items()}
            if metrics:
                self._log({**metrics, "epoch": record["epoch"]}, record["step"] - 1)

    def finish(self, status: str) -> None:
        """Tells loggers that training has ended.

        Parameters
        ----------
        status
            ``"success"`` or ``"failed"``.
        """
        for logger in self._loggers:
            if hasattr(logger, "finalize"):
                _call(logger, "finalize", "at the end of training", status)
            elif hasattr(logger, "save"):
                _call(logger, "save", "at the end of training")

    def _log(self, metrics: dict[str, float], step: int) -> None:
        for logger in self._loggers:
            # Some loggers change the dictionary.
            _call(logger, "log_metrics", f"at step {step}", dict(metrics), step)
            if hasattr(logger, "save"):
                _call(logger, "save", f"at step {step}")


def _call(logger: Any, method: str, when: str, *arguments: Any) -> None:
    function: Callable[..., Any] = getattr(logger, method)
    try:
        function(*arguments)
    except Exception as error:
        name = f"{type(logger).__name__}.{method}"
        raise LoggerError(
            f"{name} failed {when}: {type(error).__name__}: {error}. The model keeps what it has "
            "learned until then."
        ) from error
