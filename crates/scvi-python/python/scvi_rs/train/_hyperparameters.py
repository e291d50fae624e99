"""What loggers are told of a model and its training."""

from __future__ import annotations

from typing import Any

from scvi_rs import _core

_ADAM = ("lr", "eps", "weight_decay")
_PLATEAU = {
    "factor": "lr_factor",
    "patience": "lr_patience",
    "threshold": "lr_threshold",
    "metric": "lr_scheduler_metric",
    "min": "lr_min",
}


def hyperparameters(config: dict[str, Any], plan: dict[str, Any], n_cells: int) -> dict[str, Any]:
    """Options of the module and of training by scvi-tools' names, each a number, a text, a truth
    value or ``None``.

    Parameters
    ----------
    config
        Options of the module.
    plan
        Options of training that differ from their defaults.
    n_cells
        Number of cells.
    """
    training = {**_core.default_plan(), **plan}
    adam = {**_core.default_plan()["adam"], **(training.pop("adam") or {})}
    stopping, plateau = training["early_stopping"], training["reduce_lr_on_plateau"]
    training["early_stopping"] = stopping is not None
    training["reduce_lr_on_plateau"] = plateau is not None
    training |= {f"early_stopping_{name}": value for name, value in (stopping or {}).items()}
    training |= {_PLATEAU[name]: value for name, value in (plateau or {}).items()}
    training |= {name: adam[name] for name in _ADAM}
    told = {"n_cells": n_cells, **config, **training}
    return {k: v for k, v in told.items() if v is None or isinstance(v, bool | int | float | str)}
