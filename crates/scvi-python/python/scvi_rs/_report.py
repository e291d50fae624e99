"""The page that shows what a model learned."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from ._listed import listed
from ._settings import settings
from .exceptions import FileError, ReportError

if TYPE_CHECKING:
    from .model import SCVI

#: More categories than that no legend can tell apart.
MOST_CATEGORIES = 200


def report(
    model: SCVI,
    adata: AnnData | None = None,
    path: str | os.PathLike[str] = "report.html",
    *,
    labels_keys: Sequence[str] | None = None,
    color_by: Sequence[str] | None = None,
    de: str | os.PathLike[str] | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    overwrite: bool = False,
) -> str:
    """Writes a page that shows what a model learned, as the command ``scvi report`` does.

    Parameters
    ----------
    model
        A trained model.
    adata
        Data with the columns that the model was set up with; the model's own if ``None``.
    path
        The page: one HTML file that needs no network.
    labels_keys
        Columns of ``obs`` with labels such as cell types; the model's labels if ``None``.
    color_by
        Further columns of ``obs``, or genes, to color cells by.
    de
        A table of differential expression, written as csv, with a column ``gene`` or the genes as
        its index.
    batch_size
        Cells evaluated at a time; the page does not depend on it.
    seed
        Seed of sample, picture and draws; 0 if ``None``.
    overwrite
        Whether the page may be there already.

    Returns
    -------
    The path of the page.

    Raises
    ------
    ReportError
        If a column or gene is not there, or a table is none of differential expression.
    FileError
        If the page is there and ``overwrite`` is not set, or cannot be written.

    Examples
    --------
    >>> scvi_rs.report(model, path="report.html", labels_keys=["labels"])
    'report.html'
    """
    path = os.fspath(path)
    if os.path.lexists(path) and not overwrite:
        raise FileError(f"{path} exists already; overwrite=True replaces it.")
    cells = model._cells(adata, None, batch_size)
    adata = model._validate_anndata(adata)
    engine = model._engine()
    engine.report(
        cells,
        {
            "names": [str(name) for name in adata.obs_names],
            **_colors(adata, engine, labels_keys, color_by),
            "de": None if de is None else os.fspath(de),
            "model": f"{engine.model_class} in Python",
            "input": "adata",
        },
        path,
        overwrite,
        settings.seed or 0 if seed is None else seed,
    )
    return path


def _colors(
    adata: AnnData,
    engine: Any,
    labels_keys: Sequence[str] | None,
    color_by: Sequence[str] | None,
) -> dict[str, Any]:
    """Columns of ``obs`` and numbers of genes: labels first, then what the model reads."""
    for argument, names in (("labels_keys", labels_keys), ("color_by", color_by)):
        if isinstance(names, str):
            raise TypeError(f"{argument} is one name; a list is expected: {argument}=[{names!r}]")
    registry = engine.registry
    labels = registry["labels"]
    keys = list(labels_keys or [])
    # Data can be read for the model without its labels, too.
    if labels_keys is None and labels and labels["key"] in adata.obs:
        keys = [labels["key"]]
    wanted = [(key, "labels") for key in keys]
    if registry["batch"]:
        wanted.append((registry["batch"]["key"], "batch"))
    covariates = [field["key"] for field in registry["categorical_covariates"]]
    wanted += [(key, "covariate") for key in covariates + registry["continuous_covariates"]]
    genes: list[int] = []
    var_names = engine.var_names
    for name in color_by or []:
        if name in adata.obs:
            wanted.append((name, "color"))
        elif var_names.count(name) == 1:
            genes.append(var_names.index(name))
        else:
            columns = listed(list(adata.obs.columns))
            raise ReportError(f"adata has no obs column and no gene {name!r} (columns: {columns})")
    columns: dict[str, dict[str, Any]] = {}
    for key, role in wanted:
        if key not in adata.obs:
            found = listed(list(adata.obs.columns))
            raise ReportError(f"adata.obs has no column {key!r} (it has: {found})")
        columns.setdefault(key, _column(key, role, adata.obs[key]))
    return {"columns": list(columns.values()), "color_genes": list(dict.fromkeys(genes))}


def _column(key: str, role: str, values: pd.Series) -> dict[str, Any]:
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if is_number and role not in ("labels", "batch"):
        numbers = values.to_numpy(dtype=np.float32, na_value=np.nan)
        return {"key": key, "role": role, "categories": None, "codes": None, "numbers": numbers}
    categories = pd.Categorical(values).remove_unused_categories()
    if len(categories.categories) > MOST_CATEGORIES and role in ("labels", "color"):
        raise ReportError(
            f"adata.obs[{key!r}] has {len(categories.categories)} categories; at most "
            f"{MOST_CATEGORIES} can be colored"
        )
    return {
        "key": key,
        "role": role,
        "categories": [str(name) for name in categories.categories],
        "codes": np.asarray(categories.codes, dtype=np.int32),
        "numbers": None,
    }
