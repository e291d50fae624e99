"""A matrix of cells by genes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from anndata import AnnData

from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._settings import settings
from scvi_rs.data import _constants
from scvi_rs.data._utils import (
    _check_nonnegative_integers,
    _verify_and_correct_data_format,
    place,
    require_key,
)

from ._base_field import BaseAnnDataField


class LayerField(BaseAnnDataField):
    """``adata.X``, or a layer.

    Parameters
    ----------
    registry_key
        The model's name for it.
    layer
        Key in ``adata.layers``; ``None`` for ``adata.X``.
    is_count_data
        Whether to warn of values that are not counts.
    correct_data_format
        Whether to lay out dense data by rows, in place, and warn of sparse data that is not CSR.
    """

    N_OBS_KEY = "n_obs"
    N_CELLS_KEY = "n_cells"
    N_VARS_KEY = "n_vars"
    COLUMN_NAMES_KEY = "column_names"

    def __init__(
        self,
        registry_key: str,
        layer: str | None,
        is_count_data: bool = True,
        correct_data_format: bool = True,
    ) -> None:
        attrs = _constants._ADATA_ATTRS
        super().__init__(registry_key, attrs.X if layer is None else attrs.LAYERS, layer)
        self.is_count_data = is_count_data
        self.correct_data_format = correct_data_format
        is_x = registry_key == REGISTRY_KEYS.X_KEY
        self.count_stat_key = self.N_VARS_KEY if is_x else f"n_{registry_key}"

    def validate_field(self, adata: AnnData) -> None:
        """Checks that the matrix is there, and warns if it holds no counts.

        Raises
        ------
        KeyError
            If there is no such layer.
        ValueError
            If there is no ``adata.X``.
        """
        if self.attr_key is not None:
            require_key(adata, self.attr_name, self.attr_key)
        data = self.get_field_data(adata)
        if data is None:
            raise ValueError("adata.X is None; name the layer that holds the counts (layer=...).")
        if self.is_count_data and not _check_nonnegative_integers(data):
            warnings.warn(
                f"{place(self.attr_name, self.attr_key)} does not contain unnormalized count "
                "data. Are you sure this is what you want?",
                UserWarning,
                stacklevel=settings.warnings_stacklevel,
            )

    def register_field(self, adata: AnnData) -> dict[str, Any]:
        """Checks the matrix; the state is its size and the genes' names."""
        self.validate_field(adata)
        if self.correct_data_format:
            _verify_and_correct_data_format(adata, self.attr_name, self.attr_key)
        return {
            self.N_OBS_KEY: adata.n_obs,
            self.N_VARS_KEY: adata.n_vars,
            self.COLUMN_NAMES_KEY: np.asarray(adata.var_names),
        }

    def transfer_field(
        self, state_registry: dict[str, Any], adata_target: AnnData, **kwargs: Any
    ) -> dict[str, Any]:
        """As :meth:`register_field`, for data with as many genes.

        Raises
        ------
        ValueError
            If the number of genes differs.
        """
        expected, found = state_registry[self.N_VARS_KEY], adata_target.n_vars
        if found != expected:
            raise ValueError(
                "Number of vars in `adata_target` not the same as source. "
                f"Expected: {expected} Received: {found}"
            )
        return self.register_field(adata_target)

    def get_summary_stats(self, state_registry: dict[str, Any]) -> dict[str, int]:
        """``n_vars``, and ``n_cells`` where the field is the model's X."""
        stats = {self.count_stat_key: state_registry[self.N_VARS_KEY]}
        if self.registry_key == REGISTRY_KEYS.X_KEY:
            stats[self.N_CELLS_KEY] = state_registry[self.N_OBS_KEY]
        return stats
