"""Counts of every kind that AnnData holds give the same numbers, and broken ones are named."""

from __future__ import annotations

import anndata
import numpy as np
import pytest
from scipy import sparse
from support import counts, trained

from scvi_rs import _core
from scvi_rs.exceptions import CountsError, GenesError, ScviError
from scvi_rs.model.base._counts import engine_counts

KINDS = {
    "csr": lambda X: X,
    "csc": lambda X: X.tocsc(),
    "csr_array": sparse.csr_array,
    "dense": lambda X: X.toarray(),
    "fortran": lambda X: np.asfortranarray(X.toarray()),
    "double": lambda X: X.astype(np.float64),
    "int64": lambda X: X.astype(np.int64),
    "uint16": lambda X: X.astype(np.uint16),
    "dense int": lambda X: X.toarray().astype(np.int32),
    "long indices": lambda X: sparse.csr_matrix(
        (X.data, X.indices.astype(np.int64), X.indptr.astype(np.int64)), X.shape
    ),
    "big-endian": lambda X: X.toarray().astype(">f4"),
}


@pytest.fixture(scope="module")
def model():
    return trained(counts())


@pytest.fixture(scope="module")
def expected(model):
    return model.get_latent_representation()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_kinds(model, expected, kind):
    other = counts()
    other.X = KINDS[kind](other.X)
    assert np.array_equal(model.get_latent_representation(other), expected)


def test_unsorted_rows_and_stored_zeros(model, expected):
    other = counts()
    X = other.X
    order = np.concatenate([np.arange(a, b)[::-1] for a, b in zip(X.indptr, X.indptr[1:])])
    shuffled = sparse.csr_matrix((X.data[order], X.indices[order], X.indptr), X.shape)
    data = np.concatenate([shuffled.data, [0.0]]).astype(np.float32)
    indices = np.concatenate([shuffled.indices, [1]]).astype(np.int32)
    indptr = shuffled.indptr.copy()
    indptr[-1] += 1
    last = X[-1].indices
    free = np.setdiff1d(np.arange(X.shape[1]), last)
    indices[-1] = free[0]
    other.X = sparse.csr_matrix((data, indices, indptr), X.shape)
    assert np.array_equal(model.get_latent_representation(other), expected)


def with_repeated_entries(X):
    """The same matrix with values split into several entries, as concatenated files leave them."""
    entries = X.tocoo()
    ones = np.where(entries.data > 1, 1, 0).astype(X.dtype)
    parts = [entries.data - ones, ones], [entries.row] * 2, [entries.col] * 2
    data, rows, columns = (np.concatenate(part) for part in parts)
    lines, places = (rows, columns) if X.format == "csr" else (columns, rows)
    order = np.argsort(lines, kind="stable")
    n_lines = X.shape[0] if X.format == "csr" else X.shape[1]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(lines, minlength=n_lines))])
    return type(X)((data[order], places[order], indptr), X.shape)


@pytest.mark.parametrize("kind", ["csr", "csc"])
@pytest.mark.parametrize("backed", [False, True])
def test_repeated_entries_are_summed(tmp_path, model, expected, kind, backed):
    other = counts()
    other.X = with_repeated_entries(KINDS[kind](other.X))
    assert not other.X.has_canonical_format
    if backed:
        other.write_h5ad(tmp_path / "a.h5ad")
        other = anndata.read_h5ad(tmp_path / "a.h5ad", backed="r")
    assert np.array_equal(model.get_latent_representation(other), expected)


