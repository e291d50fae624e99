"""From the arguments of scvi-tools' ``Trainer`` to the engine's plan, and what else they ask for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ._arguments import HONOURED, batch_limit, plain_number, refuse, take_unused, whole_number
from ._callbacks import as_callbacks
from ._loggers import as_loggers
from ._save_checkpoint import SaveCheckpoint

_STOPPING = ("monitor", "mode", "patience", "min_delta", "warmup_epochs")


@dataclass
class TrainerOptions:
    """What of a trainer's arguments does not concern the engine.

    Parameters
    ----------
    progress_bar
        What the bar counts: ``"epochs"``, ``"minibatches"`` of an epoch, or ``None`` for no bar.
    loggers, log_every_n_steps, logs_hyperparams
        What is told of training, how often, and whether loggers are told the options.
    log_save_dir
        Where the history is written, or ``None``.
    callbacks
        The callbacks.
    watch_closely
        Whether every number is looked at after every step.
    is_trial
        Whether nothing is logged and saved.
    """

    progress_bar: str | None = "epochs"
    loggers: list[Any] = field(default_factory=list)
    log_every_n_steps: int = 10
    logs_hyperparams: bool = True
    log_save_dir: Any = None
    callbacks: list[Any] = field(default_factory=list)
    watch_closely: bool = False
    is_trial: bool = False


def trainer_options(plan: dict[str, Any], kwargs: dict[str, Any]) -> TrainerOptions:
    """Puts into the plan what the engine does, and returns the rest.

    Parameters
    ----------
    plan
        The plan.
    kwargs
        Arguments of scvi-tools' and Lightning's ``Trainer``.

    Raises
    ------
    TypeError
        Naming arguments that are unknown, or of the wrong type.
    ValueError
        Naming an argument that is refused, with the list of those that are honoured.
    """
    kwargs = dict(kwargs)
    take_unused(kwargs)
    options = TrainerOptions(
        progress_bar=_progress_bar(kwargs),
        log_every_n_steps=whole_number(
            "log_every_n_steps", _given(kwargs, "log_every_n_steps", 10)
        ),
        logs_hyperparams=bool(kwargs.pop("enable_autolog_hparams", True)),
        watch_closely=bool(kwargs.pop("detect_anomaly", False)),
    )
    _length(plan, kwargs)
    _optimizer(plan, kwargs)
    _stopping(plan, kwargs)
    _logging(options, kwargs)
    _callbacks(plan, options, kwargs)
    _trial(plan, options, kwargs)
    if kwargs:
        raise TypeError(
            f"train() got unexpected keyword argument(s) {', '.join(map(repr, sorted(kwargs)))}; "
            f"arguments of Lightning's Trainer that are honoured: {', '.join(HONOURED)}"
        )
    return options


def _given(kwargs: dict[str, Any], name: str, default: Any) -> Any:
    value = kwargs.pop(name, None)
    return default if value is None else value


def _progress_bar(kwargs: dict[str, Any]) -> str | None:
    enabled = _given(kwargs, "enable_progress_bar", True)
    rate = whole_number("progress_bar_refresh_rate", _given(kwargs, "progress_bar_refresh_rate", 1))
    simple = _given(kwargs, "simple_progress_bar", True)
    if rate not in (0, 1):
        raise ValueError(
            f"progress_bar_refresh_rate is {rate}; it must be 1, or 0 for no progress bar"
        )
    if not enabled or rate == 0:
        return None
    return "epochs" if simple else "minibatches"


def _length(plan: dict[str, Any], kwargs: dict[str, Any]) -> None:
    """How long training is, and on how much."""
    steps = whole_number("max_steps", _given(kwargs, "max_steps", -1))
    if steps < -1:
        raise ValueError(f"max_steps is {steps}; it must be 1 or more, or -1 for no limit")
    plan["max_steps"] = None if steps == -1 else steps
    epochs = plan["max_epochs"]
    if epochs is not None and epochs < -1:
        raise ValueError(f"max_epochs is {epochs}; it must be 1 or more")
    if epochs == -1:
        if steps == -1:
            raise ValueError(
                "max_epochs is -1, no limit, and max_steps does not end training either"
            )
        # An epoch has a step at least.
        plan["max_epochs"] = steps
    least = whole_number("min_epochs", _given(kwargs, "min_epochs", 0))
    if least < 0:
        raise ValueError(f"min_epochs is {least}; it must be 0 or more")
    plan["min_epochs"] = least or None
    for name in ("limit_train_batches", "limit_val_batches"):
        plan[name] = batch_limit(name, kwargs.pop(name, None))
    every = kwargs.pop("check_val_every_n_epoch", None)
    plan["check_val_every_n_epoch"] = (
        None if every is None else whole_number("check_val_every_n_epoch", every)
    )


def _optimizer(plan: dict[str, Any], kwargs: dict[str, Any]) -> None:
    bound = kwargs.pop("gradient_clip_val", None)
    plan["gradient_clip_val"] = None if bound is None else plain_number("gradient_clip_val", bound)
    algorithm = _given(kwargs, "gradient_clip_algorithm", "norm")
    if algorithm not in ("norm", "value"):
        raise ValueError(f"gradient_clip_algorithm is {algorithm!r}; choose one of norm, value")
    plan["gradient_clip_algorithm"] = algorithm
    plan["learning_rate_monitor"] = bool(kwargs.pop("learning_rate_monitor", False))


def _stopping(plan: dict[str, Any], kwargs: dict[str, Any]) -> None:
    stopping = {
        name: kwargs.pop(f"early_stopping_{name}")
        for name in _STOPPING
        if f"early_stopping_{name}" in kwargs
    }
    if kwargs.pop("early_stopping", False):
        plan["early_stopping"] = stopping


def _logging(options: TrainerOptions, kwargs: dict[str, Any]) -> None:
    logger, folder = kwargs.pop("logger", None), kwargs.pop("log_save_dir", None)
    options.loggers = as_loggers(logger, kwargs.pop("default_root_dir", None))
    # scvi-tools writes the history where no other logger takes its place.
    options.log_save_dir = folder if logger is None else None


def _callbacks(plan: dict[str, Any], options: TrainerOptions, kwargs: dict[str, Any]) -> None:
    given = kwargs.pop("callbacks", None)
    given = list(given) if isinstance(given, Iterable) else [] if given is None else [given]
    options.callbacks = as_callbacks(
        callback for callback in given if not _built_in(plan, callback)
    )
    monitor = _given(kwargs, "checkpointing_monitor", "validation_loss")
    saves = any(isinstance(callback, SaveCheckpoint) for callback in options.callbacks)
    if kwargs.pop("enable_checkpointing", False) and not saves:
        options.callbacks.append(SaveCheckpoint(monitor=monitor))
        saves = True
    if saves and plan["check_val_every_n_epoch"] is None:
        plan["check_val_every_n_epoch"] = 1


def _built_in(plan: dict[str, Any], callback: Any) -> bool:
    """Whether the engine does what a callback of Lightning is for."""
    names = {kind.__name__ for kind in type(callback).__mro__}
    if "LearningRateMonitor" in names:
        plan["learning_rate_monitor"] = True
        return True
    if "EarlyStopping" not in names or not hasattr(callback, "patience"):
        return False
    for name in ("stopping_threshold", "divergence_threshold"):
        if getattr(callback, name, None) is not None:
            raise refuse(f"EarlyStopping({name})", getattr(callback, name), "callbacks can stop()")
    plan["early_stopping"] = {
        "monitor": callback.monitor,
        "mode": callback.mode,
        "patience": callback.patience,
        # Lightning keeps it with the sign of the mode.
        "min_delta": abs(callback.min_delta),
        "warmup_epochs": getattr(callback, "warmup_epochs", 0),
    }
    return True


def _trial(plan: dict[str, Any], options: TrainerOptions, kwargs: dict[str, Any]) -> None:
    """Lightning's trial run: a few minibatches, of which nothing is logged or saved."""
    steps = whole_number("fast_dev_run", _given(kwargs, "fast_dev_run", 0))
    if steps < 0:
        raise ValueError(f"fast_dev_run is {steps}; it must be a number of minibatches")
    if steps == 0:
        return
    plan |= {"max_epochs": 1, "max_steps": steps, "check_val_every_n_epoch": 1}
    plan |= {"limit_train_batches": steps, "limit_val_batches": steps}
    options.is_trial = True
    options.loggers, options.log_save_dir = [], None
    options.callbacks = [
        callback for callback in options.callbacks if not isinstance(callback, SaveCheckpoint)
    ]
