"""Names that the examples of docstrings use."""

from __future__ import annotations

import anndata
import numpy as np
import pytest

import scvi_rs


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where examples run; a saved model is there."""
    adata = scvi_rs.data.synthetic_iid()
    scvi_rs.model.SCVI.setup_anndata(adata, batch_key="batch", labels_key="labels")
    model = scvi_rs.model.SCVI(adata, n_latent=5)
    model.train(1, enable_progress_bar=False)
    folder = tmp_path_factory.mktemp("examples")
    model.save(folder / "reference_model", save_anndata=True)
    return folder


@pytest.fixture(autouse=True)
def examples(request, doctest_namespace, monkeypatch):
    if not isinstance(request.node, pytest.DoctestItem):
        return
    monkeypatch.chdir(request.getfixturevalue("folder"))
    model = scvi_rs.model.SCVI.load("reference_model")
    query = scvi_rs.data.synthetic_iid()
    query.obs["batch"] = query.obs["batch"].cat.rename_categories(["new_0", "new_1"])
    names = {"scvi_rs": scvi_rs, "np": np, "anndata": anndata, "SCVI": scvi_rs.model.SCVI}
    doctest_namespace.update(names, adata=model.adata, model=model, query=query)
