"""Categories of columns: what they are in the data, and the texts that the engine knows them by.

The engine's column is ``{"key", "categories", "kind"}`` as in ``model.json``: categories are texts,
and ``kind`` is left out where they are texts in the data too.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from scvi_rs import _core
from scvi_rs._listed import listed
from scvi_rs._settings import settings
from scvi_rs.exceptions import CategoryError

NativeColumn = dict[str, Any]

_KINDS = {
    "boolean": "bool",
    "empty": "text",
    "floating": "float",
    "integer": "integer",
    "mixed-integer-float": "float",
    "string": "text",
}
"""The engine's word for what pandas finds in an array of objects."""

_INTEGERS = range(-(2**63), 2**64)
"""What 8 bytes hold, with or without a sign."""


def category_kind(categories: np.ndarray) -> str:
    """What categories are in the data, by the engine's word for it.

    Parameters
    ----------
    categories
        Categories, or values, of one column.

    Returns
    -------
    ``"text"``, ``"integer"``, ``"float"``, ``"single"``, ``"bool"``, or the name of a type of times:
    ``"datetime64[ns]"``.
    """
    categories = np.asarray(categories)
    if categories.dtype == np.float32:
        return "single"
    if categories.dtype.kind in "mM":
        return categories.dtype.name
    return _KINDS.get(pd.api.types.infer_dtype(categories, skipna=False), "text")


def category_texts(categories: np.ndarray) -> list[str]:
    """Categories as Python's ``str`` writes them: the engine's form of every kind.

    Parameters
    ----------
    categories
        Categories of one column.
    """
    categories = np.asarray(categories)
    if categories.dtype == np.float32:
        return [_single_text(value) for value in categories]
    if categories.dtype.kind in "mM":
        return _core.time_texts(categories.dtype.name, categories.view(np.int64))
    return [str(value) for value in categories.tolist()]


def _single_text(value: np.float32) -> str:
    """The shortest digits that read back the same, laid out as those of a float of 8 bytes.

    ``str`` of a ``numpy.float32`` lays them out differently from release to release.
    """
    if value == 0 or 1e-4 <= abs(value) < 1e16:
        return np.format_float_positional(value, trim="0")
    return np.format_float_scientific(value, trim="-", exp_digits=2)


def native_column(key: str, categories: np.ndarray) -> NativeColumn:
    """The engine's column of these categories.

    Parameters
    ----------
    key
        The column's name.
    categories
        Categories in the order of their codes.
    """
    column = {"key": str(key), "categories": category_texts(categories)}
    kind = category_kind(categories)
    return column if kind == "text" else {**column, "kind": kind}


def categories_of(column: NativeColumn) -> np.ndarray:
    """The categories that :func:`native_column` made a column of.

    Parameters
    ----------
    column
        The engine's column.
    """
    texts, kind = column["categories"], column.get("kind", "text")
    if kind == "text":
        return np.array(texts, dtype=object)
    if kind == "bool":
        return np.array([text == "True" for text in texts])
    if kind == "integer":
        numbers = [int(text) for text in texts]
        integers = np.array(numbers)
        return integers if integers.dtype.kind in "iu" else np.array(numbers, dtype=object)
    if kind.startswith(("datetime64", "timedelta64")):
        return _core.category_times(column).view(kind)
    return np.array(texts).astype({"float": float, "single": np.float32}[kind])


def plain_categories(categories: pd.Index, where: str) -> np.ndarray:
    """The values of categories, as something that a file can hold.

    Parameters
    ----------
    categories
        Categories of one column.
    where
        The column's place, for messages.

    Raises
    ------
    CategoryError
        If they are of several types.
    """
    values = categories.to_numpy(copy=True)
    if values.dtype != object:
        return values
    inferred = pd.api.types.infer_dtype(values, skipna=False)
    if inferred == "date":
        return pd.to_datetime(values).to_numpy()
    if inferred in _KINDS and not (
        inferred == "integer" and any(n not in _INTEGERS for n in values)
    ):
        return values
    if isinstance(categories, pd.DatetimeIndex):  # with a time zone
        values = categories.tz_convert("UTC").to_numpy()
    types = sorted({type(value).__name__ for value in values})
    if len(types) > 1:
        raise CategoryError(
            f"{where} has categories of several types ({listed(types)}): "
            f"{listed(map(repr, values))}. Convert it: {where} = "
            f"{where}.astype(str)"
        )
    texts = np.array([str(value) for value in values], dtype=object)
    warnings.warn(
        f"The categories of {where} are of type {types[0]}, which no file can hold. They are taken "
        f"as the texts that write them: {listed(texts)}",
        UserWarning,
        stacklevel=settings.warnings_stacklevel,
    )
    return texts
