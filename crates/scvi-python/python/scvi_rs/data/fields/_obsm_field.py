"""An array of obsm."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from scvi_rs._settings import settings
from scvi_rs.data import _constants
from scvi_rs.data._utils import (
    _check_nonnegative_integers,
    _verify_and_correct_data_format,
    place,
    require_key,
)

from ._base_field import BaseAnnDataField


class ObsmField(BaseAnnDataField):
    """An array of obsm.

    Parameters
    ----------
    registry_key
        The model's name for it.
    attr_key
        Its key in ``adata.obsm``.
    colnames_uns_key
        Where ``adata.uns`` holds the names of its columns; ``None`` takes a data frame's own, and
        numbers the columns of any other array.
    is_count_data
        Whether to warn of values that are not counts.
    correct_data_format
        Whether to lay out dense data by rows, in place.
    """

    COLUMN_NAMES_KEY = "column_names"

    def __init__(
        self,
        registry_key: str,
        attr_key: str,
        colnames_uns_key: str | None = None,
        is_count_data: bool = False,
        correct_data_format: bool = True,
    ) -> None:
        super().__init__(registry_key, _constants._ADATA_ATTRS.OBSM, attr_key)
        self.colnames_uns_key = colnames_uns_key
        self.is_count_data = is_count_data
        self.correct_data_format = correct_data_format
        self.count_stat_key = f"n_{registry_key}"

    def validate_field(self, adata: AnnData) -> None:
        """Checks that the array is there, and warns if it should hold counts and does not.

        Raises
        ------
        KeyError
            If it is not there.
        """
        require_key(adata, self.attr_name, self.attr_key)
        if self.is_count_data and not _check_nonnegative_integers(self.get_field_data(adata)):
            warnings.warn(
                f"{place(self.attr_name, self.attr_key)} does not contain unnormalized count "
                "data. Are you sure this is what you want?",
                UserWarning,
                stacklevel=settings.warnings_stacklevel,
            )

    def register_field(self, adata: AnnData) -> dict[str, Any]:
        """Checks the array; the state is the names of its columns."""
        self.validate_field(adata)
        if self.correct_data_format:
            _verify_and_correct_data_format(adata, self.attr_name, self.attr_key)
        return {self.COLUMN_NAMES_KEY: self._column_names(adata)}

    def _column_names(self, adata: AnnData) -> list | np.ndarray:
        if self.colnames_uns_key is not None:
            require_key(adata, _constants._ADATA_ATTRS.UNS, self.colnames_uns_key)
            return adata.uns[self.colnames_uns_key]
        data = self.get_field_data(adata)
        if isinstance(data, pd.DataFrame):
            return list(data.columns)
        return np.arange(data.shape[1])

    def transfer_field(
        self, state_registry: dict[str, Any], adata_target: AnnData, **kwargs: Any
    ) -> dict[str, Any]:
        """Checks that an array has the columns registered before.

        Raises
        ------
        ValueError
            If their number, or a data frame's names, differ.
        """
        self.validate_field(adata_target)
        where, data = place(self.attr_name, self.attr_key), self.get_field_data(adata_target)
        expected = state_registry[self.COLUMN_NAMES_KEY]
        if data.shape[1] != len(expected):
            raise ValueError(
                f"Target {where} has {data.shape[1]} columns; the source has {len(expected)}."
            )
        if isinstance(data, pd.DataFrame) and list(expected) != list(data.columns):
            raise ValueError(f"Target {where} column names do not match those of the source.")
        return {self.COLUMN_NAMES_KEY: expected.copy()}

    def get_summary_stats(self, state_registry: dict[str, Any]) -> dict[str, int]:
        """The number of columns."""
        return {self.count_stat_key: len(state_registry[self.COLUMN_NAMES_KEY])}
