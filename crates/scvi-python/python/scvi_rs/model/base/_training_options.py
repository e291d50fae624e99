"""From the arguments of scvi-tools' ``train``, ``TrainingPlan`` and ``DataSplitter`` to the engine's
plan."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scvi_rs._settings import settings
from scvi_rs.dataloaders._data_splitting import validate_external_indexing
from scvi_rs.train._arguments import plain_number, whole_number

from ._arguments import refuse_unknown

# Options of torch and the loaders that change no number here.
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


def training_plan(
    *,
    n_cells: int,
    max_epochs: int | None,
    train_size: float | None,
    validation_size: float | None,
    shuffle_set_split: bool,
    batch_size: int | None,
    datasplitter_kwargs: dict[str, Any],
    plan_kwargs: dict[str, Any],
    classifies: bool = False,
) -> tuple[dict[str, Any], bool]:
    """The engine's plan, without the seed and what a trainer's arguments say, and whether losses of
    single steps are recorded.

    Raises
    ------
    TypeError
        Naming arguments that are unknown.
    """
    plan: dict[str, Any] = {
        "max_epochs": None if max_epochs is None else whole_number("max_epochs", max_epochs),
        "batch_size": batch_size or settings.batch_size,
        "train_size": 0.9 if train_size is None else float(train_size),
        "validation_size": validation_size,
        "shuffle_set_split": shuffle_set_split,
    }
    _split(plan, n_cells, dict(datasplitter_kwargs))
    on_step = _optimisation(plan, dict(plan_kwargs), classifies)
    return plan, on_step


def _split(plan: dict[str, Any], n_cells: int, kwargs: dict[str, Any]) -> None:
    given = kwargs.pop("external_indexing", None)
    if given is not None:
        parts = validate_external_indexing(n_cells, given)
        names = ("train", "validation", "test")
        cells = (np.asarray(part).tolist() for part in parts)
        plan["external_indexing"] = dict(zip(names, cells, strict=True))
    plan["drop_last"] = bool(kwargs.pop("drop_last", False))
    _refuse(kwargs, _IDLE_SPLITTER, "datasplitter_kwargs")


def _optimisation(plan: dict[str, Any], kwargs: dict[str, Any], classifies: bool) -> bool:
    """Arguments of scvi-tools' ``TrainingPlan``, or of its ``SemiSupervisedTrainingPlan`` for a model
    that ``classifies``; whether steps are to be recorded."""
    optimizer = kwargs.pop("optimizer", "Adam")
    creator = kwargs.pop("optimizer_creator", None)
    if creator is not None:
        raise ValueError("optimizer_creator makes an optimizer of torch; choose one of Adam, AdamW")
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
    for name in ("n_epochs_kl_warmup", "n_steps_kl_warmup"):
        if kwargs.get(name) is not None:
            kwargs[name] = whole_number(name, kwargs[name])
    if classifies and "classification_ratio" in kwargs:
        ratio = plain_number("classification_ratio", kwargs.pop("classification_ratio"))
        if not 0 <= ratio < math.inf:
            raise ValueError(f"classification_ratio is {ratio}; it must be 0 or more")
        plan["classification_ratio"] = ratio
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


def _refuse(kwargs: dict[str, Any], idle: frozenset[str], function: str) -> None:
    refuse_unknown({name: v for name, v in kwargs.items() if name not in idle}, function)
