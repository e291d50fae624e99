"""Statistics of the raw counts of some cells."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

# Rows read at a time, which bounds the memory that data in a file need.
_ROWS = 8192
# Counts of a cell after normalisation.
_TOTAL = 1e4


class RawCounts(NamedTuple):
    """Statistics of each gene over some cells, each of shape ``(n_genes,)``."""

    mean: np.ndarray
    non_zeros_proportion: np.ndarray
    normalized_mean: np.ndarray


def raw_counts(X: Any, cells: np.ndarray) -> RawCounts:
    """Mean, share of cells with any, and mean after scaling each cell to 10,000 counts.

    A cell without counts adds nothing to the last.

    Parameters
    ----------
    X
        Counts of shape ``(cells, genes)``, in memory or in a file.
    cells
        Numbers of the cells, in rising order.
    """
    sums = np.zeros((3, X.shape[1]))
    for start in range(0, len(cells), _ROWS):
        block = X[cells[start : start + _ROWS]]
        if hasattr(block, "compute"):  # dask
            block = block.compute()
        if not sparse.issparse(block):
            block = np.asarray(block)
        totals = np.asarray(block.sum(axis=1), dtype=np.float64).ravel()
        scaling = np.divide(_TOTAL, totals, out=np.zeros_like(totals), where=totals > 0)
        ones = np.ones(len(totals))
        sums += np.stack([ones @ block, ones @ (block != 0), scaling @ block])
    return RawCounts(*(sums / len(cells)))
