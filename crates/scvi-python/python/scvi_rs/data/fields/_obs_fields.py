"""Single columns of obs."""

from __future__ import annotations

from typing import Any

import numpy as np
from anndata import AnnData

from scvi_rs.data import _constants
from scvi_rs.data._codes import encode, transfer
from scvi_rs.data._utils import place, require_key
from scvi_rs.data._view import table

from ._base_field import BaseAnnDataField
from ._numbers import check_numbers

_OBS = _constants._ADATA_ATTRS.OBS


class NumericalObsField(BaseAnnDataField):
    """A numeric column of obs.

    Parameters
    ----------
    registry_key
        The model's name for it.
    attr_key
        The column's name.
    required
        Whether ``attr_key`` has to be given; if not, ``None`` makes an empty field.
    positive
        Whether every value has to be above 0.

    Raises
    ------
    ValueError
        If it has to be given and is not.
    """

    def __init__(
        self,
        registry_key: str,
        attr_key: str | None,
        required: bool = True,
        *,
        positive: bool = False,
    ) -> None:
        if required and attr_key is None:
            raise ValueError(
                "`attr_key` cannot be `None` if `required=True`. Please provide an `attr_key`."
            )
        super().__init__(registry_key, _OBS, attr_key, is_empty=attr_key is None)
        self._positive = positive

    def validate_field(self, adata: AnnData) -> None:
        """Checks that the column is there, numeric, complete and finite.

        Raises
        ------
        KeyError
            If there is no such column.
        ValueError
            If it is not numeric, or a cell has no value that a model can take.
        """
        require_key(adata, _OBS, self.attr_key)
        where = place(_OBS, self.attr_key)
        check_numbers(adata.obs[self.attr_key], where, positive=self._positive)

    def register_field(self, adata: AnnData) -> dict[str, Any]:
        """Checks the column; there is no state."""
        self.validate_field(adata)
        return {}

    def transfer_field(
        self, state_registry: dict[str, Any], adata_target: AnnData, **kwargs: Any
    ) -> dict[str, Any]:
        """The same as :meth:`register_field`."""
        return self.register_field(adata_target)


class CategoricalObsField(BaseAnnDataField):
    """A categorical column of obs, whose codes are written to ``obs["_scvi_<registry_key>"]``.

    Parameters
    ----------
    registry_key
        The model's name for it.
    attr_key
        The column's name; ``None`` makes one category of all cells.
    allow_many_categories
        Whether there may be more categories than half of the cells.
    """

    CATEGORICAL_MAPPING_KEY = "categorical_mapping"
    ORIGINAL_ATTR_KEY = "original_key"

    def __init__(
        self, registry_key: str, attr_key: str | None, allow_many_categories: bool = False
    ) -> None:
        coded = f"_scvi_{registry_key}"
        super().__init__(registry_key, _OBS, coded)
        self.is_default = attr_key is None
        self._original_attr_key = coded if attr_key is None else attr_key
        self.count_stat_key = f"n_{registry_key}"
        self._allow_many_categories = allow_many_categories

    @property
    def source(self) -> str:
        """The column that the user named."""
        return "none" if self.is_default else place(_OBS, self._original_attr_key)

    def validate_field(self, adata: AnnData) -> None:
        """Checks that the column is there.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        if not self.is_default:
            require_key(adata, _OBS, self._original_attr_key)

    def register_field(self, adata: AnnData) -> dict[str, Any]:
        """Writes the codes; the state is the categories in the order of their codes.

        Raises
        ------
        KeyError
            If there is no such column.
        ValueError
            If a cell has no value in it.
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
        known = np.asarray(state_registry[self.CATEGORICAL_MAPPING_KEY])
        return self._write_codes(adata_target, known, extend_categories)

    def _write_codes(
        self, adata: AnnData, known: np.ndarray | None = None, extend: bool = False
    ) -> dict[str, Any]:
        self.validate_field(adata)
        key, where = self._original_attr_key, place(_OBS, self._original_attr_key)
        if self.is_default:
            adata.obs[key] = np.zeros(adata.n_obs, dtype=np.int64)
        column, allow_many = adata.obs[key], self._allow_many_categories
        if known is None:
            codes, categories = encode(column, where, allow_many_categories=allow_many)
        else:
            codes, categories = transfer(
                column, where, known, extend=extend, allow_many_categories=allow_many
            )
        adata.obs[self.attr_key] = codes
        return {self.CATEGORICAL_MAPPING_KEY: categories, self.ORIGINAL_ATTR_KEY: key}

    def get_summary_stats(self, state_registry: dict[str, Any]) -> dict[str, int]:
        """The number of categories, with or without a cell."""
        return {self.count_stat_key: len(state_registry[self.CATEGORICAL_MAPPING_KEY])}

    def view_state_registry(self, state_registry: dict[str, Any]) -> str:
        """The categories and their codes."""
        source = place(_OBS, state_registry[self.ORIGINAL_ATTR_KEY])
        categories = state_registry[self.CATEGORICAL_MAPPING_KEY]
        rows = [("" if code else source, name, code) for code, name in enumerate(categories)]
        columns = ["Source Location", "Categories", "scvi-tools Encoding"]
        return table(f"{self.registry_key} State Registry", columns, rows)
