"""Query data with a reference's genes."""

from __future__ import annotations

import warnings

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from scvi_rs.data._query import align_genes

FORMATS = {
    "csr_matrix": sparse.csr_matrix,
    "csc_matrix": sparse.csc_matrix,
    "csr_array": sparse.csr_array,
    "dense": np.asarray,
}
# One gene that the query lacks, one of the query left out, and another order.
REFERENCE = ["g5", "g0", "new", "g2", "g1", "g3"]


def query(make=sparse.csr_matrix, dtype=np.float32) -> anndata.AnnData:
    values = np.random.default_rng(0).poisson(1.0, (30, 6)).astype(dtype)
    adata = anndata.AnnData(make(values))
    adata.var_names = [f"g{i}" for i in range(6)]
    adata.var["high"] = [True, False, True, False, True, False]
    adata.layers["counts"] = make(2 * values)
    adata.obs["plate"] = pd.Categorical(["a", "b"] * 15)
    adata.obsm["X_pca"] = np.arange(60.0).reshape(30, 2)
    adata.uns["note"] = {"of": "mine"}
    return adata


def dense(matrix) -> np.ndarray:
    return matrix.toarray() if sparse.issparse(matrix) else matrix


def expected(values: np.ndarray) -> np.ndarray:
    frame = pd.DataFrame(values, columns=[f"g{i}" for i in range(6)])
    return frame.reindex(columns=REFERENCE, fill_value=0).to_numpy()


@pytest.mark.parametrize("inplace", [True, False])
@pytest.mark.parametrize("name", FORMATS)
def test_genes_are_dropped_padded_and_sorted(name, inplace):
    adata = query(FORMATS[name])
    before = adata.copy()
    result = align_genes(adata, REFERENCE, inplace=inplace)
    aligned = adata if inplace else result
    assert (result is None) == inplace
    assert list(aligned.var_names) == REFERENCE
    for matrix, source in (
        (aligned.X, before.X),
        (aligned.layers["counts"], before.layers["counts"]),
    ):
        assert type(matrix) is type(source)
        assert matrix.dtype == source.dtype
        np.testing.assert_array_equal(dense(matrix), expected(dense(source)))
    if sparse.issparse(aligned.X):
        assert aligned.X.has_sorted_indices
        assert aligned.X.nnz == np.count_nonzero(expected(dense(before.X)))
    pd.testing.assert_frame_equal(aligned.obs, before.obs)
    np.testing.assert_array_equal(aligned.obsm["X_pca"], before.obsm["X_pca"])
    assert aligned.uns["note"] == {"of": "mine"}
    if not inplace:
        assert list(adata.var_names) == list(before.var_names)


def test_aligned_data_can_be_written(tmp_path):
    adata = query()
    align_genes(adata, REFERENCE)
    adata.write_h5ad(tmp_path / "query.h5ad")
    high = anndata.read_h5ad(tmp_path / "query.h5ad").var["high"]
    assert high.isna().tolist() == [name == "new" for name in REFERENCE]
    assert bool(high["g0"]) and not bool(high["g1"])


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float64])
def test_types_of_counts_are_kept(dtype):
    adata = query(dtype=dtype)
    values = adata.X.toarray()
    align_genes(adata, REFERENCE)
    assert adata.X.dtype == dtype
    np.testing.assert_array_equal(adata.X.toarray(), expected(values))


def test_the_same_genes_are_left_alone():
    adata = query()
    matrix = adata.X
    assert align_genes(adata, list(adata.var_names)) is None
    assert adata.X is matrix
    copy = align_genes(adata, adata.var_names, inplace=False)
    assert copy is not adata and copy.X is not matrix


def test_views_and_raw():
    adata = query()
    adata.raw = adata.copy()
    view = adata[:10]
    align_genes(view, REFERENCE)
    assert view.shape == (10, 6) and not view.is_view
    assert adata.shape == (30, 6) and adata.var_names[0] == "g0"
    np.testing.assert_array_equal(dense(view.raw.X), dense(adata.X)[:10])


def test_few_genes_in_common_warn():
    with pytest.warns(UserWarning, match=r"less than 80% .* \(2 of 3\)"):
        align_genes(query(), ["g0", "g1", "new"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        align_genes(query(), REFERENCE)


def test_impossible_queries(tmp_path):
    with pytest.raises(ValueError, match=r"No reference var names .* the reference x, y"):
        align_genes(query(), ["x", "y"])
    adata = query()
    adata.write_h5ad(tmp_path / "query.h5ad")
    backed = anndata.read_h5ad(tmp_path / "query.h5ad", backed="r")
    with pytest.raises(ValueError, match="to_memory"):
        align_genes(backed, REFERENCE)
    backed.file.close()
    adata.var_names = ["g0", "g0", "g1", "g2", "g3", "g4"]
    with pytest.raises(ValueError, match="repeat: g0"):
        align_genes(adata, REFERENCE)
