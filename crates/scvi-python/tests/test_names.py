"""Cells and genes looked up by name, of which some stand for several."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support import counts, trained

import scvi_rs
from scvi_rs.data._query import align_genes
from scvi_rs.exceptions import GenesError

REPEATED_GENE = r"3 have the name 'gene3' \(columns 3, 7, 20, from 0\)"
REPEATED_CELL = r"2 have the name 'cell5' \(rows 5, 9, from 0\)"


def repeated():
    """Three genes of one name, and two cells."""
    adata = counts(60, 30)
    genes, cells = adata.var_names.tolist(), adata.obs_names.tolist()
    genes[7] = genes[20] = genes[3]
    cells[9] = cells[5]
    adata.var_names, adata.obs_names = genes, cells
    return adata


@pytest.fixture(scope="module")
def model():
    with pytest.warns(UserWarning, match="stand more than once|stands more than once"):
        return trained(repeated(), epochs=1)


def test_training_says_which_names_repeat():
    adata = repeated()
    scvi_rs.model.SCVI.setup_anndata(adata)
    model = scvi_rs.model.SCVI(adata, n_hidden=4, n_latent=2)
    with pytest.warns(UserWarning, match="more than once") as seen:
        model.train(1, enable_progress_bar=False)
    told = [str(warning.message) for warning in seen if "more than once" in str(warning.message)]
    assert told == [
        "1 gene name stands more than once: 'gene3' (3 times); none of them can be looked up by name",
        "1 cell name stands more than once: 'cell5' (2 times); none of them can be looked up by name",
    ]


@pytest.mark.parametrize("task", ["get_normalized_expression", "posterior_predictive_sample"])
def test_genes_are_looked_up_where_a_name_is_of_one(model, task):
    call = getattr(model, task)
    with pytest.raises(GenesError, match=REPEATED_GENE):
        call(gene_list=["gene1", "gene3"])
    assert call(gene_list=["gene2", "gene1"]).shape == (60, 2)
    assert call().shape == (60, 30)


def test_cells_are_looked_up_where_a_name_is_of_one(model):
    every = model.get_latent_representation()
    chosen = model.get_latent_representation(indices=["cell7", "cell2", "cell7"])
    np.testing.assert_array_equal(chosen, every[[7, 2, 7]])
    with pytest.raises(IndexError, match=f"indices .*{REPEATED_CELL}"):
        model.get_latent_representation(indices=["cell1", "cell5"])
    with pytest.raises(IndexError, match=f"idx1 .*{REPEATED_CELL}"):
        model.differential_expression(idx1=["cell5"], silent=True)
    with pytest.raises(IndexError, match=f"idx2 .*{REPEATED_CELL}"):
        model.differential_expression(idx1=["cell1"], idx2=["cell5"], silent=True)


@pytest.mark.parametrize(
    "functions", [{}, {"change_fn": lambda a, b, c: np.log2(a + c) - np.log2(b + c)}]
)
def test_groups_are_the_same_by_name_number_and_query(model, functions):
    adata = model.adata
    adata.obs["row"] = np.arange(60)
    pick = np.arange(10, 30)

    def raw_means(idx1):
        table = model.differential_expression(
            idx1=idx1, mode="change", silent=True, n_samples_overall=20, **functions
        )
        assert len(table) == 30
        return np.sort(table["raw_mean1"].to_numpy())

    expected = np.sort(np.asarray(adata.X[pick].mean(axis=0)).ravel())
    for idx1 in (pick, adata.obs_names[pick].tolist(), "10 <= row < 30"):
        np.testing.assert_allclose(raw_means(idx1), expected, rtol=1e-5)
    # A query selects the cells that it holds for, not all of their names.
    one = np.sort(np.asarray(adata.X[[5]].todense()).ravel())
    np.testing.assert_allclose(raw_means("row == 5"), one, rtol=1e-5)


def test_repeated_genes_are_never_matched(model):
    other = model.adata[:, ::-1].copy()
    with pytest.raises(GenesError, match=f"genes of the data cannot .*{REPEATED_GENE[:20]}"):
        model.get_latent_representation(other)
    other = counts(60, 30)
    with pytest.raises(GenesError, match="genes of the model cannot be matched by name"):
        model.get_latent_representation(other)
    with pytest.raises(ValueError, match="the reference's genes repeat: gene3"):
        scvi_rs.model.SCVI.prepare_query_anndata(other, model)
    same = model.adata.copy()
    scvi_rs.model.SCVI.prepare_query_anndata(same, model)
    assert same.var_names.equals(model.adata.var_names)


def test_names_repeat_where_nothing_is_matched_by_them():
    adata = counts(20, 6)
    adata.var_names = ["a", "b", "x", "c", "x", "d"]
    before = adata.X.toarray()
    adata.var["number"] = np.arange(6)
    align_genes(adata, ["c", "new", "a", "b"])
    assert adata.var["number"].tolist()[::2] == [3, 0]
    assert pd.isna(adata.var["number"].iloc[1])
    np.testing.assert_array_equal(adata.X.toarray()[:, [0, 2, 3]], before[:, [3, 0, 1]])
    assert not adata.X.toarray()[:, 1].any()
