"""Samples as laboratories have them, read as one AnnData."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import anndata
from anndata import AnnData

from .. import _core
from .._settings import settings


def read_inputs(
    inputs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    batch_key: str = "sample",
    batch_names: Sequence[str] | None = None,
    join: Literal["inner", "outer"] = "inner",
    gene_names: Literal["symbol", "id"] = "symbol",
    genome: str | None = None,
    layer: str | None = None,
    allow_raw_matrix: bool = False,
) -> AnnData:
    """One AnnData of one or several inputs, as the command ``scvi train`` takes them.

    An input is a Cell Ranger ``.h5``, a folder with ``matrix.mtx``, a Cell Ranger output folder, an
    ``.h5mu`` (its modality ``rna``), an ``.h5ad`` or ``.zarr``, or ``@samples.csv``, a list with the columns ``path`` and,
    where wanted, ``name`` and further ones, which become columns of ``obs``.

    Several inputs are joined by gene name as :func:`anndata.concat` does with
    ``index_unique="-"``.

    Parameters
    ----------
    inputs
        Path of an input, or of each.
    batch_key
        Column of ``obs`` that tells samples apart: one that all have, or a new one.
    batch_names
        Name of each input; by default that of its file or folder.
    join
        Whether genes that some inputs lack are left out (``inner``) or 0 there (``outer``).
    gene_names
        Whether genes of a 10x matrix are named by symbol, made unique, or by id.
    genome
        Genome whose genes are read, where a 10x file holds several.
    layer
        Matrix of AnnData inputs that is joined: a layer, ``raw`` or, if None, X.
    allow_raw_matrix
        Whether a matrix of all barcodes is read, most of which are empty droplets.

    Returns
    -------
    The data, counts in ``X``. One AnnData alone is read as it is, with all its layers.

    Raises
    ------
    FileError
        If an input cannot be read, or inputs do not go together.

    Examples
    --------
    >>> import scvi_rs
    >>> scvi_rs.data.synthetic_iid().write_h5ad("a.h5ad")
    >>> scvi_rs.data.read_inputs(["a.h5ad", "a.h5ad"], batch_names=["x", "y"]).obs["sample"].nunique()
    2
    """
    paths = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    if not paths:
        raise ValueError("inputs is empty; expected a path, or several")
    options = {
        "batch_key": batch_key,
        "batch_names": [str(name) for name in batch_names or []],
        "join": join,
        "gene_names": gene_names,
        "genome": genome,
        "layer": layer,
        "allow_raw_matrix": allow_raw_matrix,
    }
    with tempfile.TemporaryDirectory(prefix="scvi-inputs-") as folder:
        output = os.path.join(folder, "joined.h5ad")
        found, left_out = _core.join_inputs([os.fspath(path) for path in paths], output, options)
        for name, kind, n in left_out:
            warnings.warn(
                f"{name}: left out {n} features of type {kind}",
                UserWarning,
                stacklevel=settings.warnings_stacklevel,
            )
        is_zarr = Path(found).is_dir()
        return anndata.read_zarr(found) if is_zarr else anndata.read_h5ad(found)
