"""Counts of an AnnData object for the engine, borrowed or read as they are needed."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
import pandas as pd
from anndata.abc import CSCDataset, CSRDataset
from scipy import sparse

from scvi_rs import _core
from scvi_rs._listed import listed
from scvi_rs.data._names import describe_repeated
from scvi_rs.exceptions import GenesError

_BORROWED = tuple(
    np.dtype(kind) for kind in ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")
)
_ABSENT = np.iinfo(np.uint32).max


def engine_counts(X: Any, places: list[int] | None = None) -> _core.Counts:
    """Counts for the engine.

    CSR matrices and dense arrays are borrowed where they lie; matrices in a file, and of any other
    kind that can be indexed by rows, are read a minibatch at a time. Sparse matrices by columns,
    and numbers of unusual types, are copied.

    Parameters
    ----------
    X
        Counts of shape (cells, genes).
    places
        The model's gene of each column, where they differ.
    """
    if isinstance(X, pd.DataFrame):
        X = X.to_numpy()
    if sparse.issparse(X):
        X = X.tocsr()
        return _core.Counts.csr(
            np.ascontiguousarray(X.indptr),
            np.ascontiguousarray(X.indices),
            np.ascontiguousarray(_known(X.data)),
            X.shape[1],
            places,
        )
    if isinstance(X, np.ndarray):
        return _core.Counts.dense(_known(np.asarray(X)), places)
    return _core.Counts.callback(_RowReader(X), *X.shape, _max_nnz(X), places)


def _known(values: np.ndarray) -> np.ndarray:
    """Numbers of a type that can be borrowed, in the machine's byte order."""
    return (
        values if values.dtype in _BORROWED and values.dtype.isnative else values.astype(np.float32)
    )


def _max_nnz(X: Any) -> int:
    """The largest number of values stored in a row, or a bound on it."""
    if isinstance(X, CSRDataset):
        starts = X.group["indptr"][:]
        return int(np.diff(starts).max(initial=0))
    return X.shape[1]


class _RowReader:
    """Reads rows of a matrix that is not in memory; the engine calls it with cell numbers."""

    def __init__(self, X: h5py.Dataset | CSRDataset | CSCDataset | Any) -> None:
        self._matrix = X

    def __call__(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # Files want each row once, and in order.
        rows, place_of = np.unique(cells, return_inverse=True)
        block = self._matrix[rows]
        if hasattr(block, "compute"):  # dask
            block = block.compute()
        if isinstance(block, np.ndarray):
            # scipy knows fewer types of numbers than numpy.
            block = _known(block)
        block = sparse.csr_matrix(block)
        if not np.array_equal(place_of, np.arange(len(cells))):
            block = block[place_of]
        return block.indptr, block.indices, _known(block.data)


def gene_places(found: pd.Index, expected: list[str]) -> list[int] | None:
    """The model's gene of each column of the data; ``None`` where they are the same.

    Raises
    ------
    GenesError
        If a gene of the model is not in the data, or its name stands for several.
    """
    found = pd.Index(found).astype(str)
    if len(found) == len(expected) and (found == expected).all():
        return None
    known = pd.Index(expected)
    missing = known[~known.isin(found)]
    if len(missing):
        raise GenesError(
            f"{len(missing)} of the model's {len(known)} genes are not in adata.var_names: "
            f"{listed(missing)}. prepare_query_anndata() pads them with zeros."
        )
    for names, owner in ((found, "the data"), (known, "the model")):
        problem = describe_repeated(known, names, "columns")
        if problem is not None:
            raise GenesError(
                f"genes of {owner} cannot be matched by name: {problem}. Give them names of their "
                "own, adata.var_names_make_unique(), or the model's names in its order."
            )
    return [_ABSENT if place < 0 else int(place) for place in known.get_indexer(found)]
