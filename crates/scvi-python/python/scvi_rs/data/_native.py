"""Registries of scvi-tools and of the engine, one from the other.

The engine's registry is the ``registry`` of a saved native model: ``layer``, ``batch``, ``labels``,
``categorical_covariates``, ``continuous_covariates`` and ``size_factor``, where a categorical
column is ``{"key", "categories", "kind"}``, its categories are texts, and ``kind`` is left out
where they are texts in the data too. A layer ``"raw/X"`` is ``adata.raw.X``, which the command can
read; scvi-tools' form has no name for it, and says ``adata.X``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scvi_rs._constants import REGISTRY_KEYS, SCVI_TOOLS_VERSION

from . import _constants
from ._categories import NativeColumn, categories_of, native_column
from ._manager import Registry
from .fields import (
    CategoricalJointObsField,
    CategoricalObsField,
    LabelsWithUnlabeledObsField,
    LayerField,
    NumericalJointObsField,
)

RAW = "raw/X"
"""The engine's name for ``adata.raw.X``."""

NativeRegistry = dict[str, Any]

_DATA, _STATE, _STATS = (
    _constants._DATA_REGISTRY_KEY,
    _constants._STATE_REGISTRY_KEY,
    _constants._SUMMARY_STATS_KEY,
)


def to_native(registry: Registry) -> NativeRegistry:
    """The engine's registry of a registry of scvi-tools' form.

    Parameters
    ----------
    registry
        :attr:`AnnDataManager.registry`, or that of a model saved by scvi-tools.

    Returns
    -------
    What the command ``scvi`` writes for the same columns of the same data.
    """
    fields = registry[_constants._FIELD_REGISTRIES_KEY]

    def state(key: str) -> dict[str, Any]:
        return fields.get(key, {}).get(_STATE, {})

    def key_of(key: str) -> str | None:
        return fields.get(key, {}).get(_DATA, {}).get(_constants._DR_ATTR_KEY)

    joint = state(REGISTRY_KEYS.CAT_COVS_KEY)
    mappings = joint.get(CategoricalJointObsField.MAPPINGS_KEY, {})
    covariates = joint.get(CategoricalJointObsField.FIELD_KEYS_KEY, [])
    columns = state(REGISTRY_KEYS.CONT_COVS_KEY).get(NumericalJointObsField.COLUMNS_KEY, [])
    return {
        "layer": key_of(REGISTRY_KEYS.X_KEY),
        "batch": _single_column(REGISTRY_KEYS.BATCH_KEY, state(REGISTRY_KEYS.BATCH_KEY)),
        "labels": _single_column(REGISTRY_KEYS.LABELS_KEY, state(REGISTRY_KEYS.LABELS_KEY)),
        "categorical_covariates": [native_column(key, mappings[key]) for key in covariates],
        "continuous_covariates": [str(column) for column in columns],
        "size_factor": key_of(REGISTRY_KEYS.SIZE_FACTOR_KEY),
    }


def _single_column(field: str, state: dict[str, Any]) -> NativeColumn | None:
    key = state.get(CategoricalObsField.ORIGINAL_ATTR_KEY)
    if key is None or key == f"_scvi_{field}":  # the column of zeros where none was named
        return None
    return native_column(key, state[CategoricalObsField.CATEGORICAL_MAPPING_KEY])


