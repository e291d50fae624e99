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


def cell_numbers(indices: Sequence[int] | Sequence[bool] | np.ndarray, n_cells: int) -> np.ndarray:
    """Cells by number, from numbers (from the end where negative) or a mask.

    Raises
    ------
    IndexError
        If there is no such cell, or the mask is not of all cells.
    """
    indices = np.asarray(indices)
    if indices.dtype == bool:
        if indices.shape != (n_cells,):
            raise IndexError(f"a mask of shape {indices.shape} for {n_cells} cells")
        indices = np.flatnonzero(indices)
    if indices.size == 0:
        return np.zeros(0, np.uint32)
    if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.number):
        raise IndexError(f"indices are {indices.dtype} of shape {indices.shape}; expected numbers")
    outside = (indices < -n_cells) | (indices >= n_cells)
    if outside.any():
        raise IndexError(f"cell {indices[outside][0]} was asked for; there are {n_cells}")
    return np.where(indices < 0, indices + n_cells, indices).astype(np.uint32)
