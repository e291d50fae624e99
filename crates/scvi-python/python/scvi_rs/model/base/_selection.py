"""Which cells a task is about, as the engine takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scvi_rs import _core
from scvi_rs._listed import listed
from scvi_rs.data._names import describe_repeated, find_once


@dataclass
class Selection:
    """Cells of a data set, in the order of a task's results.

    Parameters
    ----------
    data
        The data.
    indices
        Numbers of the cells, uint32; ``None`` for all.
    batch_size
        Cells evaluated at a time; results do not depend on it.
    progress
        Called with ``(done, total)`` every now and then.
    """

    data: _core.Data
    indices: np.ndarray | None
    batch_size: int
    progress: Callable[[int, int], Any] | None = None


def cell_numbers(
    indices: Sequence[int] | Sequence[bool] | Sequence[str] | np.ndarray,
    names: pd.Index,
    argument: str = "indices",
) -> np.ndarray:
    """Cells by number, from numbers (from the end where negative), a mask, or names.

    Parameters
    ----------
    indices
        Numbers, a mask, or names.
    names
        Names of the cells that there are.
    argument
        What the user calls ``indices``.

    Raises
    ------
    IndexError
        If they are none of these, there is no such cell, a name stands for several, or the mask is
        not of all cells.
    """
    n_cells = len(names)
    indices = np.asarray(indices)
    if indices.dtype == bool:
        if indices.shape != (n_cells,):
            raise IndexError(
                f"{argument} is a mask of shape {indices.shape}; one of all {n_cells} cells is "
                "expected"
            )
        indices = np.flatnonzero(indices)
    if indices.size == 0:
        return np.zeros(0, np.uint32)
    if indices.ndim == 1 and all(isinstance(name, str) for name in indices):
        return _named_cells(pd.Index(indices), names, argument)
    if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
        raise IndexError(_not_numbers(indices, argument))
    outside = (indices < -n_cells) | (indices >= n_cells)
    if outside.any():
        raise IndexError(
            f"{argument} has cell {indices[outside][0]}; there are {n_cells} cells, numbered from 0"
        )
    return np.where(indices < 0, indices + n_cells, indices).astype(np.uint32)


def _named_cells(asked: pd.Index, names: pd.Index, argument: str) -> np.ndarray:
    problem = describe_repeated(asked, names, "rows")
    if problem is not None:
        raise IndexError(
            f"{argument} cannot tell cells apart: {problem}. Give their numbers, or the cells names "
            "of their own: adata.obs_names_make_unique()"
        )
    unknown = asked[~asked.isin(names)]
    if len(unknown):
        raise IndexError(
            f"{argument} names {len(unknown)} cells that adata.obs_names does not have: "
            f"{listed(unknown)}"
        )
    return find_once(asked, names).astype(np.uint32)


def _not_numbers(indices: np.ndarray, argument: str) -> str:
    return (
        f"{argument} is an array of {indices.dtype} of shape {indices.shape} "
        f"({indices.item(0)!r}, ...); expected a list of whole numbers, a list of names, or a mask of "
        "all cells"
    )
