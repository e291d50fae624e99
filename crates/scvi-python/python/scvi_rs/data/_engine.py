"""From a registered AnnData object to the arrays that the engine takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from scvi_rs import _core
from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs.exceptions import CountsError

from ._manager import AnnDataManager


@dataclass(frozen=True)
class EngineInputs:
    """What the engine reads of a data set. All arrays are contiguous, a row a cell.

    Parameters
    ----------
    X
        The matrix of cells by genes itself, never a copy: sparse, dense, or in a file.
    batch
        Code of each cell's batch, uint32 ``(n,)``.
    labels
        Code of each cell's label, uint32 ``(n,)``.
    categorical
        Codes of categorical covariates, uint32 ``(n, k)``; ``k`` may be 0.
    continuous
        Continuous covariates, float32 ``(n, k)``; ``k`` may be 0.
    size_factor
        Size factors, float32 ``(n,)``; ``None`` where none are registered.
    observed_lib_size
        Total counts before the data were minified, float32 ``(n,)``; ``None`` otherwise.
    latent_qzm, latent_qzv
        Means and variances of minified cells, float32 ``(n, latent)``; ``None`` otherwise.
    minified_data_type
        What minified data keep; ``None`` where they are not minified.
    var_names
        The genes' names.
    """

    X: Any
    batch: np.ndarray
    labels: np.ndarray
    categorical: np.ndarray
    continuous: np.ndarray
    size_factor: np.ndarray | None
    observed_lib_size: np.ndarray | None
    latent_qzm: np.ndarray | None
    latent_qzv: np.ndarray | None
    minified_data_type: str | None
    var_names: list[str]


def engine_inputs(manager: AnnDataManager) -> EngineInputs:
    """The arrays of a registered AnnData object.

    Parameters
    ----------
    manager
        Its manager. It registers the object again if another manager did since.

    Raises
    ------
    AssertionError
        If nothing is registered.
    """
    manager.validate()
    adata = manager.adata
    n = adata.n_obs
    registered = manager.data_registry

    def data(key: str) -> Any:
        return manager.get_from_registry(key) if key in registered else None

    def codes(key: str) -> np.ndarray:
        values = data(key)
        return np.zeros(n, np.uint32) if values is None else _array(values, np.uint32).reshape(n)

    def covariates(key: str, dtype: type) -> np.ndarray:
        values = data(key)
        return np.zeros((n, 0), dtype) if values is None else _array(values, dtype)

    def numbers(key: str) -> np.ndarray | None:
        values = data(key)
        return None if values is None else _array(values, np.float32)

    def column(key: str) -> np.ndarray | None:
        values = numbers(key)
        return None if values is None else values.reshape(n)

    return EngineInputs(
        X=manager.get_from_registry(REGISTRY_KEYS.X_KEY),
        batch=codes(REGISTRY_KEYS.BATCH_KEY),
        labels=codes(REGISTRY_KEYS.LABELS_KEY),
        categorical=covariates(REGISTRY_KEYS.CAT_COVS_KEY, np.uint32),
        continuous=covariates(REGISTRY_KEYS.CONT_COVS_KEY, np.float32),
        size_factor=column(REGISTRY_KEYS.SIZE_FACTOR_KEY),
        observed_lib_size=column(REGISTRY_KEYS.OBSERVED_LIB_SIZE),
        latent_qzm=numbers(REGISTRY_KEYS.LATENT_QZM_KEY),
        latent_qzv=numbers(REGISTRY_KEYS.LATENT_QZV_KEY),
        minified_data_type=data(REGISTRY_KEYS.MINIFY_TYPE_KEY),
        var_names=[str(name) for name in adata.var_names],
    )


def check_counts(
    counts: _core.Counts,
    cells: Sequence[object],
    genes: Sequence[object],
    reader: str = "setup_anndata",
) -> dict[str, Any]:
    """Looks at every count: numbers of the cells without any (``empty_cells``), and whether all counts
    are whole numbers (``is_integral``).

    Parameters
    ----------
    counts
        The counts.
    cells, genes
        Names of the cells, and of the model's genes.
    reader
        The function whose ``layer`` says where counts are, for messages.

    Raises
    ------
    CountsError
        Naming the first count that is negative or not finite.
    """
    found = counts.check()
    if "invalid" in found:
        cell, gene, value = found["invalid"]
        raise CountsError(
            f"the count of gene {genes[gene]} in cell {cells[cell]} is {value:g}; counts must be "
            f"finite and not negative. {reader}(layer=...) reads raw counts from a layer."
        )
    return found


def _array(values: Any, dtype: type) -> np.ndarray:
    if isinstance(values, pd.DataFrame):
        values = values.to_numpy(dtype)
    elif issparse(values):
        values = values.toarray()
    return np.ascontiguousarray(values, dtype)