def from_native(
    native: NativeRegistry,
    var_names: list[str],
    n_obs: int,
    model_name: str = "SCVI",
    *,
    classifies: bool = False,
) -> Registry:
    """The registry of scvi-tools' form of a saved native model.

    Parameters
    ----------
    native
        The ``registry`` of the model.
    var_names
        The genes' names.
    n_obs
        Cells that it was set up with.
    model_name
        ``"SCVI"``, or ``"LinearSCVI"``, which knows batch and labels only.
    classifies
        Whether the last label stands for cells that have none, as of a SCANVI.
    """
    layer, batch, labels = (native.get(name) for name in ("layer", "batch", "labels"))
    layer = None if layer == RAW else layer
    attrs = _constants._ADATA_ATTRS
    sizes = {LayerField.N_OBS_KEY: n_obs, LayerField.N_VARS_KEY: len(var_names)}
    fields = {
        REGISTRY_KEYS.X_KEY: _field(
            attrs.X if layer is None else attrs.LAYERS,
            layer,
            {**sizes, LayerField.COLUMN_NAMES_KEY: np.array(var_names, dtype=object)},
            {LayerField.N_VARS_KEY: len(var_names), LayerField.N_CELLS_KEY: n_obs},
        ),
        REGISTRY_KEYS.BATCH_KEY: _categorical_field(REGISTRY_KEYS.BATCH_KEY, batch),
        REGISTRY_KEYS.LABELS_KEY: _categorical_field(REGISTRY_KEYS.LABELS_KEY, labels),
    }
    setup_args = {"layer": layer, "batch_key": _key(batch), "labels_key": _key(labels)}
    if model_name != "LinearSCVI":
        covariates = native.get("categorical_covariates") or []
        columns = native.get("continuous_covariates") or []
        size_factor = native.get("size_factor")
        fields[REGISTRY_KEYS.SIZE_FACTOR_KEY] = _field(attrs.OBS, size_factor, {}, {})
        fields[REGISTRY_KEYS.CAT_COVS_KEY] = _covariates_field(
            REGISTRY_KEYS.CAT_COVS_KEY, len(covariates), _covariates_state(covariates)
        )
        fields[REGISTRY_KEYS.CONT_COVS_KEY] = _covariates_field(
            REGISTRY_KEYS.CONT_COVS_KEY,
            len(columns),
            {NumericalJointObsField.COLUMNS_KEY: np.array(columns, dtype=object)},
        )
        setup_args["size_factor_key"] = size_factor
        setup_args["categorical_covariate_keys"] = [c["key"] for c in covariates] or None
        setup_args["continuous_covariate_keys"] = list(columns) or None
    if classifies:
        state = fields[REGISTRY_KEYS.LABELS_KEY][_STATE]
        unlabeled = state[CategoricalObsField.CATEGORICAL_MAPPING_KEY].tolist()[-1]
        state[LabelsWithUnlabeledObsField.UNLABELED_CATEGORY] = unlabeled
        setup_args[LabelsWithUnlabeledObsField.UNLABELED_CATEGORY] = unlabeled
    return {
        _constants._SCVI_VERSION_KEY: SCVI_TOOLS_VERSION,
        _constants._MODEL_NAME_KEY: model_name,
        _constants._SETUP_METHOD_NAME: "setup_anndata",
        _constants._SETUP_ARGS_KEY: setup_args,
        _constants._FIELD_REGISTRIES_KEY: fields,
    }


def _key(column: NativeColumn | None) -> str | None:
    return None if column is None else column["key"]


def _field(name: str, key: str | None, state: dict, stats: dict[str, int]) -> dict[str, dict]:
    """A field's registry; it lies nowhere where it is X's alone to have no key."""
    lies = key is not None or name == _constants._ADATA_ATTRS.X
    at = {_constants._DR_ATTR_NAME: name, _constants._DR_ATTR_KEY: key}
    return {_DATA: at if lies else {}, _STATE: state, _STATS: stats}


def _categorical_field(field: str, column: NativeColumn | None) -> dict[str, dict]:
    coded = f"_scvi_{field}"
    mapping = np.zeros(1, np.int64) if column is None else categories_of(column)
    state = {
        CategoricalObsField.CATEGORICAL_MAPPING_KEY: mapping,
        CategoricalObsField.ORIGINAL_ATTR_KEY: _key(column) or coded,
    }
    return _field(_constants._ADATA_ATTRS.OBS, coded, state, {f"n_{field}": len(mapping)})


def _covariates_state(columns: list[NativeColumn]) -> dict[str, Any]:
    return {
        CategoricalJointObsField.MAPPINGS_KEY: {c["key"]: categories_of(c) for c in columns},
        CategoricalJointObsField.FIELD_KEYS_KEY: [c["key"] for c in columns],
        CategoricalJointObsField.N_CATS_PER_KEY: [len(c["categories"]) for c in columns],
    }


def _covariates_field(field: str, n: int, state: dict[str, Any]) -> dict[str, dict]:
    key = f"_scvi_{field}" if n > 0 else None
    return _field(_constants._ADATA_ATTRS.OBSM, key, state if n > 0 else {}, {f"n_{field}": n})
