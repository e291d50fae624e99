"""Dictionaries of arrays as data of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scvi_rs import _core
from scvi_rs.data._engine import check_counts
from scvi_rs.exceptions import CountsError


def codes(values: Any, name: str) -> np.ndarray:
    """Numbers of categories: whole, from 0."""
    values = np.asarray(values)
    if values.size and not ((values >= 0) & (values == np.floor(values))).all():
        raise ValueError(f"{name} must be whole numbers from 0 on")
    return np.ascontiguousarray(values, np.uint32)


def _table(values: Any, n_cells: int, dtype: type) -> np.ndarray:
    return np.ascontiguousarray(np.reshape(values, (n_cells, -1)), dtype)


def engine_data(
    n_cells: int,
    n_genes: int,
    x: Any = None,
    batch_index: Any = None,
    y: Any = None,
    cont_covs: Any = None,
    cat_covs: Any = None,
    size_factor: Any = None,
    posterior: Mapping[str, Any] | None = None,
) -> _core.Data:
    """A minibatch for the engine; without ``x`` it has no counts.

    Raises
    ------
    CountsError
        If a cell has no counts.
    """
    if n_cells == 0:
        raise ValueError("a minibatch without cells")
    if x is None:
        nothing = np.zeros(0, np.float32)
        starts = np.zeros(n_cells + 1, np.int64)
        counts = _core.Counts.csr(starts, np.zeros(0, np.int32), nothing, n_genes)
    else:
        counts = _core.Counts.dense(np.ascontiguousarray(x, np.float32))
        empty = check_counts(counts, range(n_cells), range(counts.n_genes))["empty_cells"]
        if len(empty):
            raise CountsError(f"cells {empty.tolist()} of the minibatch have no counts")
    if batch_index is None:
        batch_index = np.zeros(n_cells, np.uint32)
    known = {
        "batch": codes(batch_index, "batch").reshape(-1),
        "labels": None if y is None else codes(y, "labels").reshape(-1),
        "categories": None
        if cat_covs is None
        else codes(_table(cat_covs, n_cells, float), "categorical covariates"),
        "continuous": None if cont_covs is None else _table(cont_covs, n_cells, np.float32),
        "size_factor": None,
        "posterior": posterior,
    }
    if size_factor is not None:
        known["size_factor"] = np.ascontiguousarray(size_factor, np.float32).reshape(-1)
    return _core.Data(counts, known)
