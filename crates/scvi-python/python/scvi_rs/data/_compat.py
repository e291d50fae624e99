"""Registries that scvi-tools wrote before version 0.15."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from scvi_rs._constants import REGISTRY_KEYS

from . import _constants
from ._manager import Registry
from .fields import (
    CategoricalJointObsField,
    CategoricalObsField,
    LayerField,
    NumericalJointObsField,
)

LEGACY_REGISTRY_KEY_MAP = {
    "X": REGISTRY_KEYS.X_KEY,
    "batch_indices": REGISTRY_KEYS.BATCH_KEY,
    "labels": REGISTRY_KEYS.LABELS_KEY,
    "cat_covs": REGISTRY_KEYS.CAT_COVS_KEY,
    "cont_covs": REGISTRY_KEYS.CONT_COVS_KEY,
}
"""Today's name of each field, by its former one."""


def registry_from_setup_dict(model_cls: type, setup_dict: dict[str, Any]) -> Registry:
    """Today's form of a registry that scvi-tools wrote before version 0.15.

    Parameters
    ----------
    model_cls
        The model's class.
    setup_dict
        The former registry. Fields that no model here reads are left out.
    """
    fields, setup_args = {}, {}
    for former, at in setup_dict[_constants._DATA_REGISTRY_KEY].items():
        if former in LEGACY_REGISTRY_KEY_MAP:
            key = LEGACY_REGISTRY_KEY_MAP[former]
            state, stats, args = _field(key, at, setup_dict)
            fields[key] = {
                _constants._DATA_REGISTRY_KEY: _place(key, at),
                _constants._STATE_REGISTRY_KEY: state,
                _constants._SUMMARY_STATS_KEY: stats,
            }
            setup_args.update(args)
    return {
        _constants._SCVI_VERSION_KEY: setup_dict[_constants._SCVI_VERSION_KEY],
        _constants._MODEL_NAME_KEY: model_cls.__name__,
        _constants._SETUP_ARGS_KEY: setup_args,
        _constants._FIELD_REGISTRIES_KEY: fields,
    }


def _place(key: str, at: dict[str, Any]) -> dict[str, Any]:
    made = str(at[_constants._DR_ATTR_KEY]).startswith("_scvi")
    return {**at, _constants._DR_ATTR_KEY: f"_scvi_{key}"} if made else dict(at)


def _field(key: str, at: dict[str, Any], setup: dict[str, Any]) -> tuple[dict, dict, dict]:
    """A field's state, its sizes, and the arguments of ``setup_anndata`` that make it."""
    sizes = setup[_constants._SUMMARY_STATS_KEY]
    if key == REGISTRY_KEYS.X_KEY:
        n_vars = {LayerField.N_VARS_KEY: sizes["n_vars"]}
        return n_vars, dict(n_vars), {"layer": at[_constants._DR_ATTR_KEY]}
    if key == REGISTRY_KEYS.CONT_COVS_KEY:
        columns = setup["extra_continuous_keys"]
        state = {NumericalJointObsField.COLUMNS_KEY: columns.copy()}
        return state, {f"n_{key}": len(columns)}, {"continuous_covariate_keys": list(columns)}
    if key == REGISTRY_KEYS.CAT_COVS_KEY:
        state = deepcopy(setup["extra_categoricals"])
        keys = state[CategoricalJointObsField.FIELD_KEYS_KEY] = state.pop("keys")
        return state, {f"n_{key}": len(keys)}, {"categorical_covariate_keys": list(keys)}
    former = setup["categorical_mappings"][at[_constants._DR_ATTR_KEY]]
    state = {
        CategoricalObsField.CATEGORICAL_MAPPING_KEY: former["mapping"].copy(),
        CategoricalObsField.ORIGINAL_ATTR_KEY: former["original_key"],
    }
    return state, {f"n_{key}": len(former["mapping"])}, {f"{key}_key": former["original_key"]}
