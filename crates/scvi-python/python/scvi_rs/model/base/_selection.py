"""Which cells a task is about, as the engine takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scvi_rs import _core


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
    indices: Sequence[int] | Sequence[bool] | np.ndarray, n_cells: int, argument: str = "indices"
) -> np.ndarray:
    """Cells by number, from numbers (from the end where negative) or a mask.

    Parameters
    ----------
    indices
        Numbers, or a mask.
    n_cells
        Number of cells that there are.
    argument
        What the user calls ``indices``.

    Raises
    ------
    IndexError
        If they are neither, there is no such cell, or the mask is not of all cells.
    """
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
    if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
        raise IndexError(_not_numbers(indices, argument))
    outside = (indices < -n_cells) | (indices >= n_cells)
    if outside.any():
        raise IndexError(
            f"{argument} has cell {indices[outside][0]}; there are {n_cells} cells, numbered from 0"
        )
    return np.where(indices < 0, indices + n_cells, indices).astype(np.uint32)


def _not_numbers(indices: np.ndarray, argument: str) -> str:
    first = indices.item(0)
    if isinstance(first, str):
        return (
            f"{argument} has names ({first!r}); expected cell numbers, or a mask of all cells. "
            f"adata.obs_names.get_indexer({argument}) gives the numbers."
        )
    return (
        f"{argument} is an array of {indices.dtype} of shape {indices.shape} ({first!r}, ...); "
        "expected a list of whole numbers, or a mask of all cells"
    )
