"""Checks of numeric columns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scvi_rs.data._codes import check_complete


def check_numbers(column: pd.Series, where: str, *, positive: bool = False) -> None:
    """Checks that a column is numeric, complete, and finite as the model reads it, in 4-byte floats.

    Parameters
    ----------
    column
        One value a cell.
    where
        The column's place, for messages.
    positive
        Whether every value has to be above 0.

    Raises
    ------
    ValueError
        Otherwise.
    """
    if not pd.api.types.is_numeric_dtype(column):
        raise ValueError(
            f"{where} is not numeric (dtype {column.dtype}). Convert it, e.g. with "
            "pandas.to_numeric, or register it as categorical."
        )
    check_complete(column, where)
    with np.errstate(over="ignore"):
        values = column.to_numpy(np.float32)
    _check_each(column, ~np.isfinite(values), where, "finite and below 3.4e38 in size")
    if positive:
        _check_each(column, values <= 0, where, "above 0")


def _check_each(column: pd.Series, is_wrong: np.ndarray, where: str, expected: str) -> None:
    if is_wrong.any():
        found = column[is_wrong]
        raise ValueError(
            f"{where} must be {expected}; it is {found.iloc[0]} for cell {found.index[0]} "
            f"({len(found)} of {len(column)} cells are wrong). Correct the values, or drop the "
            "cells."
        )
