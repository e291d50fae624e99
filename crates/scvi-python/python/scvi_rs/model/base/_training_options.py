"""From the arguments of scvi-tools' ``train`` to the engine's plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scvi_rs._settings import settings
from scvi_rs.dataloaders._data_splitting import validate_external_indexing

from ._arguments import refuse_unknown

# Options of Lightning, torch and the loaders that change no number here.
_IDLE_TRAINER = frozenset(
    {
        "benchmark",
        "default_root_dir",
        "deterministic",
        "enable_model_summary",
        "log_save_dir",
        "log_every_n_steps",
        "logger",
        "num_sanity_val_steps",
        "progress_bar_refresh_rate",
        "simple_progress_bar",
        "strategy",
    }
)
_IDLE_PLAN = frozenset({"compile", "compile_kwargs"})
_IDLE_SPLITTER = frozenset(
    {"num_workers", "persistent_workers", "pin_memory", "load_sparse_tensor"}
)


_PLATEAU = {
    "lr_factor": "factor",
    "lr_patience": "patience",
    "lr_threshold": "threshold",
    "lr_scheduler_metric": "metric",
    "lr_min": "min",
}
_STOPPING = ("monitor", "mode", "patience", "min_delta", "warmup_epochs")


@dataclass
class Asked:
    """What of the arguments does not concern the engine.

    Parameters
    ----------
    progress_bar
        Whether progress is shown.
    on_step
        Whether losses of single steps are recorded.
    """

    progress_bar: bool
    on_step: bool


def training_plan(
    *,
    n_cells: int,
    max_epochs: int | None,
    train_size: float | None,
    validation_size: float | None,
    shuffle_set_split: bool,
    batch_size: int | None,
    early_stopping: bool,
    datasplitter_kwargs: dict[str, Any],
    plan_kwargs: dict[str, Any],
    trainer_kwargs: dict[str, Any],
) -> tuple[dict[str, Any], Asked]:
    """The engine's plan, without the seed, and what else was asked for.

    Raises
    ------
    TypeError
        Naming arguments that are unknown.
    """
    plan: dict[str, Any] = {
        "max_epochs": None if max_epochs is None else int(max_epochs),
        "batch_size": batch_size or settings.batch_size,
        "train_size": 0.9 if train_size is None else float(train_size),
        "validation_size": validation_size,
        "shuffle_set_split": shuffle_set_split,
    }
    _split(plan, n_cells, dict(datasplitter_kwargs))
    on_step = _optimisation(plan, dict(plan_kwargs))
    asked = _trainer(plan, early_stopping, dict(trainer_kwargs))
    asked.on_step = on_step
    return plan, asked


def _split(plan: dict[str, Any], n_cells: int, kwargs: dict[str, Any]) -> None:
    given = kwargs.pop("external_indexing", None)
    if given is not None:
        parts = validate_external_indexing(n_cells, given)
        names = ("train", "validation", "test")
        cells = (np.asarray(part).tolist() for part in parts)
        plan["external_indexing"] = dict(zip(names, cells, strict=True))
    plan["drop_last"] = bool(kwargs.pop("drop_last", False))
    _refuse(kwargs, _IDLE_SPLITTER, "datasplitter_kwargs")


def _optimisation(plan: dict[str, Any], kwargs: dict[str, Any]) -> bool:
    """Arguments of scvi-tools' ``TrainingPlan``; whether steps are to be recorded."""
    optimizer = kwargs.pop("optimizer", "Adam")
    if optimizer not in ("Adam", "AdamW"):
        raise ValueError(f"optimizer is {optimizer!r}; choose one of Adam, AdamW")
    plan["optimizer"] = optimizer
    adam = {
        name: float(kwargs.pop(name)) for name in ("lr", "eps", "weight_decay") if name in kwargs
    }
    plan["adam"] = adam
    plateau = {to: kwargs.pop(name) for name, to in _PLATEAU.items() if name in kwargs}
    if kwargs.pop("reduce_lr_on_plateau", False):
        plan["reduce_lr_on_plateau"] = plateau
    for name in (
        "n_epochs_kl_warmup",
        "n_steps_kl_warmup",
        "min_kl_weight",
        "max_kl_weight",
        "update_only_decoder",
    ):
        if name in kwargs:
            plan[name] = kwargs.pop(name)
    on_step = bool(kwargs.pop("on_step", False))
    if not kwargs.pop("on_epoch", True):
        raise ValueError("on_epoch is False; the losses of each epoch are always recorded")
    _refuse(kwargs, _IDLE_PLAN, "plan_kwargs")
    return on_step


def _trainer(plan: dict[str, Any], early_stopping: bool, kwargs: dict[str, Any]) -> Asked:
    """Arguments of scvi-tools' ``Trainer``."""
    stopping = {
        name: kwargs.pop(f"early_stopping_{name}")
        for name in _STOPPING
        if f"early_stopping_{name}" in kwargs
    }
    if kwargs.pop("early_stopping", early_stopping):
        plan["early_stopping"] = stopping
    plan["check_val_every_n_epoch"] = kwargs.pop("check_val_every_n_epoch", None)
    monitored = kwargs.pop("learning_rate_monitor", False)
    for callback in kwargs.pop("callbacks", None) or ():
        name = type(callback).__name__
        if name != "LearningRateMonitor":
            raise TypeError(
                f"callbacks: {name} is Lightning's, which does not train here; what its callbacks "
                "are mostly for is built in: early_stopping, learning_rate_monitor"
            )
        monitored = True
    plan["learning_rate_monitor"] = bool(monitored)
    if kwargs.pop("enable_checkpointing", False):
        raise ValueError(
            "enable_checkpointing is not supported here; the command `scvi train` writes "
            "checkpoints"
        )
    if str(kwargs.pop("precision", "32-true")) not in ("32", "32-true"):
        raise ValueError("precision is not supported: training is in 4-byte floats")
    asked = Asked(
        progress_bar=bool(kwargs.pop("enable_progress_bar", True)),
        on_step=False,
    )
    _refuse(kwargs, _IDLE_TRAINER, "train")
    return asked


def _refuse(kwargs: dict[str, Any], idle: frozenset[str], function: str) -> None:
    refuse_unknown({name: v for name, v in kwargs.items() if name not in idle}, function)
