"""What fields, manager and models ask of an AnnData object."""

from __future__ import annotations

import logging
import warnings
from os import PathLike, fspath
from typing import Any
from uuid import uuid4

import h5py
import numpy as np
import pandas as pd
from anndata import AnnData
from anndata.abc import CSCDataset, CSRDataset
from scipy.sparse import issparse

from scvi_rs._listed import listed
from scvi_rs._settings import settings

from . import _constants

logger = logging.getLogger(__name__)

BACKED = (h5py.Dataset, CSRDataset, CSCDataset)
"""Matrices that lie in a file."""

_ROWS_TO_CHECK = 100
_VALUES_TO_CHECK = 2000


def get_anndata_attribute(
    adata: AnnData, attr_name: str, attr_key: str | None, mod_key: str | None = None
) -> Any:
    """A part of an AnnData object.

    Parameters
    ----------
    adata
        The object.
    attr_name
        ``"X"``, ``"layers"``, ``"obs"``, ``"obsm"``, ``"uns"``, ...
    attr_key
        Key within it; ``None`` for the whole.
    mod_key
        Modality of a MuData object, which this package does not read.

    Returns
    -------
    The matrix or other object itself; of a data frame's column a copy of shape ``(n, 1)``.

    Raises
    ------
    ValueError
        If there is no such part.
    """
    if mod_key is not None:
        raise ValueError(f"Cannot access modality {mod_key} on an AnnData object.")
    part = getattr(adata, attr_name)
    if attr_key is None:
        return part
    if attr_key not in part:
        thing = "column" if isinstance(part, pd.DataFrame) else "key"
        raise ValueError(
            f"{attr_key} is not a valid {thing} in adata.{attr_name}; there are: {listed(part)}"
        )
    part = part[attr_key]
    return part.to_numpy().reshape(-1, 1) if isinstance(part, pd.Series) else part


def require_key(adata: AnnData, attr_name: str, attr_key: str) -> None:
    """Checks that a part of an AnnData object has a key.

    Raises
    ------
    KeyError
        Naming what there is.
    """
    part = getattr(adata, attr_name)
    if attr_key not in part:
        things = "columns" if isinstance(part, pd.DataFrame) else "keys"
        there = listed(part)
        raise KeyError(f"{attr_key} not found in adata.{attr_name}. Its {things}: {there}.")


def place(attr_name: str, attr_key: str | None) -> str:
    """A part of an AnnData object as one writes it in Python."""
    return f"adata.{attr_name}" if attr_key is None else f"adata.{attr_name}['{attr_key}']"


def _verify_and_correct_data_format(adata: AnnData, attr_name: str, attr_key: str | None) -> None:
    """Warns of sparse data by columns, and lays dense data out by rows."""
    data = get_anndata_attribute(adata, attr_name, attr_key)
    where = place(attr_name, attr_key)
    if issparse(data) and data.format != "csr":
        warnings.warn(
            f"{where} is a sparse matrix in {data.format.upper()} format. Training will be faster "
            "in CSR format; it is safe to convert it before setup.",
            UserWarning,
            stacklevel=settings.warnings_stacklevel,
        )
        return
    if isinstance(data, np.ndarray) and not data.flags.c_contiguous:
        ordered: Any = np.ascontiguousarray(data)
    elif isinstance(data, pd.DataFrame) and not data.to_numpy().flags.c_contiguous:
        rows = np.ascontiguousarray(data.to_numpy())
        ordered = pd.DataFrame(rows, index=data.index, columns=data.columns)
    else:
        return
    logger.debug("Laying out %s by rows.", where)
    if attr_key is None:
        setattr(adata, attr_name, ordered)
    else:
        getattr(adata, attr_name)[attr_key] = ordered


def _check_nonnegative_integers(data: Any) -> bool:
    """Whether a sample of a matrix holds counts only.

    Looks at up to 2000 stored values of a sparse matrix and 100 rows of any other, spread evenly
    (of a file: the first rows). Draws no random numbers.
    """
    if isinstance(data, pd.DataFrame):
        data = data.to_numpy()
    if isinstance(data, BACKED):
        sample = data[:_ROWS_TO_CHECK]
    elif issparse(data):
        sample = data.data[:: -(-max(data.nnz, 1) // _VALUES_TO_CHECK)]
    else:
        sample = data[:: -(-max(data.shape[0], 1) // _ROWS_TO_CHECK)]
    if hasattr(sample, "compute"):  # dask
        sample = sample.compute()
    values = sample.data if issparse(sample) else np.asarray(sample)
    return bool(np.all((values >= 0) & (values % 1 == 0)))


def _assign_adata_uuid(adata: AnnData, overwrite: bool = False) -> None:
    """Gives an AnnData object an identity, if it has none or ``overwrite`` is set."""
    if overwrite or _constants._SCVI_UUID_KEY not in adata.uns:
        adata.uns[_constants._SCVI_UUID_KEY] = str(uuid4())


def _check_if_view(adata: AnnData, copy_if_view: bool = False) -> None:
    """Refuses a view, or makes a copy of it in place, with an identity of its own.

    Raises
    ------
    ValueError
        If ``adata`` is a view and ``copy_if_view`` is not set.
    """
    if not adata.is_view:
        return
    if not copy_if_view:
        raise ValueError("adata is a view of another. Please run `adata = adata.copy()`")
    logger.info("Received view of anndata, making copy.")
    adata._init_as_actual(adata.copy())
    _assign_adata_uuid(adata, overwrite=True)


def _get_adata_minify_type(adata: AnnData) -> str | None:
    """What a minified AnnData object keeps; ``None`` where it is not minified."""
    return adata.uns.get(_constants._ADATA_MINIFY_TYPE_UNS_KEY)


def _is_minified(adata: AnnData | str | PathLike[str]) -> bool:
    """Whether an AnnData object, or an .h5ad file by its path, is minified."""
    if isinstance(adata, AnnData):
        return _get_adata_minify_type(adata) is not None
    if isinstance(adata, str | PathLike):
        with h5py.File(fspath(adata)) as file:
            return f"uns/{_constants._ADATA_MINIFY_TYPE_UNS_KEY}" in file
    raise TypeError(f"Unsupported type: {type(adata)}; expected an AnnData object or a path.")
