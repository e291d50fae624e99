"""Codes of the cells in a categorical column."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from scvi_rs import _core
from scvi_rs._listed import listed
from scvi_rs._settings import settings

from ._categories import categories_of, native_column, plain_categories


def encode(
    column: pd.Series, where: str, *, allow_many_categories: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Codes of a column's values, and the categories that they stand for.

    Those are a categorical's own in its order, used or not, and of anything else the values that
    occur, sorted.

    Parameters
    ----------
    column
        One value a cell.
    where
        The column's place, for messages.
    allow_many_categories
        Whether there may be more categories than half of the cells.

    Returns
    -------
    codes : ndarray of int, (cells,)
    categories : ndarray

    Raises
    ------
    ValueError
        If a cell has no value.
    CategoryError
        If the categories can be no groups of cells.
    """
    coded, categories = _coded(column, where)
    n_cells = None if allow_many_categories else len(column)
    _core.check_categories(native_column(column.name, categories), n_cells)
    _warn_of_small_categories(coded, where)
    return coded.cat.codes.to_numpy(), categories


def transfer(
    column: pd.Series,
    where: str,
    known: np.ndarray,
    *,
    extend: bool = False,
    allow_many_categories: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Codes of a column's values by categories that are known.

    Parameters
    ----------
    column
        One value a cell.
    where
        The column's place, for messages.
    known
        Categories in the order of their codes.
    extend
        Whether values that are not among them are added after them, sorted.
    allow_many_categories
        Whether more may be added than half of the cells.

    Returns
    -------
    codes : ndarray of int, (cells,)
    categories : ndarray

    Raises
    ------
    ValueError
        If a cell has no value.
    CategoryError
        If there are unknown values, and they are not to be added, or cannot be.
    """
    coded, categories = _coded(column, where)
    found, native = native_column(column.name, categories), native_column(column.name, known)
    codes = coded.cat.codes.to_numpy().astype(np.uint32)
    known = known.copy()
    if extend:
        native = _core.extend_categories(native, found, codes, allow_many_categories)
        if len(native["categories"]) > len(known):
            known = categories_of(native)
    codes = _core.transfer_categories(native, found, codes)
    _warn_of_small_categories(coded, where)
    return codes.astype(np.min_scalar_type(-len(known))), known


def check_complete(column: pd.Series, where: str) -> None:
    """Checks that every cell has a value.

    Raises
    ------
    ValueError
        With the number and first names of the cells that have none.
    """
    missing = column.isna().to_numpy()
    if missing.any():
        raise ValueError(
            f"{where} has no value (NaN) for {missing.sum()} of {len(column)} cells: "
            f"{listed(column.index[missing])}. Fill them in, or drop these cells."
        )


def _coded(column: pd.Series, where: str) -> tuple[pd.Series, np.ndarray]:
    """The column as a categorical, and its categories."""
    check_complete(column, where)
    if column.dtype == np.float16:  # pandas makes no categories of these
        column = column.astype(np.float32)
    coded = column.astype("category")
    return coded, plain_categories(coded.cat.categories, where)


def _warn_of_small_categories(coded: pd.Series, where: str) -> None:
    cells = coded.value_counts(sort=False)
    few = cells.index[(cells > 0) & (cells < 3)]
    if len(few) > 0:
        verb = "Category {} in {} has" if len(few) == 1 else "Categories {} in {} have"
        warnings.warn(
            verb.format(listed(few), where) + " fewer than 3 cells. Models may not train properly.",
            UserWarning,
            stacklevel=settings.warnings_stacklevel,
        )
