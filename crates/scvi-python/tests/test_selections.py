"""Which cells and genes a result is of, and messages that name those that are not there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support import counts, trained

import scvi_rs
from scvi_rs.exceptions import GenesError

G = 20


@pytest.fixture(scope="module")
def model():
    return trained(counts(40, G))


def asked(model, call):
    """A result that does not depend on the calls before."""
    scvi_rs.settings.seed = 0
    return call(model)


WITH_GENES = {
    "frame": lambda m, **kw: m.get_normalized_expression(**kw),
    "array": lambda m, **kw: m.get_normalized_expression(return_numpy=True, **kw),
    "draws": lambda m, **kw: m.get_normalized_expression(n_samples=2, return_mean=False, **kw),
    "overall": lambda m, **kw: m.get_normalized_expression(n_samples_overall=7, **kw),
    "weighed": lambda m, **kw: m.get_normalized_expression(
        n_samples_overall=7, weights="importance", n_mc_samples=5, return_numpy=False, **kw
    ),
    "transformed": lambda m, **kw: m.get_normalized_expression(transform_batch=["x", "y"], **kw),
    "sample": lambda m, **kw: m.posterior_predictive_sample(**kw).toarray(),
    "samples": lambda m, **kw: m.posterior_predictive_sample(n_samples=2, **kw).todense(),
}
"""Every result with a list of genes."""
AXES = {"draws": 2}
"""Where its genes are not the second axis."""


@pytest.mark.parametrize("kind", WITH_GENES)
def test_genes_come_in_the_order_of_the_data(model, kind):
    call = WITH_GENES[kind]
    every = asked(model, call)
    random = np.random.default_rng(1)
    for n in (1, 2, 5, G):
        places = random.choice(G, n, replace=False)
        genes = model.adata.var_names[places]
        some = asked(model, lambda m, genes=genes: call(m, gene_list=genes))
        expected = np.take(np.asarray(every), np.sort(places), AXES.get(kind, 1))
        np.testing.assert_array_equal(np.asarray(some), expected)
        if isinstance(some, pd.DataFrame):
            assert list(some.columns) == list(model.adata.var_names[np.sort(places)])
            # So does a selection of the whole result, as scvi-tools makes it.
            mask = model.adata.var_names.isin(genes)
            pd.testing.assert_frame_equal(some, every.loc[:, mask])


@pytest.mark.parametrize("make", [list, tuple, np.array, pd.Index, pd.Series])
def test_a_list_of_genes_is_any_sequence(model, make):
    frame = model.get_normalized_expression(gene_list=make(["gene7", "gene3"]))
    assert list(frame.columns) == ["gene3", "gene7"]


@pytest.mark.parametrize("task", ["get_normalized_expression", "posterior_predictive_sample"])
def test_lists_of_genes_that_mean_nothing(model, task):
    call = getattr(model, task)
    with pytest.raises(GenesError, match=r"gene_list is empty; leave it out \(None\)"):
        call(gene_list=[])
    with pytest.raises(GenesError, match=r"2 of 3 genes .*: absent, other\. model\.get_var_names"):
        call(gene_list=["absent", "gene1", "other"])
    with pytest.raises(GenesError, match="30 of 30 genes in gene_list .* x9, ..."):
        call(gene_list=[f"x{i}" for i in range(30)])
    with pytest.raises(TypeError, match=r"gene_list=\['gene1'\]"):
        call(gene_list="gene1")
    with pytest.warns(UserWarning, match="more than once: gene7, gene3. .*dict.fromkeys") as seen:
        result = call(gene_list=["gene7", "gene3", "gene7", "gene3", "gene1"])
    assert result.shape == (40, 3)
    assert [warning.filename for warning in seen] == [__file__]


@pytest.mark.parametrize("size", [0, -1, np.inf, np.nan, "raw"])
def test_sizes_that_nothing_can_be_brought_to(model, size):
    with pytest.raises(ValueError, match="library_size is .*a number above 0, or 'latent'"):
        model.get_normalized_expression(library_size=size)


def test_cells_by_number_or_mask(model):
    every = model.get_latent_representation()
    mask = np.arange(40) % 3 == 0
    for indices in (mask, list(mask), np.flatnonzero(mask), np.flatnonzero(mask) - 40, range(5)):
        expected = every[np.asarray(indices)]
        np.testing.assert_array_equal(model.get_latent_representation(indices=indices), expected)
    assert model.get_latent_representation(indices=[3, 3]).shape == (2, 4)
    assert model.get_latent_representation(indices=[]).shape == (0, 4)


CELLS = {
    "beyond": ([0, 40], r"has cell 40; there are 40 cells, numbered from 0"),
    "before": ([-41], r"has cell -41; there are 40 cells"),
    "short": ([True, False], r"is a mask of shape \(2,\); one of all 40 cells is expected"),
    "names": (["cell1", "gone"], r"names 1 cells that adata\.obs_names does not have: gone"),
    "mixed": (np.array(["cell1", 2], dtype=object), "is an array of object .*a list of names"),
    "fractions": ([0.5, 1.0], r"is an array of float64 .*0\.5.* a list of whole numbers"),
}


@pytest.mark.parametrize("cells", CELLS)
def test_cells_that_are_not_there(model, cells):
    indices, message = CELLS[cells]
    with pytest.raises(IndexError, match=f"indices {message}"):
        model.get_latent_representation(indices=indices)
    with pytest.raises(IndexError, match=f"idx1 {message}"):
        model.differential_expression(idx1=indices, silent=True)
    with pytest.raises(IndexError, match=f"idx2 {message}"):
        model.differential_expression(idx1=[1], idx2=indices, silent=True)


NUMBERS_OF_ALL = {
    "get_elbo": {},
    "get_reconstruction_error": {},
    "get_marginal_ll": {"n_mc_samples": 2},
    "get_feature_correlation_matrix": {"n_samples": 2},
    "get_normalized_expression": {"n_samples_overall": 5},
}


@pytest.mark.parametrize("task", NUMBERS_OF_ALL)
def test_no_number_stands_for_no_cells(model, task):
    call = getattr(model, task)
    with pytest.raises(ValueError, match="indices selects no cell.*mask of all 40 cells, or None"):
        call(indices=[], **NUMBERS_OF_ALL[task])
    call(indices=[1], **NUMBERS_OF_ALL[task])


GROUPS = {
    "none": ({"idx1": []}, "size zero: idx1 selects no cell.*mask of all 40 cells"),
    "none of two": ({"idx1": [1], "idx2": []}, "size zero: idx2 selects no cell"),
    "no match": ({"idx1": "label == 'z'"}, "size zero: idx1 selects no cell"),
    "no mask": ({"idx1": np.zeros(40, bool)}, "size zero: idx1 selects no cell"),
    "the same": ({"idx1": [1, 2], "idx2": [2, 1]}, "every cell of idx1 is of idx2 too"),
    "all": ({"idx1": np.arange(40)}, "idx1 selects all 40 cells: none is left"),
}


@pytest.mark.parametrize("groups", GROUPS)
def test_groups_without_cells(model, groups):
    arguments, message = GROUPS[groups]
    with pytest.raises(ValueError, match=message):
        model.differential_expression(silent=True, **arguments)


COVARIATES = {
    "continuous_covariate_keys": (["score"], [np.inf, -np.inf, 1e39], "finite and below 3.4e38"),
    "size_factor_key": ("score", [np.inf, 1e39], "finite and below 3.4e38"),
    "size_factor_key ": ("score", [0.0, -1.5], "above 0"),
}


@pytest.mark.parametrize("key", COVARIATES)
def test_covariates_that_no_model_takes(key):
    columns, values, expected = COVARIATES[key]
    for value in values:
        adata = counts(40, G)
        adata.obs["score"] = 1.0
        adata.obs.loc[["cell7", "cell9"], "score"] = value
        message = (
            rf"adata\.obs\['score'\] must be {expected}.*; it is {value} for cell cell7 "
            r"\(2 of 40 cells are wrong\)"
        )
        with pytest.raises(ValueError, match=message.replace("+", r"\+")):
            scvi_rs.model.SCVI.setup_anndata(adata, **{key.strip(): columns})


def test_covariates_of_other_data(model):
    adata = counts(40, G)
    with_score = trained_with_score(adata)
    other = counts(10, G, seed=1)
    other.obs.loc["cell3", "score"] = np.inf
    with pytest.raises(ValueError, match=r"adata\.obs\['score'\] must be finite .* cell cell3"):
        with_score.get_latent_representation(other)


def trained_with_score(adata):
    scvi_rs.model.SCVI.setup_anndata(adata, continuous_covariate_keys=["score", "score"])
    model = scvi_rs.model.SCVI(adata, n_hidden=8, n_latent=2)
    model.train(1, enable_progress_bar=False)
    return model


def test_covariates_named_twice():
    adata = counts(40, G)
    with pytest.raises(ValueError, match=r"more than once: plate\. Name each column"):
        scvi_rs.model.SCVI.setup_anndata(adata, categorical_covariate_keys=["plate", "plate"])
