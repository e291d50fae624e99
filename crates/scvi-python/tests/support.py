"""What the tests share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

import scvi_rs

ROOT = Path(__file__).parents[3]


def counts(n_cells: int = 150, n_genes: int = 60, seed: int = 0) -> AnnData:
    """Sparse counts in two batches and three labels, every cell with some."""
    random = np.random.default_rng(seed)
    rates = random.gamma(0.7, size=(3, n_genes))
    label = random.integers(3, size=n_cells)
    batch = random.integers(2, size=n_cells)
    X = random.poisson(rates[label] * (1 + batch[:, None] * random.random(n_genes)))
    X[:, 0] += 1
    obs = pd.DataFrame(
        {
            "batch": pd.Categorical.from_codes(batch, ["x", "y"]),
            "label": pd.Categorical.from_codes(label, ["a", "b", "c"]),
            "score": random.normal(size=n_cells),
            "plate": random.integers(10, 13, size=n_cells),
        },
        index=[f"cell{i}" for i in range(n_cells)],
    )
    var = pd.DataFrame(index=[f"gene{i}" for i in range(n_genes)])
    return AnnData(sparse.csr_matrix(X.astype(np.float32)), obs=obs, var=var)


def model_of(adata: AnnData, **kwargs) -> scvi_rs.model.SCVI:
    """A small model with weights as drawn."""
    scvi_rs.model.SCVI.setup_anndata(adata, batch_key="batch", labels_key="label")
    return scvi_rs.model.SCVI(adata, **{"n_hidden": 16, "n_latent": 4, **kwargs})


def trained(adata: AnnData, epochs: int = 2, **kwargs) -> scvi_rs.model.SCVI:
    """A small model after a few epochs."""
    model = model_of(adata, **kwargs)
    model.train(epochs, enable_progress_bar=False)
    return model


def command() -> str | None:
    """The command ``scvi`` of the same build, where there is one."""
    named = os.environ.get("SCVI_COMMAND")
    built = ROOT / "target" / "debug" / "scvi"
    return named or (str(built) if built.is_file() else None)


def scanvi_of(adata: AnnData, **kwargs) -> scvi_rs.model.SCANVI:
    """A small model with weights as drawn, for which cells of label ``c`` are unlabelled."""
    scvi_rs.model.SCANVI.setup_anndata(adata, "label", "c", batch_key="batch")
    return scvi_rs.model.SCANVI(adata, **{"n_hidden": 16, "n_latent": 4, **kwargs})


def trained_scanvi(adata: AnnData, epochs: int = 2, **kwargs) -> scvi_rs.model.SCANVI:
    """A small model after a few epochs."""
    model = scanvi_of(adata, **kwargs)
    model.train(epochs, enable_progress_bar=False)
    return model