@pytest.mark.parametrize("kind", ["f2", ">f2", "g", ">f4", "?"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_backed_numbers_of_any_type(tmp_path, model, kind):
    few = counts()
    few.X = np.minimum(few.X.toarray(), 1)
    expected = model.get_latent_representation(few)
    few.X = few.X.astype(kind)
    few.write_h5ad(tmp_path / "a.h5ad")
    backed = anndata.read_h5ad(tmp_path / "a.h5ad", backed="r")
    assert np.array_equal(model.get_latent_representation(backed), expected)


@pytest.mark.parametrize("dense", [False, True])
def test_backed_data_give_the_same_bits(tmp_path, dense):
    plain = counts()
    if dense:
        plain.X = plain.X.toarray()
    plain.write_h5ad(tmp_path / "a.h5ad")
    backed = anndata.read_h5ad(tmp_path / "a.h5ad", backed="r")
    one, two = trained(plain), trained(backed)
    assert np.array_equal(one.get_latent_representation(), two.get_latent_representation())
    for name, value in one.module.state_dict().items():
        assert np.array_equal(value, two.module.state_dict()[name]), name
    chosen = [7, 3, 3, 120]
    again = two.get_latent_representation(indices=chosen)
    assert np.array_equal(again, one.get_latent_representation()[chosen])


def test_genes_in_another_order_are_matched_by_name(model, expected):
    other = counts()[:, ::-1].copy()
    assert np.array_equal(model.get_latent_representation(other), expected)
    other.var_names = [f"other{i}" for i in range(other.n_vars)]
    with pytest.raises(GenesError, match="60 of the model's 60 genes are not in adata.var_names"):
        model.get_latent_representation(other)


@pytest.mark.parametrize(("value", "named"), [(-1.0, "-1"), (np.nan, "nan"), (np.inf, "inf")])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_no_count_is_named(adata, value, named):
    adata.X[5, 3] = value
    with pytest.raises(CountsError, match=f"gene gene3 in cell cell5 is {named};.*layer="):
        trained(adata)


def test_cells_without_counts_are_named(adata):
    adata.X = sparse.csr_matrix(np.where(np.arange(150)[:, None] == 7, 0, adata.X.toarray()))
    with pytest.raises(CountsError, match="1 of 150 cells have no counts: cell7"):
        trained(adata)


def test_arrays_that_contradict_each_other_are_errors():
    two = np.array([0, 1], np.int32)
    one = np.array([1.0], np.float32)
    for indptr, indices in [([0, 2], two), ([1, 1], two[:1]), ([0, -1], two[:1]), ([], two[:1])]:
        with pytest.raises(ValueError):
            _core.Counts.csr(np.array(indptr, np.int64), indices, one, 3)
    beyond = _core.Counts.csr(np.array([0, 1]), np.array([3]), one, 3)
    with pytest.raises(CountsError, match="gene index 3 of cell 0 is out of range"):
        beyond.check()
    negative = _core.Counts.csr(np.array([0, 1]), np.array([-1]), one, 3)
    with pytest.raises(CountsError, match="out of range"):
        negative.check()
    doubled = _core.Counts.csr(np.array([0, 2]), np.array([1, 1]), np.ones(2, np.float32), 3)
    assert doubled.check()["max_nnz"] == 1
    assert doubled.totals() == [2.0]
    most = np.full(2, np.finfo(np.float32).max)
    beyond = _core.Counts.csr(np.array([0, 2]), np.array([1, 1]), most, 3)
    assert beyond.check() == {"invalid": (0, 1, np.inf)}
    with pytest.raises(ValueError, match="two columns have the place 1"):
        _core.Counts.csr(np.array([0, 1]), np.array([0]), one, 3, [1, 0, 1])


def test_counts_that_change_behind_the_models_back_are_errors_not_crashes(adata):
    model = trained(adata)
    adata.X.indices[3] = 2_000_000
    with pytest.raises(ScviError, match="out of range"):
        model.get_latent_representation()
    adata.X.indptr[4] = 10**8
    with pytest.raises((ScviError, ValueError)):
        model.get_latent_representation()


def test_an_exception_in_a_reader_is_raised_as_it_is(adata):
    class Broken:
        shape = adata.shape

        def __getitem__(self, rows):
            raise ConnectionError("the file went away")

    with pytest.raises(ConnectionError, match="the file went away"):
        engine_counts(Broken()).check()


def test_counts_are_borrowed(adata):
    held = engine_counts(adata.X)
    adata.X.data[:] = 2.0
    assert held.totals().sum() == 2.0 * adata.X.nnz


def test_bool_counts_are_taken(adata):
    adata.X = adata.X.toarray() > 0
    trained(adata, 1).get_latent_representation()
