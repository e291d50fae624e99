"""A model in a few lines: as text, and as a table in notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scvi_rs import _core
from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._listed import listed
from scvi_rs.data._constants import _FIELD_REGISTRIES_KEY, _STATE_REGISTRY_KEY

SHOWN = (
    "n_hidden",
    "n_latent",
    "n_layers",
    "dropout_rate",
    "dispersion",
    "gene_likelihood",
    "latent_distribution",
)
"""Options that are always shown, in scvi-tools' order."""

OF_DATA = frozenset(
    {
        "n_input",
        "n_batch",
        "n_labels",
        "n_continuous_cov",
        "n_cats_per_cov",
        "use_size_factor_key",
        "library_log_means",
        "library_log_vars",
    }
)
"""Options of the module that follow from the data."""

# What is counted, one and several, and the number from which on it is worth telling.
_COUNTED = {
    "n_cells": ("cell", "cells", 0),
    "n_vars": ("gene", "genes", 0),
    "n_batch": ("batch", "batches", 0),
    "n_labels": ("label", "labels", 2),
    "n_extra_categorical_covs": ("categorical covariate", "categorical covariates", 1),
    "n_extra_continuous_covs": ("continuous covariate", "continuous covariates", 1),
}
_STOPS = {"early_stopping": "stopped early", "interrupted": "interrupted"}


def sizes(stats: Mapping[str, int]) -> dict[str, int]:
    """Sizes of data by what is counted, without labels and covariates where there are none.

    >>> sizes({"n_cells": 400, "n_vars": 100, "n_batch": 1, "n_extra_categorical_covs": 0})
    {'cells': 400, 'genes': 100, 'batch': 1}
    """
    return {
        one if stats[key] == 1 else several: stats[key]
        for key, (one, several, least) in _COUNTED.items()
        if stats.get(key, -1) >= least
    }


def data_line(stats: Mapping[str, int] | None, has_data: bool) -> str:
    """The sizes of a model's data, for a line of text.

    Parameters
    ----------
    stats
        Sizes by scvi-tools' names; ``None`` where the model was set up with nothing.
    has_data
        Whether the model has the data.
    """
    if stats is None:
        return "none"
    told = ", ".join(f"{n} {name}" for name, n in sizes(stats).items())
    return told if has_data else f"none (set up with {told})"


def training_line(is_trained: bool, training: Mapping[str, Any] | None) -> str:
    """How a model was trained.

    Parameters
    ----------
    is_trained
        Whether it was.
    training
        What the engine knows of it.
    """
    if not is_trained:
        return "Not Trained"
    epochs = 0 if training is None else training["epochs"]
    if epochs == 0:
        return "Trained"
    told = [f"{epochs} epoch{'s' if epochs > 1 else ''}"]
    if training["stop"] in _STOPS:
        told.append(_STOPS[training["stop"]])
    return f"Trained ({', '.join(told)})"


def columns(registry: Mapping[str, Any]) -> dict[str, str]:
    """The columns that a model reads, with their categories.

    Parameters
    ----------
    registry
        Its registry.
    """
    states = {
        key: field[_STATE_REGISTRY_KEY] for key, field in registry[_FIELD_REGISTRIES_KEY].items()
    }
    found = {}
    for key, name in ((REGISTRY_KEYS.BATCH_KEY, "Batches"), (REGISTRY_KEYS.LABELS_KEY, "Labels")):
        state = states.get(key)
        if state and state["original_key"] != f"_scvi_{key}":
            categories = state["categorical_mapping"]
            found[name] = (
                f"{len(categories)} in obs['{state['original_key']}']: {listed(categories)}"
            )
    covariates = states.get(REGISTRY_KEYS.CAT_COVS_KEY) or {}
    for key in covariates.get("field_keys", ()):
        categories = covariates["mappings"][key]
        found[f"Covariate {key}"] = f"{len(categories)} categories: {listed(categories)}"
    continuous = (states.get(REGISTRY_KEYS.CONT_COVS_KEY) or {}).get("columns", ())
    if len(continuous):
        found["Continuous covariates"] = listed(continuous)
    return found


def options(config: Mapping[str, Any]) -> dict[str, str]:
    """Options of a model: those that are always shown, and others that are not the default.

    Parameters
    ----------
    config
        All of them.
    """
    defaults = _core.default_config(_class_of(config))
    return {
        name: str(value)
        for name, value in config.items()
        if name in SHOWN or (name not in OF_DATA and value != defaults[name])
    }


def _class_of(config: Mapping[str, Any]) -> str:
    """A class of models that has these options."""
    if "linear_classifier" in config:
        return "SCANVI"
    return "LinearSCVI" if config["linear_decoder"] else "SCVI"
