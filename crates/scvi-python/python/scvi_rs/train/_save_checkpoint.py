"""The best models of a training, in folders."""

from __future__ import annotations

import os
import warnings
from datetime import datetime
from shutil import rmtree
from typing import Any

from scvi_rs._settings import settings

from ._callbacks import Callback, Training
from ._metrics import METRICS


class SaveCheckpoint(Callback):
    """Saves the model whenever a metric is the best so far, as scvi-tools' callback of that name.

    ``train(enable_checkpointing=True)`` adds one. A folder that it writes is what ``model.save``
    writes: ``SCVI.load`` opens it. To go on with an interrupted training see ``checkpoint_path`` of
    ``train``.

    Parameters
    ----------
    dirpath
        Folder for the saved models; below ``settings.logging_dir`` if ``None``, named by the time
        and ``monitor``.
    filename
        Names of the saved models, in which ``{epoch}``, ``{step}`` and ``{metric}`` of a metric are
        replaced; ``"{epoch}-{step}-{monitor}"`` if ``None``.
    monitor
        The metric, a key of ``model.history``.
    load_best_on_end
        Whether the model has the best weights, and not the last, when training ends.
    mode
        Whether less or more of the metric is better: ``"min"`` or ``"max"``.
    save_top_k
        How many of the best models are kept; -1 for one of each epoch.
    every_n_epochs
        How often the metric is looked at.

    Examples
    --------
    >>> import scvi_rs
    >>> best = scvi_rs.train.SaveCheckpoint(monitor="elbo_validation", load_best_on_end=True)
    """

    def __init__(
        self,
        dirpath: str | os.PathLike[str] | None = None,
        filename: str | None = None,
        monitor: str = "validation_loss",
        load_best_on_end: bool = False,
        *,
        mode: str = "min",
        save_top_k: int = 1,
        every_n_epochs: int = 1,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"mode is {mode!r}; choose one of min, max")
        if save_top_k < -1 or save_top_k == 0:
            raise ValueError(f"save_top_k is {save_top_k}; it must be 1 or more, or -1 for all")
        if every_n_epochs < 1:
            raise ValueError(f"every_n_epochs is {every_n_epochs}; it must be 1 or more")
        if monitor not in METRICS:
            raise ValueError(f"monitor is {monitor!r}; choose one of {', '.join(METRICS)}")
        if dirpath is None:
            dirpath = os.path.join(
                settings.logging_dir, f"{datetime.now():%Y-%m-%d_%H-%M-%S}_{monitor}"
            )
        self.dirpath = os.fspath(dirpath)
        self.filename = "{epoch}-{step}-{" + monitor + "}" if filename is None else filename
        self.monitor = monitor
        self.load_best_on_end = load_best_on_end
        self.mode = mode
        self.save_top_k = save_top_k
        self.every_n_epochs = every_n_epochs
        self.best_k_models: dict[str, float] = {}
        """Scores of the models that are kept, by their folders."""

    @property
    def best_model_path(self) -> str | None:
        """Folder of the best model; ``None`` before there is one."""
        best = sorted(self.best_k_models, key=self._rank)
        return best[0] if best else None

    @property
    def best_model_score(self) -> float | None:
        """Its metric."""
        best = self.best_model_path
        return None if best is None else self.best_k_models[best]

    def on_train_start(self, training: Training) -> None:
        """Forgets what an earlier training left."""
        self.best_k_models = {}

    def on_epoch_end(self, training: Training, metrics: dict[str, float]) -> None:
        """Saves the model if it is among the best.

        Parameters
        ----------
        training
            The run.
        metrics
            Metrics of the epoch.
        """
        if training.epoch % self.every_n_epochs:
            return
        # An epoch that was not validated has no metrics of validation cells.
        score = metrics.get(self.monitor)
        if score is None:
            return
        full = len(self.best_k_models) == self.save_top_k
        worst = max(self.best_k_models, key=self._rank, default=None)
        if full and not self._is_better(score, self.best_k_models[worst]):
            return
        path = os.path.join(self.dirpath, self._name(training, metrics))
        os.makedirs(self.dirpath, exist_ok=True)
        training.model().save(path, overwrite=True)
        self.best_k_models[path] = score
        if full and worst != path:
            del self.best_k_models[worst]
            rmtree(worst, ignore_errors=True)

    def on_train_end(self, training: Training) -> None:
        """Gives the model the best weights, if it is to have them.

        Parameters
        ----------
        training
            The run.
        """
        best = self.best_model_path
        if best is None:
            warnings.warn(
                f"SaveCheckpoint saved no model: no epoch had {self.monitor}",
                UserWarning,
                stacklevel=settings.warnings_stacklevel,
            )
        elif self.load_best_on_end:
            training._take_weights(best)

    def _name(self, training: Training, metrics: dict[str, float]) -> str:
        # As Lightning counts, the first epoch is 0.
        known: dict[str, Any] = {"epoch": training.epoch - 1, "step": training.step, **metrics}
        name = self.filename
        for key, value in known.items():
            name = name.replace("{" + key + "}", f"{key}={value}")
        return name

    def _rank(self, path: str) -> float:
        score = self.best_k_models[path]
        return score if self.mode == "min" else -score

    def _is_better(self, score: float, other: float) -> bool:
        return score < other if self.mode == "min" else score > other
