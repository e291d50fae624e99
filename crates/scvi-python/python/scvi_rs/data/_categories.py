"""Categories of columns: codes, and the texts and kinds that the engine knows them by."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
import pandas as pd

from scvi_rs._settings import settings

CategoryKind = Literal["text", "integer", "float", "single", "bool"]

_KINDS: dict[str, CategoryKind] = {
    "boolean": "bool",
    "floating": "float",
    "integer": "integer",
    "mixed-integer-float": "float",
}
_NAMED = 10


def category_kind(categories: np.ndarray) -> CategoryKind:
    """What categories are in the data, by the engine's word for it.

    Parameters
    ----------
    categories
        Categories, or values, of one column.
    """
    categories = np.asarray(categories)
    if categories.dtype == np.float32:
        return "single"
    inferred = pd.api.types.infer_dtype(categories, skipna=False)
    return _KINDS.get(inferred, "text")


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
    return [str(value) for value in categories.tolist()]


def _single_text(value: np.float32) -> str:
    """The shortest digits that read back the same, laid out as those of a float of 8 bytes.

    ``str`` of a ``numpy.float32`` lays them out differently from release to release.
    """
    if value == 0 or 1e-4 <= abs(value) < 1e16:
        return np.format_float_positional(value, trim="0")
    return np.format_float_scientific(value, trim="-", exp_digits=2)


def from_texts(texts: list[str], kind: CategoryKind) -> np.ndarray:
    """Categories of a kind from the texts that :func:`category_texts` made of them."""
    if kind == "text":
        return np.array(texts, dtype=object)
    if kind == "bool":
        return np.array([text == "True" for text in texts])
    return np.array(texts).astype({"integer": np.int64, "float": float, "single": np.float32}[kind])


def name_some(values: object, limit: int = _NAMED) -> str:
    """The first few of a list of names, for a message."""
    names = [str(value) for value in values]  # type: ignore[attr-defined]
    return ", ".join(names[:limit]) + (f", ... ({len(names)})" if len(names) > limit else "")


def encode(column: pd.Series, where: str, categories: np.ndarray | None = None):
    """Codes of a column's values, and what they stand for.

    Without ``categories``, those are a categorical's own in its order, used or not, and of
    anything else the values that occur, sorted.

    Parameters
    ----------
    column
        One value a cell.
    where
        The column's place, for messages.
    categories
        Categories to code by.

    Returns
    -------
    codes : ndarray of int, (cells,)
    categories : ndarray

    Raises
    ------
    ValueError
        If a cell has no value, or one that is not among ``categories``.
    """
    check_complete(column, where)
    dtype = "category" if categories is None else pd.CategoricalDtype(categories, ordered=True)
    coded = column.astype(dtype)
    codes = coded.cat.codes.to_numpy()
    if (codes < 0).any():
        unseen = pd.unique(column[codes < 0])
        raise ValueError(_unseen_message(unseen, where, categories))
    _warn_of_small_categories(coded, where)
    return codes, coded.cat.categories.to_numpy(copy=True)


def extended(categories: np.ndarray, column: pd.Series, where: str, extend: bool) -> np.ndarray:
    """Categories, and after them, sorted, the values of a column that are not among them.

    Parameters
    ----------
    categories
        What there is.
    column
        One value a cell.
    where
        The column's place, for messages.
    extend
        Whether new ones are allowed.

    Raises
    ------
    ValueError
        If there are new ones and they are not allowed, or are of another kind than the others.
    """
    check_complete(column, where)
    # As values: a categorical's own would be sorted in the order of its categories.
    is_coded = isinstance(column.dtype, pd.CategoricalDtype)
    found = column.cat.remove_unused_categories().cat.categories if is_coded else column.unique()
    new = pd.Index(found).difference(pd.Index(categories)).to_numpy()
    if len(new) == 0:
        return categories.copy()
    if not extend:
        raise ValueError(_unseen_message(new, where, categories))
    kind, new_kind = category_kind(categories), category_kind(new)
    if kind != "text" and kind != new_kind:
        raise ValueError(
            f"Cannot add {name_some(new)} ({new_kind}) of {where} to categories that are "
            f"{kind}: {name_some(categories)}. Convert the column first."
        )
    return np.concatenate([categories, new])


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
            f"{name_some(column.index[missing])}. Fill them in, or drop these cells."
        )


def _unseen_message(unseen: np.ndarray, where: str, known: np.ndarray) -> str:
    return (
        f"Category {unseen[0]} not found in source registry. Cannot transfer setup without "
        f"`extend_categories = True`. Of {where}, unknown: {name_some(unseen)}; "
        f"known: {name_some(known)}."
    )


def _warn_of_small_categories(coded: pd.Series, where: str) -> None:
    cells = coded.value_counts(sort=False)
    few = cells.index[(cells > 0) & (cells < 3)]
    if len(few) > 0:
        verb = "Category {} in {} has" if len(few) == 1 else "Categories {} in {} have"
        warnings.warn(
            verb.format(name_some(few), where)
            + " fewer than 3 cells. Models may not train properly.",
            UserWarning,
            stacklevel=settings.warnings_stacklevel,
        )
