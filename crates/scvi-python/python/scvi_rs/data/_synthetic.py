"""Made-up data for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

if TYPE_CHECKING:
    from mudata import MuData


def synthetic_iid(
    batch_size: int = 200,
    n_genes: int = 100,
    n_proteins: int = 100,
    n_regions: int = 100,
    n_batches: int = 2,
    n_labels: int = 3,
    dropout_ratio: float = 0.7,
    sparse_format: str | None = None,
    generate_coordinates: bool = False,
    return_mudata: bool = False,
    *,
    batch_key: str = "batch",
    labels_key: str = "labels",
    rna_key: str = "rna",
    gene_names_prefix: str = "gene",
    protein_expression_key: str = "protein_expression",
    protein_names_key: str = "protein_names",
    protein_names_prefix: str = "protein",
    accessibility_key: str = "accessibility",
    region_names_prefix: str = "region",
    coordinates_key: str = "coordinates",
    rna_dist: Literal["nb", "normal"] = "nb",
) -> AnnData | MuData:
    """Cells whose counts are independent and alike: for tests, not for models.

    Draws from :mod:`numpy.random`, so ``scvi_rs.settings.seed = ...`` makes it reproducible, and
    the same seed gives the same data as scvi-tools 1.4.2.

    Parameters
    ----------
    batch_size
        Cells of each batch.
    n_genes, n_proteins, n_regions
        Columns of X, ``obsm["protein_expression"]`` and ``obsm["accessibility"]``; no array is
        made of 0 proteins or regions.
    n_batches, n_labels
        Categories of ``obs["batch"]``, evenly, and of ``obs["labels"]``, at random.
    dropout_ratio
        Share of counts of genes and regions that are *not* set to zero (the name is scvi-tools').
    sparse_format
        ``"csr_matrix"``, ``"csc_matrix"`` or another class of :mod:`scipy.sparse`; ``None`` for
        dense arrays.
    generate_coordinates
        Whether to add two coordinates a cell, ``obsm["coordinates"]``.
    return_mudata
        Whether to return a MuData object with a modality each, which needs the package mudata.
    batch_key, labels_key, rna_key, protein_expression_key, protein_names_key, \
accessibility_key, coordinates_key
        Names of the parts.
    gene_names_prefix, protein_names_prefix, region_names_prefix
        Names are a prefix and a number: ``gene_0``.
    rna_dist
        Negative binomial counts, or normal values.

    Raises
    ------
    ValueError
        If there is no batch or no gene, or no such ``rna_dist``.
    """
    if n_batches < 1:
        raise ValueError("`n_batches` must be greater than 0")
    if n_genes < 1:
        raise ValueError("`n_genes` must be greater than 0")
    if rna_dist not in ("nb", "normal"):
        raise ValueError(f"Unknown RNA distribution: {rna_dist}; expected 'nb' or 'normal'")
    n_obs = batch_size * n_batches

    def counts(n: int, *, normal: bool = False, dropout: bool = True) -> Any:
        if normal:
            values = np.random.normal(loc=5, scale=2, size=(n_obs, n))
        else:
            values = np.random.negative_binomial(5, 0.3, size=(n_obs, n))
        if dropout:
            values = values * np.random.binomial(n=1, p=dropout_ratio, size=(n_obs, n))
        return values if sparse_format is None else getattr(sparse, sparse_format)(values)

    def names(prefix: str, n: int) -> np.ndarray:
        return np.array([f"{prefix}_{i}" for i in range(n)])

    # The order of the draws is scvi-tools'.
    rna = _with_names(
        counts(n_genes, normal=rna_dist == "normal"), names(gene_names_prefix, n_genes)
    )
    parts: dict[str, tuple[Any, np.ndarray]] = {}
    if n_proteins > 0:
        values = counts(n_proteins, dropout=False)
        parts[protein_expression_key] = values, names(protein_names_prefix, n_proteins)
    if n_regions > 0:
        parts[accessibility_key] = counts(n_regions), names(region_names_prefix, n_regions)
    labels = np.random.randint(0, n_labels, size=n_obs) if n_labels > 0 else None
    coordinates = np.random.normal(size=(n_obs, 2)) if generate_coordinates else None

    data: AnnData | MuData = rna
    if return_mudata:
        from mudata import MuData

        modalities = {key: _with_names(*part) for key, part in parts.items()}
        data = MuData({rna_key: rna, **modalities})
    else:
        rna.obsm.update({key: values for key, (values, _) in parts.items()})
        if n_proteins > 0:
            rna.uns[protein_names_key] = parts[protein_expression_key][1]
    data.obs[batch_key] = pd.Categorical(np.repeat(names("batch", n_batches), batch_size))
    if labels is not None:
        data.obs[labels_key] = pd.Categorical(names("label", n_labels)[labels])
    if coordinates is not None:
        data.obsm[coordinates_key] = coordinates
    return data


def _with_names(values: Any, names: np.ndarray) -> AnnData:
    return AnnData(values, var=pd.DataFrame(index=names))
