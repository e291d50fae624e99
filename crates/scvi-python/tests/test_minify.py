"""Minified data."""

from __future__ import annotations

import anndata
import numpy as np
import pytest
from scipy import sparse
from test_data_manager import make_adata, make_manager, register

from scvi_rs.data._constants import ADATA_MINIFY_TYPE
from scvi_rs.data._minify import minified_adata, minified_fields
from scvi_rs.data._utils import _get_adata_minify_type, _is_minified


def with_posterior() -> anndata.AnnData:
    adata = make_adata()
    rng = np.random.default_rng(0)
    adata.obsm["X_latent_qzm"] = rng.normal(size=(60, 3)).astype(np.float32)
    adata.obsm["X_latent_qzv"] = rng.uniform(size=(60, 3)).astype(np.float32)
    adata.layers["counts"] = adata.X.copy()
    adata.raw = adata.copy()
    return adata


@pytest.mark.parametrize("kind", ADATA_MINIFY_TYPE)
def test_what_minified_data_hold(kind, tmp_path):
    adata = with_posterior()
    manager = register(adata, layer="counts", batch_key="plate")
    before = adata.copy()
    mini = minified_adata(manager, kind)
    np.testing.assert_array_equal(mini.obsm["scvi_latent_qzm"], adata.obsm["X_latent_qzm"])
    np.testing.assert_array_equal(mini.obsm["scvi_latent_qzv"], adata.obsm["X_latent_qzv"])
    totals = adata.layers["counts"].toarray().sum(1)
    np.testing.assert_array_equal(mini.obs["observed_lib_size"], totals)
    assert mini.obs.drop(columns="observed_lib_size").equals(adata.obs)
    assert mini.var.equals(adata.var)
    assert _get_adata_minify_type(mini) == kind
    assert "_scvi_uuid" not in mini.uns
    for matrix in (mini.X, mini.layers["counts"]):
        assert sparse.issparse(matrix) and matrix.format == "csr"
        assert (matrix.nnz > 0) == (kind == ADATA_MINIFY_TYPE.LATENT_POSTERIOR_WITH_COUNTS)
    assert (mini.raw is None) == (kind == ADATA_MINIFY_TYPE.LATENT_POSTERIOR)
    # The original stays as it is.
    assert adata.uns == before.uns and adata.obs.equals(before.obs)
    assert (adata.layers["counts"] != before.layers["counts"]).nnz == 0
    for data, is_minified in ((mini, True), (adata, False)):
        data.write_h5ad(tmp_path / "data.h5ad")
        assert _is_minified(data) == is_minified
        assert _is_minified(tmp_path / "data.h5ad") == is_minified
        assert _is_minified(str(tmp_path / "data.h5ad")) == is_minified


def test_totals_keep_the_type_of_the_counts():
    adata = with_posterior()
    adata.X = adata.X.toarray().astype(np.int64)
    mini = minified_adata(register(adata))
    assert mini.obs["observed_lib_size"].dtype == np.int64


@pytest.mark.parametrize("kind", ADATA_MINIFY_TYPE)
def test_data_in_a_file_can_be_minified(tmp_path, kind):
    adata = with_posterior()
    adata.write_h5ad(tmp_path / "data.h5ad")
    backed = anndata.read_h5ad(tmp_path / "data.h5ad", backed="r")
    mini = minified_adata(register(backed), kind)
    np.testing.assert_array_equal(mini.obs["observed_lib_size"], adata.X.toarray().sum(1))
    assert not mini.isbacked
    backed.file.close()


def test_registered_minified_data_know_their_fields():
    adata = with_posterior()
    mini = minified_adata(register(adata))
    manager = make_manager()
    manager.register_fields(mini)
    manager.register_new_fields(minified_fields("latent_posterior_parameters"))
    fields = {key: dict(at) for key, at in manager.data_registry.items()}
    assert fields["latent_qzm"] == {"attr_name": "obsm", "attr_key": "scvi_latent_qzm"}
    assert fields["latent_qzv"] == {"attr_name": "obsm", "attr_key": "scvi_latent_qzv"}
    assert fields["observed_lib_size"] == {"attr_name": "obs", "attr_key": "observed_lib_size"}
    assert fields["minify_type"] == {"attr_name": "uns", "attr_key": "_scvi_adata_minify_type"}
    assert manager.summary_stats.n_latent_qzm == 3
    # A transfer checks the width of the posterior.
    mini.obsm["scvi_latent_qzm"] = np.zeros((60, 2))
    with pytest.raises(ValueError, match="has 2 columns; the source has 3"):
        manager.transfer_fields(mini)


def test_impossible_minifications():
    manager = register(make_adata())
    with pytest.raises(NotImplementedError, match="nonsense is not supported"):
        minified_adata(manager, "nonsense")
    with pytest.raises(KeyError, match=r"X_latent_qzm not found in adata\.obsm"):
        minified_adata(manager)
    with pytest.raises(TypeError, match="Unsupported type"):
        _is_minified(3)
