"""Highly variable genes, of data in memory or in a file."""

from __future__ import annotations

import os
import warnings
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from scvi_rs import _core
from scvi_rs._settings import settings
from scvi_rs.data._categories import native_column
from scvi_rs.data._codes import encode
from scvi_rs.data._engine import check_counts
from scvi_rs.model.base._counts import engine_counts

Flavor = Literal["seurat_v3", "pearson_residuals", "cell_ranger"]

_ORDER = {
    "seurat_v3": [
        "means",
        "variances",
        "gene_name",
        "highly_variable_nbatches",
        "highly_variable_rank",
        "variances_norm",
        "highly_variable",
    ],
    "pearson_residuals": [
        "means",
        "variances",
        "residual_variances",
        "highly_variable_rank",
        "highly_variable_nbatches",
        "highly_variable_intersection",
        "highly_variable",
    ],
    "cell_ranger": [
        "means",
        "dispersions",
        "dispersions_norm",
        "highly_variable",
        "highly_variable_nbatches",
        "highly_variable_intersection",
    ],
}
"""scanpy's order of the columns it returns."""


def highly_variable_genes(
    adata: AnnData | str | os.PathLike[str],
    *,
    layer: str | None = None,
    n_top_genes: int = 2000,
    flavor: Flavor = "seurat_v3",
    batch_key: str | None = None,
    span: float = 0.3,
    theta: float = 100.0,
    clip: float | None = None,
    min_cells: int | None = None,
    subset: bool = False,
    inplace: bool = True,
    check_values: bool = True,
) -> pd.DataFrame | None:
    """Chooses the most variable genes by raw counts, batch by batch, as scanpy 1.11 does.

    Counts are read some cells at a time, so that files can be larger than memory. The command
    ``scvi genes`` gives the same numbers.

    Parameters
    ----------
    adata
        Cells in memory or backed by a file, or the path of a file: ``.h5ad``, ``.zarr``, ``.h5`` or
        matrix folder of 10x.
    layer
        Key in ``adata.layers`` of the counts; ``None`` for ``adata.X``.
    n_top_genes
        How many genes to choose.
    flavor
        How variable a gene is taken to be. Every flavor takes counts: ``"cell_ranger"`` normalizes
        each cell to 10,000 and takes ``log1p`` by itself, which scanpy expects to have been done.
    batch_key
        Column of obs with the batch of each cell; ``None`` for one batch.
    span
        Share of genes in a neighborhood of the loess trend (``"seurat_v3"``).
    theta
        Inverse overdispersion (``"pearson_residuals"``).
    clip
        Largest absolute residual (``"pearson_residuals"``); ``None`` for the square root of the
        number of cells.
    min_cells
        Cells that a gene must have counts in, as :func:`scanpy.pp.filter_genes` has it; others are
        left out first, and what is said of them is missing. ``None`` leaves out no gene.
    subset
        Whether to keep only the chosen genes, in ``adata`` or in the table.
    inplace
        Whether to write into ``adata.var`` instead of returning a table. A path always gives a table.
    check_values
        Whether to warn of values that are not whole numbers.

    Returns
    -------
    A table with a row per gene and scanpy's columns, or ``None``.

    Raises
    ------
    GenesError
        If there is too little to choose from.
    CountsError
        If a count is negative or not finite.

    Examples
    --------
    >>> import scvi_rs
    >>> adata = scvi_rs.data.synthetic_iid()
    >>> scvi_rs.pp.highly_variable_genes(adata, n_top_genes=20, batch_key="batch")
    >>> int(adata.var["highly_variable"].sum())
    20
    """
    selection = {
        "flavor": flavor,
        "n_top_genes": n_top_genes,
        "min_cells": min_cells,
        "span": span,
        "theta": theta,
        "clip": clip,
    }
    is_table = not inplace or not isinstance(adata, AnnData)
    if isinstance(adata, AnnData):
        found = _of_anndata(adata, layer, batch_key, selection)
    else:
        found = _core.choose_genes_of_file(os.fspath(adata), layer, batch_key, selection)
    if check_values and not found["is_integral"]:
        warnings.warn(
            f"flavor={flavor!r} expects raw counts, but values that are not whole numbers were found.",
            UserWarning,
            stacklevel=settings.warnings_stacklevel,
        )
    table = pd.DataFrame(found["columns"], index=pd.Index(found["names"]))
    if "highly_variable_rank" in table:
        table["highly_variable_rank"] = table["highly_variable_rank"].astype(np.float32)
    if is_table:
        table["gene_name"] = table.index
        order = [name for name in ["n_cells", *_ORDER[flavor]] if name in table]
        return table.loc[table["highly_variable"] if subset else slice(None), order]
    if "dispersions_norm" in table:
        table["dispersions_norm"] = table["dispersions_norm"].astype(np.float32)
    adata.uns["hvg"] = {"flavor": flavor}
    for name in table:
        adata.var[name] = table[name].to_numpy()
    if subset:
        adata._inplace_subset_var(table["highly_variable"].to_numpy())
    return None


def _of_anndata(
    adata: AnnData, layer: str | None, batch_key: str | None, selection: dict[str, Any]
) -> dict[str, Any]:
    """What the engine finds out about data that Python holds."""
    if layer is not None and layer not in adata.layers:
        raise KeyError(f"{layer!r} is not in adata.layers, which has: {', '.join(adata.layers)}")
    X = adata.X if layer is None else adata.layers[layer]
    if X is None:
        raise ValueError("adata.X is None; name the layer that holds the counts (layer=...).")
    batch = None
    if batch_key is not None:
        if batch_key not in adata.obs:
            raise KeyError(f"{batch_key!r} is not in adata.obs, which has: {', '.join(adata.obs)}")
        column, where = adata.obs[batch_key], f"adata.obs[{batch_key!r}]"
        codes, categories = encode(column, where, allow_many_categories=True)
        batch = (native_column(batch_key, categories), codes.astype(np.uint32))
    counts = engine_counts(X)
    names = [str(name) for name in adata.var_names]
    seen = check_counts(counts, adata.obs_names, names, "highly_variable_genes")
    columns = _core.choose_genes(counts, names, batch, selection)
    return {"columns": columns, "names": adata.var_names, "is_integral": seen["is_integral"]}
