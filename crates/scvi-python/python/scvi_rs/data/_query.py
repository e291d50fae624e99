"""Query data with a reference model's genes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.sparse import issparse

from scvi_rs._listed import listed
from scvi_rs._settings import settings

from ._names import find_once, repeated_names

logger = logging.getLogger(__name__)

MIN_VAR_NAME_RATIO = 0.8


def align_genes(
    adata: AnnData, var_names: Sequence[str] | pd.Index, inplace: bool = True
) -> AnnData | None:
    """Gives an AnnData object the genes of a reference, in its order.

    Genes that the reference does not have are dropped; those that ``adata`` does not have get
    zeros, which take no memory in sparse data. X and every layer are treated alike and keep their
    format; obs, obsm, obsp, uns and raw are kept, var is reindexed, varm and varp are dropped.

    Parameters
    ----------
    adata
        The data, in memory.
    var_names
        The reference's genes.
    inplace
        Whether ``adata`` itself is changed.

    Returns
    -------
    The aligned data, or ``None`` if ``inplace``.

    Raises
    ------
    ValueError
        If no gene is shared, the name of a shared gene repeats, or the data lie in a file.
    """
    reference = pd.Index(var_names)
    if adata.isbacked:
        raise ValueError("adata lies in a file; read it first: adata = adata.to_memory()")
    if adata.var_names.equals(reference):
        return None if inplace else adata.copy()
    for names, owner in (
        (adata.var_names, "adata.var_names"),
        (reference, "the reference's genes"),
    ):
        twice = repeated_names(names)
        twice = twice[twice.isin(reference) & twice.isin(adata.var_names)]
        if len(twice):
            raise ValueError(
                f"{owner} repeat: {listed(twice)}. Run adata.var_names_make_unique() first."
            )
    _check_overlap(adata.var_names, reference)
    # Column of adata for each gene of the reference; -1 where there is none.
    columns = find_once(reference, adata.var_names)
    aligned = AnnData(
        X=None if adata.X is None else _take_columns(adata.X, columns),
        obs=adata.obs.copy(),
        var=_reindex(adata.var[~adata.var_names.duplicated(keep=False)], reference),
        uns=dict(adata.uns),
        obsm=dict(adata.obsm),
        obsp=dict(adata.obsp),
        layers={key: _take_columns(layer, columns) for key, layer in adata.layers.items()},
        raw=adata.raw,
    )
    if not inplace:
        return aligned
    adata._init_as_actual(aligned)
    return None


def _check_overlap(found: pd.Index, reference: pd.Index) -> None:
    shared = int(reference.isin(found).sum())
    if shared == 0:
        raise ValueError(
            "No reference var names found in query data. Please rerun with "
            "return_reference_var_names=True to see reference var names. The query has, e.g., "
            f"{listed(found[:3])}; the reference {listed(reference[:3])}."
        )
    ratio = shared / len(reference)
    logger.info("Found %.4g%% reference vars in query data.", 100 * ratio)
    if ratio < MIN_VAR_NAME_RATIO:
        warnings.warn(
            f"Query data contains less than {MIN_VAR_NAME_RATIO:.0%} of reference var names "
            f"({shared} of {len(reference)}). This may result in poor performance.",
            UserWarning,
            stacklevel=settings.warnings_stacklevel,
        )


def _take_columns(matrix: Any, columns: np.ndarray) -> Any:
    """Columns of a matrix by their numbers, zeros for -1, in the matrix's own format."""
    (there,) = np.nonzero(columns >= 0)
    shape = (matrix.shape[1], len(columns))
    if not issparse(matrix):
        taken = np.zeros((matrix.shape[0], len(columns)), matrix.dtype)
        taken[:, there] = np.asarray(matrix)[:, columns[there]]
        return taken
    # A product with a matrix of ones, of which each row and column has at most one, only moves.
    ones = np.ones(len(there), matrix.dtype)
    taken = matrix @ type(matrix)((ones, (columns[there], there)), shape=shape)
    taken = taken.asformat(matrix.format)
    if hasattr(taken, "sort_indices"):
        taken.sort_indices()
    return taken


def _reindex(var: pd.DataFrame, names: pd.Index) -> pd.DataFrame:
    """Rows by name; genes that are not there have missing values."""
    if not names.isin(var.index).all():
        # A column of True, False and NaN would be one of objects, which no file can hold.
        flags = var.select_dtypes(bool).columns
        var = var.astype(dict.fromkeys(flags, "boolean"))
    return var.reindex(names)
