"""Callbacks of training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scvi_rs import _core

_HOOKS = ("on_train_start", "on_epoch_end", "on_train_end")
_INTERFACE = (
    "a callback is an object with on_epoch_end(training, metrics), on_train_start(training) or "
    "on_train_end(training), such as a subclass of scvi_rs.train.Callback"
)
_FOREIGN = ("lightning", "pytorch_lightning", "scvi")


class Training:
    """A training run, as callbacks see it.

    Parameters
    ----------
    model
        The model that is trained.
    epochs
        Epochs that training is planned to have.
    """

    def __init__(self, model: Any, epochs: int) -> None:
        self._model = model
        self._run: _core.Run | None = None
        self.epochs = epochs
        """Epochs that training is planned to have."""
        self.epoch = 0
        """Epochs that are done."""
        self.step = 0
        """Optimizer steps that are done."""
        self.metrics: dict[str, float] = {}
        """Metrics of the last epoch, by the keys of ``model.history``."""

    def stop(self) -> None:
        """Ends training with this epoch, or with the last of ``min_epochs``."""
        self._waiting().stop()

    def save_checkpoint(self) -> None:
        """Writes the checkpoint of ``train(checkpoint_path=...)`` now.

        Raises
        ------
        ValueError
            If there is no ``checkpoint_path``.
        FileError
            If the file cannot be written.
        """
        self._waiting().save_checkpoint()

    def model(self) -> Any:
        """A copy of the model with what it has learned until now, to be used or saved.

        The model itself keeps what it began with until training ends.
        """
        return self._model._trained_copy(self._waiting().model())

    def _take_weights(self, folder: str) -> None:
        """Gives the model, whose training has ended, the weights of one that was saved."""
        self._model._core.take_weights(_core.Model.open(folder))

    def _waiting(self) -> _core.Run:
        if self._run is None:
            raise RuntimeError("training does not wait: call this within on_epoch_end")
        return self._run


class Callback:
    """What training calls, in the thread that called ``train``.

    A subclass overrides what it needs; any object that has one of the methods does as well. An
    exception that a callback raises ends training: the model keeps what it has learned, and the
    exception is raised by ``train``.

    Examples
    --------
    >>> import scvi_rs
    >>> class StopBelow(scvi_rs.train.Callback):
    ...     def __init__(self, loss):
    ...         self.loss = loss
    ...
    ...     def on_epoch_end(self, training, metrics):
    ...         if metrics["train_loss"] < self.loss:
    ...             training.stop()
    >>> adata = scvi_rs.data.synthetic_iid()
    >>> scvi_rs.model.SCVI.setup_anndata(adata)
    >>> model = scvi_rs.model.SCVI(adata)
    >>> model.train(max_epochs=5, callbacks=[StopBelow(1e6)])
    >>> len(model.history["train_loss"])
    1
    """

    def on_train_start(self, training: Training) -> None:
        """Called before the first step.

        Parameters
        ----------
        training
            The run.
        """

    def on_epoch_end(self, training: Training, metrics: dict[str, float]) -> None:
        """Called at the end of each epoch; training waits until it returns.

        Parameters
        ----------
        training
            The run, which can be stopped and saved here.
        metrics
            Metrics of the epoch, by the keys of ``model.history``: ``train_loss``,
            ``elbo_train``, ..., and ``elbo_validation``, ... where the epoch was validated.
        """

    def on_train_end(self, training: Training) -> None:
        """Called after the last epoch, when the model has what it has learned; not called where
        training was interrupted.

        Parameters
        ----------
        training
            The run.
        """


def as_callbacks(given: Any) -> list[Any]:
    """A list of callbacks.

    Parameters
    ----------
    given
        One, several, or ``None``.

    Raises
    ------
    TypeError
        If an object is no callback, with what one is; callbacks of Lightning and scvi-tools need
        their trainer and are none.
    """
    if given is None:
        return []
    callbacks = list(given) if isinstance(given, Iterable) else [given]
    for callback in callbacks:
        kind = type(callback)
        if _is_foreign(kind):
            raise TypeError(
                f"callbacks: {kind.__module__}.{kind.__qualname__} needs Lightning's trainer, which "
                f"does not train here; {_INTERFACE}. Built in are early_stopping, "
                "learning_rate_monitor, enable_checkpointing and scvi_rs.train.SaveCheckpoint."
            )
        if isinstance(callback, type) or not any(
            callable(getattr(callback, hook, None)) for hook in _HOOKS
        ):
            raise TypeError(f"callbacks: {callback!r} is none; {_INTERFACE}")
    return callbacks


def _is_foreign(kind: type) -> bool:
    return any(base.__module__.partition(".")[0] in _FOREIGN for base in kind.__mro__)


def call(callbacks: Iterable[Any], hook: str, *arguments: Any) -> None:
    """Calls a method of every callback that has it.

    Parameters
    ----------
    callbacks
        The callbacks.
    hook
        The method.
    *arguments
        What it is called with.
    """
    for callback in callbacks:
        method = getattr(callback, hook, None)
        if method is not None:
            method(*arguments)
