"""Checks of numeric columns."""

from __future__ import annotations

import pandas as pd

from scvi_rs.data._codes import check_complete


def check_numbers(column: pd.Series, where: str) -> None:
    """Checks that a column is numeric and complete.

    Parameters
    ----------
    column
        One value a cell.
    where
        The column's place, for messages.

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
