"""Mapping a query onto a reference."""

from __future__ import annotations

import numpy as np
import pytest
from support import counts, trained

import scvi_rs

SCVI = scvi_rs.model.SCVI
PLAN = {"plan_kwargs": {"weight_decay": 0.0}, "enable_progress_bar": False}


def query(batches=("new1", "new2"), **kwargs):
    adata = counts(80, seed=5, **kwargs)
    adata.obs["batch"] = adata.obs["batch"].cat.rename_categories(list(batches))
    return adata


@pytest.mark.parametrize("saved", [False, True])
def test_the_reference_is_kept(tmp_path, adata, saved):
    reference = trained(adata, encode_covariates=True)
    before = reference.get_latent_representation()
    if saved:
        reference.save(tmp_path / "m")
    model = SCVI.load_query_data(query(), tmp_path / "m" if saved else reference)
    assert not model.is_trained and model.summary_stats.n_batch == 4
    model.train(2, **PLAN)
    assert np.array_equal(before, model.get_latent_representation(adata))
    assert model.get_latent_representation().shape == (80, 4)
    scale = model.get_normalized_expression(transform_batch=["x", "new1"])
    assert scale.shape == (80, 60)
    # A second run goes on with the same numbers frozen.
    model.train(1, **PLAN)
    assert np.array_equal(before, model.get_latent_representation(adata))


def test_genes_are_aligned(adata):
    reference = trained(adata)
    other = query(n_genes=70)[:, 5:].copy()
    names = SCVI.prepare_query_anndata(other, reference, return_reference_var_names=True)
    assert list(names) == list(adata.var_names)
    aligned = SCVI.prepare_query_anndata(other, reference, inplace=False)
    assert list(aligned.var_names) == list(adata.var_names) and aligned.X.format == "csr"
    assert aligned.X[:, :5].nnz == 0
    with pytest.warns(UserWarning, match="cannot move the latent"):
        model = SCVI.load_query_data(other, reference, inplace_subset_query_vars=True)
    model.train(1, **PLAN)
    assert list(other.var_names) == list(adata.var_names)


def test_a_mapped_model_is_saved_and_says_what_it_is(tmp_path, adata):
    reference = trained(adata, encode_covariates=True, use_observed_lib_size=False)
    model = SCVI.load_query_data(query(("x", "new")), reference)
    model.train(1, **PLAN)
    model.save(tmp_path / "m", save_anndata=True)
    loaded = SCVI.load(tmp_path / "m")
    latent = model.get_latent_representation()
    assert np.array_equal(latent, loaded.get_latent_representation())
    assert '"new"' in (tmp_path / "m" / "model.json").read_text()


def test_other_classes_and_missing_columns_are_refused(adata):
    reference = trained(adata)
    other = query()
    del other.obs["label"]
    with pytest.raises(KeyError, match="label"):
        SCVI.load_query_data(other, reference)
    with pytest.raises(ValueError, match="different class"):
        scvi_rs.model.LinearSCVI.load_query_data(query(), reference)
