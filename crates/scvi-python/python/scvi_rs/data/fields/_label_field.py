"""A column of labels, in which a category stands for cells that have none."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from scvi_rs._settings import settings
from scvi_rs.data._categories import category_kind
from scvi_rs.data._utils import place
from scvi_rs.exceptions import CategoryError

from ._obs_fields import CategoricalObsField


class LabelsWithUnlabeledObsField(CategoricalObsField):
    """A categorical column of obs whose last code stands for cells without a label.

    Parameters
    ----------
    registry_key
        The model's name for it.
    attr_key
        The column's name.
    unlabeled_category
        Value of the cells that have none; no cell has to have it.
    allow_many_categories
        Whether there may be more categories than half of the cells.
    """

    UNLABELED_CATEGORY = "unlabeled_category"

    def __init__(
        self,
        registry_key: str,
        attr_key: str,
        unlabeled_category: str | float,
        allow_many_categories: bool = False,
    ) -> None:
        super().__init__(registry_key, attr_key, allow_many_categories)
        self._unlabeled_category = unlabeled_category

    @property
    def unlabeled_category(self) -> str | int | float:
        """Value of the cells that have no label."""
        return self._unlabeled_category

    def register_field(self, adata: AnnData) -> dict[str, Any]:
        """Writes the codes; the state is the labels in the order of their codes, with the category
        of unlabelled cells last.

        In scvi-tools' order: that category changes places with the last one.

        Raises
        ------
        KeyError
            If there is no such column.
        ValueError
            If a cell has no value in it.
        CategoryError
            If the category of unlabelled cells is of another kind than the labels.
        """
        self._refuse_missing(adata)
        state = self._write_codes(adata)
        found = state[self.CATEGORICAL_MAPPING_KEY]
        mapping = self._with_unlabeled_last(found)
        codes = adata.obs[self.attr_key].to_numpy()
        at = {category: code for code, category in enumerate(mapping.tolist())}
        moved = np.array([at[category] for category in found.tolist()], np.int64)
        adata.obs[self.attr_key] = moved[codes].astype(np.min_scalar_type(-len(mapping)))
        return self._state(mapping)

    def transfer_field(
        self,
        state_registry: dict[str, Any],
        adata_target: AnnData,
        extend_categories: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Writes codes by labels registered before. Labels are never extended; where there is no
        column of them, no cell has one, and a column that says so is added with a warning.

        Parameters
        ----------
        state_registry
            State with those labels.
        adata_target
            The data.
        extend_categories
            Without effect.

        Raises
        ------
        CategoryError
            If there are other labels.
        """
        del extend_categories
        key = self._original_attr_key
        if key not in adata_target.obs:
            warnings.warn(
                f"Missing labels key {key}. Filling in with unlabeled category "
                f"{self._unlabeled_category}.",
                UserWarning,
                stacklevel=settings.warnings_stacklevel,
            )
            values = [self._unlabeled_category] * adata_target.n_obs
            adata_target.obs[key] = pd.Categorical(values)
        self._refuse_missing(adata_target)
        state = super().transfer_field(state_registry, adata_target)
        return self._state(state[self.CATEGORICAL_MAPPING_KEY])

    def _with_unlabeled_last(self, categories: np.ndarray) -> np.ndarray:
        unlabeled = self._unlabeled_category
        (at,) = np.nonzero([category == unlabeled for category in categories.tolist()])
        if at.size:
            mapping = categories.copy()
            mapping[at[0]], mapping[-1] = categories[-1], categories[at[0]]
            return mapping
        kinds = category_kind(categories), category_kind(np.array([unlabeled]))
        if kinds[0] == kinds[1]:
            together = [*categories.tolist(), unlabeled]
            return np.array(together, dtype=object if kinds[0] == "text" else None)
        raise CategoryError(
            f"unlabeled_category is {unlabeled!r}, {kinds[1]}, and {self.source} holds "
            f"{kinds[0]} labels. Name a category of that kind which stands for unlabelled cells; if "
            f"all cells have a label, one that no cell has. "
            f"adata.obs[{self._original_attr_key!r}].astype(str) makes the labels text."
        )

    def _refuse_missing(self, adata: AnnData) -> None:
        """Refuses missing values, with the way to make those cells unlabelled."""
        key, unlabeled = self._original_attr_key, self._unlabeled_category
        self.validate_field(adata)
        missing = adata.obs[key].isna()
        if not missing.any():
            return
        column = f"adata.obs[{key!r}]"
        raise ValueError(
            f"{place('obs', key)} has no value (NaN) for {missing.sum()} of {adata.n_obs} cells. "
            f"If these cells are unlabelled, say so: {column} = "
            f"{column}.astype(object).fillna({unlabeled!r}), with "
            f"unlabeled_category={unlabeled!r}."
        )

    def _state(self, mapping: np.ndarray) -> dict[str, Any]:
        return {
            self.CATEGORICAL_MAPPING_KEY: mapping,
            self.ORIGINAL_ATTR_KEY: self._original_attr_key,
            self.UNLABELED_CATEGORY: self._unlabeled_category,
        }
