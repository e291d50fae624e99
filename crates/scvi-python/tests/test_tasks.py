"""What one does with a trained model: shapes, kinds, noise, and what is refused."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from support import counts, model_of, trained

import scvi_rs
from scvi_rs.exceptions import EmbeddingError

N, G = 150, 60


@pytest.fixture(scope="module")
def model():
    return trained(counts())


def test_latent(model):
    mean, var = model.get_latent_representation(return_dist=True)
    assert mean.shape == var.shape == (N, 4) and mean.dtype == np.float32 and (var > 0).all()
    assert np.array_equal(mean, model.get_latent_representation())
    one = model.get_latent_representation(give_mean=False)
    two = model.get_latent_representation(give_mean=False)
    assert not np.array_equal(one, two)  # a draw each
    scvi_rs.settings.seed = 0
    assert np.array_equal(one, model.get_latent_representation(give_mean=False))
    mask = np.arange(N) < 3
    assert np.array_equal(mean[:3], model.get_latent_representation(indices=mask))
    assert np.array_equal(mean[-2:], model.get_latent_representation(indices=[-2, -1]))
    assert np.array_equal(mean, model.get_latent_representation(batch_size=7))
    with pytest.raises(IndexError):
        model.get_latent_representation(indices=[N])


def test_likelihoods(model):
    assert model.get_elbo().ndim == 0 and model.get_elbo() < 0
    each = model.get_elbo(return_mean=False)
    scvi_rs.settings.seed = 0
    error = model.get_reconstruction_error(return_mean=False)["reconstruction_loss"]
    assert each.shape == error.shape == (N,) and (error > 0).all()
    assert model.get_reconstruction_error()["reconstruction_loss"].ndim == 0
    ll = model.get_marginal_ll(n_mc_samples=200, return_mean=False)
    assert ll.shape == (N,) and ll.mean() > each.mean()


def test_normalized_expression(model):
    frame = model.get_normalized_expression()
    assert isinstance(frame, pd.DataFrame) and list(frame.index) == list(model.adata.obs_names)
    assert np.allclose(frame.sum(axis=1), 1, atol=1e-5)
    genes = ["gene3", "gene7"]
    some = model.get_normalized_expression(gene_list=genes, indices=[4, 2], library_size=100)
    assert list(some.columns) == genes and list(some.index) == ["cell4", "cell2"]
    draws = model.get_normalized_expression(n_samples=3, return_mean=False)
    assert draws.shape == (3, N, G)
    overall = model.get_normalized_expression(n_samples_overall=11, return_numpy=True)
    assert overall.shape == (11, G)
    weighed = model.get_normalized_expression(
        n_samples_overall=11, weights="importance", max_cells=20, n_mc_samples=5, return_numpy=True
    )
    assert weighed.shape == (11, G)
    with pytest.raises(ValueError, match="n_samples_overall"):
        model.get_normalized_expression(weights="importance")
    one = model.get_normalized_expression(transform_batch="x", return_numpy=True)
    both = model.get_normalized_expression(transform_batch=["x", "y"], return_numpy=True)
    assert one.shape == both.shape == (N, G)
    latent = model.get_normalized_expression(library_size="latent", return_numpy=True)
    assert np.allclose(latent.sum(axis=1), model.adata.X.sum(axis=1).A1, rtol=1e-4)
    with pytest.raises(ValueError, match="not a valid batch category; there are: x, y"):
        model.get_normalized_expression(transform_batch="z")
    with pytest.raises(TypeError, match="n_sample"):
        model.get_normalized_expression(n_sample=3)


def test_samples(model):
    one = model.posterior_predictive_sample()
    assert sparse.issparse(one) and one.shape == (N, G) and (one.data >= 1).all()
    three = model.posterior_predictive_sample(n_samples=3, indices=[1, 2], gene_list=["gene5"])
    assert three.shape == (2, 1, 3)
    # Without excess zeros the expected total of a cell is its own.
    model = trained(counts(), gene_likelihood="nb")
    means = [model.posterior_predictive_sample().mean() for _ in range(20)]
    error = np.std(means) / np.sqrt(len(means))
    assert abs(np.mean(means) - model.adata.X.mean()) < 5 * error


def test_parameters_and_library(model):
    parameters = model.get_likelihood_parameters()
    assert {k: v.shape for k, v in parameters.items()} == dict.fromkeys(
        ["mean", "dispersions", "dropout"], (N, G)
    )
    draws = model.get_likelihood_parameters(n_samples=2, indices=[0])
    assert draws["mean"].shape == (2, 1, G)
    totals = model.adata.X.sum(axis=1)
    assert np.allclose(model.get_latent_library_size(give_mean=False), totals, rtol=1e-5)
    with pytest.raises(RuntimeError, match="give_mean=False"):
        model.get_latent_library_size()
    with pytest.raises(EmbeddingError):
        model.get_batch_representation()


@pytest.mark.parametrize("likelihood", ["nb", "poisson", "normal"])
def test_parameters_of_other_likelihoods(likelihood):
    parameters = trained(counts(), gene_likelihood=likelihood).get_likelihood_parameters()
    assert ("dropout" not in parameters) and ("dispersions" in parameters) == (
        likelihood != "poisson"
    )


def test_correlation(model):
    frame = model.get_feature_correlation_matrix(n_samples=2, correlation_type="pearson")
    assert frame.shape == (G, G) and np.allclose(np.diag(frame), 1)
    assert np.allclose(frame, frame.T) and list(frame.columns) == list(model.adata.var_names)
    with pytest.raises(ValueError, match="choose one of spearman, pearson"):
        model.get_feature_correlation_matrix(correlation_type="kendall")


def test_differential_abundance(model):
    model.differential_abundance(sample_key="label")
    frame = model.adata.obsm["da_log_probs"]
    assert frame.shape == (N, 3) and list(frame.columns) == ["a", "b", "c"]
    with pytest.raises(KeyError):
        model.differential_abundance(sample_key=None)
    posterior = model.get_aggregated_posterior(indices=[0, 1, 2], dof=None)
    assert posterior.n_components == 3
    assert posterior.log_prob(posterior.sample((5,))).shape == (5,)


def test_differential_expression(model):
    table = model.differential_expression(groupby="label", silent=True)
    assert len(table) == 3 * G and set(table["group1"]) == {"a", "b", "c"}
    assert set(table["comparison"]) == {"a vs Rest", "b vs Rest", "c vs Rest"}
    first = table[table["group1"] == "a"]
    assert first["bayes_factor"].is_monotonic_decreasing
    assert set(first.index) == set(model.adata.var_names)
    pair = model.differential_expression(groupby="plate", group1=10, group2=12, mode="change")
    assert pair["group1"].unique() == [10] and pair["group2"].unique() == [12]
    assert "is_de_fdr_0.05" in pair and pair["proba_de"].is_monotonic_decreasing
    cells = model.differential_expression(idx1="label == 'a'", idx2=[1, 2, 3], silent=True)
    assert "comparison" not in cells and len(cells) == G
    own = model.differential_expression(
        groupby="label",
        group1="a",
        mode="change",
        n_samples_overall=50,
        change_fn=lambda a, b, pseudocounts: np.log2(a + pseudocounts) - np.log2(b + pseudocounts),
        silent=True,
    )
    assert list(own.columns) == list(pair.columns)
    with pytest.raises(ValueError, match="no group of adata.obs"):
        model.differential_expression(groupby="label", group1="z")
    with pytest.raises(KeyError, match="plate"):
        model.differential_expression(groupby="cluster")
    with pytest.raises(TypeError, match="pseudocount'"):
        model.differential_expression(groupby="label", pseudocount=1.0)


TASKS = {
    "get_latent_representation": {},
    "get_reconstruction_error": {},
    "get_marginal_ll": {},
    "get_normalized_expression": {},
    "posterior_predictive_sample": {},
    "get_latent_library_size": {"give_mean": False},
    "get_feature_correlation_matrix": {},
    "get_aggregated_posterior": {},
    "differential_abundance": {"sample_key": "batch"},
    "differential_expression": {"groupby": "label"},
    "minify_adata": {},
}


@pytest.mark.parametrize("task", TASKS)
def test_an_untrained_model_is_refused(adata, task):
    model = model_of(adata)
    with pytest.raises(RuntimeError, match=r"untrained model.*model\.train\(\)"):
        getattr(model, task)(**TASKS[task])


@pytest.mark.parametrize("task", ["get_elbo", "get_likelihood_parameters"])
def test_scvi_tools_asks_these_of_an_untrained_model(adata, task):
    with pytest.warns(UserWarning, match="untrained model"):
        getattr(model_of(adata), task)()


def test_an_untrained_model_is_refused_however_it_came(adata, tmp_path):
    model = model_of(adata)
    model.save(tmp_path / "m")
    model.save_scvi_tools(tmp_path / "s")
    for folder in (tmp_path / "m", tmp_path / "s"):
        loaded = scvi_rs.model.SCVI.load(folder, adata=adata)
        assert not loaded.is_trained
        with pytest.raises(RuntimeError, match="untrained model"):
            loaded.get_latent_representation()
        with pytest.raises(RuntimeError, match="reference model is not trained"):
            scvi_rs.model.SCVI.load_query_data(adata.copy(), str(folder))
    scvi_rs.model.LinearSCVI.setup_anndata(adata, batch_key="batch")
    with pytest.raises(RuntimeError, match="untrained model"):
        scvi_rs.model.LinearSCVI(adata).get_loadings()


@pytest.mark.parametrize("save", ["save", "save_scvi_tools"])
def test_a_query_can_be_taken_as_it_is(adata, tmp_path, save):
    query = scvi_rs.model.SCVI.load_query_data(adata.copy(), trained(adata))
    with pytest.raises(RuntimeError, match=r"model\.is_trained = True"):
        query.get_latent_representation()
    query.is_trained = True
    latent = query.get_latent_representation()
    getattr(query, save)(tmp_path / "m")
    loaded = scvi_rs.model.SCVI.load(tmp_path / "m", adata=adata)
    assert loaded.is_trained
    np.testing.assert_array_equal(loaded.get_latent_representation(), latent)


@pytest.mark.parametrize("batches", ["batchid1", "batchid2"])
def test_batches_to_decode_in_need_a_correction(adata, batches):
    model = trained(adata)
    compare = partial(model.differential_expression, groupby="label", silent=True)
    named = {batches: ["x"]}
    with pytest.raises(ValueError, match="Inconsistent batch policy: .*batch_correction=True"):
        compare(**named)
    with pytest.raises(ValueError, match="Inconsistent batch policy"):
        compare(mode="change", change_fn=lambda a, b: a - b, **named)
    assert len(compare(batch_correction=True, n_samples_overall=50, **named)) > 0


def test_ctrl_c_stops_a_task(ctrl_c):
    model = trained(counts(600))
    ctrl_c(0.3)
    with pytest.raises(KeyboardInterrupt):
        model.get_marginal_ll(n_mc_samples=3000, batch_size=4)


def test_other_threads_of_python_go_on():
    import threading
    import time

    model = trained(counts(600))
    work = threading.Thread(target=model.get_marginal_ll, kwargs={"n_mc_samples": 500})
    work.start()
    turns = 0
    while work.is_alive():
        turns += 1
        time.sleep(0.001)
    # With the interpreter's lock held there would be next to none.
    assert turns > 10


def test_linear_decoder(adata):
    scvi_rs.model.LinearSCVI.setup_anndata(adata, batch_key="batch")
    model = scvi_rs.model.LinearSCVI(adata, n_latent=3)
    model.train(1, enable_progress_bar=False)
    loadings = model.get_loadings()
    assert loadings.shape == (G, 3) and list(loadings.columns) == ["Z_0", "Z_1", "Z_2"]
    assert (model.get_latent_library_size() > 0).all()


def test_batch_embedding(adata):
    model = trained(adata, batch_representation="embedding")
    vectors = model.get_batch_representation()
    assert vectors.shape == (N, 5) and len(np.unique(vectors, axis=0)) == 2
