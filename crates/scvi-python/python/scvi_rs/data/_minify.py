"""Minified data: cells by the posterior of their latent variables instead of their counts."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from anndata import AnnData
from scipy.sparse import csr_matrix, issparse

from scvi_rs._constants import REGISTRY_KEYS

from . import _constants
from ._constants import ADATA_MINIFY_TYPE
from ._manager import AnnDataManager
from ._utils import require_key
from .fields import BaseAnnDataField, NumericalObsField, ObsmField, StringUnsField

_ROWS = 4096


def check_minified_data_type(minified_data_type: str) -> None:
    """Checks that data can be minified so.

    Raises
    ------
    NotImplementedError
        Naming the ways there are.
    """
    if minified_data_type not in ADATA_MINIFY_TYPE:
        raise NotImplementedError(
            f"Minification method {minified_data_type} is not supported. There are: "
            f"{', '.join(ADATA_MINIFY_TYPE)}."
        )


LATENT_KEYS = (_constants._LATENT_QZM_OBSM_KEY, _constants._LATENT_QZV_OBSM_KEY)
"""Where minified data of an SCVI have means and variances in obsm."""


def minified_fields(
    minified_data_type: str, latent_keys: tuple[str, str] = LATENT_KEYS
) -> list[BaseAnnDataField]:
    """What a model reads of minified data, beside its other fields.

    Parameters
    ----------
    minified_data_type
        One of :data:`~scvi_rs.data._constants.ADATA_MINIFY_TYPE`.
    latent_keys
        Where means and variances are in obsm.
    """
    check_minified_data_type(minified_data_type)
    means, variances = latent_keys
    return [
        ObsmField(REGISTRY_KEYS.LATENT_QZM_KEY, means),
        ObsmField(REGISTRY_KEYS.LATENT_QZV_KEY, variances),
        NumericalObsField(REGISTRY_KEYS.OBSERVED_LIB_SIZE, _constants._OBSERVED_LIB_SIZE_OBS_KEY),
        StringUnsField(REGISTRY_KEYS.MINIFY_TYPE_KEY, _constants._ADATA_MINIFY_TYPE_UNS_KEY),
    ]


def minified_adata(
    manager: AnnDataManager,
    minified_data_type: str = ADATA_MINIFY_TYPE.LATENT_POSTERIOR,
    use_latent_qzm_key: str = "X_latent_qzm",
    use_latent_qzv_key: str = "X_latent_qzv",
    latent_keys: tuple[str, str] = LATENT_KEYS,
) -> AnnData:
    """A new AnnData object that holds each cell's posterior, with or without its counts.

    Posteriors go to ``obsm`` by ``latent_keys``, total counts to
    ``obs["observed_lib_size"]`` and ``minified_data_type`` to ``uns["_scvi_adata_minify_type"]``.
    Without counts X and layers are sparse and hold nothing, and there is no raw.

    Parameters
    ----------
    manager
        Manager of the original data, which stay as they are.
    minified_data_type
        ``"latent_posterior_parameters"``, or ``"latent_posterior_parameters_with_counts"``.
    use_latent_qzm_key, use_latent_qzv_key
        Where obsm holds means and variances.
    latent_keys
        Where the new object's obsm is to hold them.

    Raises
    ------
    NotImplementedError
        If there is no such ``minified_data_type``.
    KeyError
        If obsm has no means or variances.
    """
    check_minified_data_type(minified_data_type)
    adata = manager.adata
    for key in (use_latent_qzm_key, use_latent_qzv_key):
        require_key(adata, _constants._ADATA_ATTRS.OBSM, key)
    if minified_data_type == ADATA_MINIFY_TYPE.LATENT_POSTERIOR:
        mini = _without_counts(adata)
    else:
        mini = adata.to_memory() if adata.isbacked else adata.copy()
    # It is other data than the original.
    mini.uns.pop(_constants._SCVI_UUID_KEY, None)
    mini.uns[_constants._ADATA_MINIFY_TYPE_UNS_KEY] = str(minified_data_type)
    mini.obsm[latent_keys[0]] = adata.obsm[use_latent_qzm_key]
    mini.obsm[latent_keys[1]] = adata.obsm[use_latent_qzv_key]
    counts = manager.get_from_registry(REGISTRY_KEYS.X_KEY)
    mini.obs[_constants._OBSERVED_LIB_SIZE_OBS_KEY] = _row_sums(counts)
    return mini


def _without_counts(adata: AnnData) -> AnnData:
    def nothing() -> csr_matrix:
        return csr_matrix(adata.shape, dtype=np.float32)

    return AnnData(
        X=nothing(),
        obs=adata.obs.copy(),
        var=adata.var.copy(),
        uns=deepcopy(dict(adata.uns)),
        obsm={key: value.copy() for key, value in adata.obsm.items()},
        varm={key: value.copy() for key, value in adata.varm.items()},
        obsp={key: value.copy() for key, value in adata.obsp.items()},
        varp={key: value.copy() for key, value in adata.varp.items()},
        layers={key: nothing() for key in adata.layers},
    )


def _row_sums(matrix: Any) -> np.ndarray:
    """Sum of each row, a block of rows in memory at a time."""
    if issparse(matrix) or isinstance(matrix, np.ndarray):
        return np.asarray(matrix.sum(axis=1)).ravel()
    starts = range(0, matrix.shape[0], _ROWS)
    blocks = [np.asarray(matrix[at : at + _ROWS].sum(axis=1)).ravel() for at in starts]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
