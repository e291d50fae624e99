"""Several columns of obs that a model reads as one array."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from scvi_rs._listed import listed
from scvi_rs.data import _constants
from scvi_rs.data._codes import encode, transfer
from scvi_rs.data._utils import place, require_key
from scvi_rs.data._view import table

from ._base_field import BaseAnnDataField
from ._numbers import check_numbers

_OBS = _constants._ADATA_ATTRS.OBS


class BaseJointField(BaseAnnDataField):
    """Columns of obs, gathered in the data frame ``obsm["_scvi_<registry_key>"]``.

    Parameters
    ----------
    registry_key
        The model's name for them.
    attr_keys
        The columns' names; ``None`` or none at all make an empty field.

    Raises
    ------
    TypeError
        If ``attr_keys`` is a single text.
    """

    source_attr_name = _OBS

    def __init__(self, registry_key: str, attr_keys: list[str] | None) -> None:
        if isinstance(attr_keys, str):
            raise TypeError(f"expected a list of column names, not the text '{attr_keys}'")
        self.attr_keys = [] if attr_keys is None else list(attr_keys)
        super().__init__(
            registry_key,
            _constants._ADATA_ATTRS.OBSM,
            f"_scvi_{registry_key}",
            is_empty=not self.attr_keys,
        )
        self.count_stat_key = f"n_{registry_key}"

    @property
    def source(self) -> str:
        """The columns that the user named."""
        return ", ".join(place(_OBS, key) for key in self.attr_keys) or "none"

    def validate_field(self, adata: AnnData) -> None:
        """Checks that the columns are there.

        Raises
        ------
        KeyError
            Naming the first that is not.
        """
        for key in self.attr_keys:
            require_key(adata, _OBS, key)

    @abstractmethod
    def register_field(self, adata: AnnData) -> dict[str, Any]:
        """Gathers the columns."""

    def get_summary_stats(self, state_registry: dict[str, Any]) -> dict[str, int]:
        """The number of columns."""
        return {self.count_stat_key: len(self.attr_keys)}


class NumericalJointObsField(BaseJointField):
    """Numeric columns of obs that a model reads as one array."""

    COLUMNS_KEY = "columns"

    def validate_field(self, adata: AnnData) -> None:
        """Checks that the columns are there, numeric and complete.

        Raises
        ------
        KeyError
            If there is no such column.
        ValueError
            If one is not numeric, or a cell has no value in it.
        """
        super().validate_field(adata)
        for key in self.attr_keys:
            check_numbers(adata.obs[key], place(_OBS, key))

    def register_field(self, adata: AnnData) -> dict[str, Any]:
        """Gathers the columns; the state is their names."""
        self.validate_field(adata)
        adata.obsm[self.attr_key] = adata.obs[self.attr_keys].copy()
        return {self.COLUMNS_KEY: adata.obsm[self.attr_key].columns.to_numpy()}

    def transfer_field(
        self, state_registry: dict[str, Any], adata_target: AnnData, **kwargs: Any
    ) -> dict[str, Any]:
        """The same as :meth:`register_field`."""
        return self.register_field(adata_target)

    def view_state_registry(self, state_registry: dict[str, Any]) -> str | None:
        """The columns."""
        if self.is_empty:
            return None
        rows = [[place(_OBS, key)] for key in state_registry[self.COLUMNS_KEY]]
        return table(f"{self.registry_key} State Registry", ["Source Location"], rows)


class CategoricalJointObsField(BaseJointField):
    """Categorical columns of obs, whose codes a model reads as one array.

    Parameters
    ----------
    registry_key
        The model's name for them.
    attr_keys
        The columns' names; ``None`` or none at all make an empty field.
    allow_many_categories
        Whether there may be more categories than half of the cells.

    Raises
    ------
    TypeError
        If ``attr_keys`` is a single text.
    ValueError
        If a column is named more than once.
    """

    MAPPINGS_KEY = "mappings"
    FIELD_KEYS_KEY = "field_keys"
    N_CATS_PER_KEY = "n_cats_per_key"

    def __init__(
        self, registry_key: str, attr_keys: list[str] | None, allow_many_categories: bool = False
    ) -> None:
        super().__init__(registry_key, attr_keys)
        self._allow_many_categories = allow_many_categories
        repeated = [key for key, times in Counter(self.attr_keys).items() if times > 1]
        if repeated:
            raise ValueError(
                f"categorical covariates are named more than once: {listed(repeated)}. Name each "
                "column of adata.obs once."
            )

    def register_field(self, adata: AnnData) -> dict[str, Any]:
        """Writes the codes; the state is the categories of each column in the order of their codes.

        Raises
        ------
        KeyError
            If there is no such column.
        ValueError
            If a cell has no value in one.
        """
        return self._write_codes(adata)

    def transfer_field(
        self,
        state_registry: dict[str, Any],
        adata_target: AnnData,
        extend_categories: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Writes codes by categories registered before.

        Parameters
        ----------
        state_registry
            State with those categories.
        adata_target
            The data.
        extend_categories
            Whether values that are not among them are added after them, sorted.

        Raises
        ------
        ValueError
            If there are such values and ``extend_categories`` is not set.
        """
        return self._write_codes(adata_target, state_registry[self.MAPPINGS_KEY], extend_categories)

    def _write_codes(
        self, adata: AnnData, known: dict[str, np.ndarray] | None = None, extend: bool = False
    ) -> dict[str, Any]:
        self.validate_field(adata)
        codes, mappings = {}, {}
        for key in self.attr_keys:
            column, where = adata.obs[key], place(_OBS, key)
            allow_many = self._allow_many_categories
            if known is None:
                coded = encode(column, where, allow_many_categories=allow_many)
            else:
                coded = transfer(
                    column,
                    where,
                    np.asarray(known[key]),
                    extend=extend,
                    allow_many_categories=allow_many,
                )
            codes[key], mappings[key] = coded
        adata.obsm[self.attr_key] = pd.DataFrame(codes, index=adata.obs_names)
        return {
            self.MAPPINGS_KEY: mappings,
            self.FIELD_KEYS_KEY: list(self.attr_keys),
            self.N_CATS_PER_KEY: [len(mappings[key]) for key in self.attr_keys],
        }

    def view_state_registry(self, state_registry: dict[str, Any]) -> str | None:
        """The categories of each column and their codes."""
        if self.is_empty:
            return None
        rows = [
            ("" if code else place(_OBS, key), name, code)
            for key, categories in state_registry[self.MAPPINGS_KEY].items()
            for code, name in enumerate(categories)
        ]
        columns = ["Source Location", "Categories", "scvi-tools Encoding"]
        return table(f"{self.registry_key} State Registry", columns, rows)
