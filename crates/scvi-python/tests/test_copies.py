"""Copied and pickled models, and one model in several threads and processes."""

from __future__ import annotations

import copy
import gc
import io
import multiprocessing
import os
import pickle
import threading
import weakref
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from support import counts, model_of, trained

import scvi_rs
from scvi_rs.exceptions import BusyError
from scvi_rs.train import Callback

SCVI = scvi_rs.model.SCVI
LinearSCVI = scvi_rs.model.LinearSCVI
QUIET = {"enable_progress_bar": False}


def default():
    return trained(counts(40, 20))


def options():
    """Options with tensors, embeddings and draws of their own."""
    return trained(
        counts(40, 20),
        dispersion="gene-batch",
        batch_representation="embedding",
        batch_embedding_kwargs={"max_norm": 1.0, "padding_idx": 1},
        encode_covariates=True,
        latent_distribution="ln",
        use_observed_lib_size=False,
    )


def linear():
    adata = counts(40, 20)
    LinearSCVI.setup_anndata(adata, batch_key="batch")
    model = LinearSCVI(adata, n_hidden=8, n_latent=3)
    model.train(2, **QUIET)
    return model


def minify(model):
    obsm = model.adata.obsm
    obsm["X_latent_qzm"], obsm["X_latent_qzv"] = model.get_latent_representation(return_dist=True)
    model.minify_adata()
    return model


def minified():
    return minify(default())


def mapped():
    query = counts(30, 20, seed=1)
    query.obs["batch"] = query.obs["batch"].cat.rename_categories(["new", "y"])
    reference = trained(counts(40, 20), encode_covariates=True)
    model = SCVI.load_query_data(query, reference, freeze_dropout=True)
    model.train(2, **QUIET)
    return model


def extended():
    model = trained(counts(40, 20), batch_representation="embedding")
    model.module.init_embedding("other", 3, 2, max_norm=0.5)
    model.module.extend_embedding("batch", 2)
    return model


MODELS = {make.__name__: make for make in (default, options, linear, minified, mapped, extended)}

TASKS = {
    "latent": lambda model: model.get_latent_representation(),
    "posterior": lambda model: model.get_latent_representation(return_dist=True),
    "draw": lambda model: model.get_latent_representation(give_mean=False),
    "elbo": lambda model: model.get_elbo(return_mean=False),
    "reconstruction": lambda model: model.get_reconstruction_error(return_mean=False),
    "marginal": lambda model: model.get_marginal_ll(n_mc_samples=3, return_mean=False),
    "expression": lambda model: model.get_normalized_expression(n_samples=2),
    "overall": lambda model: model.get_normalized_expression(
        n_samples_overall=20, weights="importance"
    ),
    "transformed": lambda model: model.get_normalized_expression(transform_batch=["y"]),
    "sample": lambda model: model.posterior_predictive_sample(),
    "parameters": lambda model: model.get_likelihood_parameters(),
    "correlation": lambda model: model.get_feature_correlation_matrix(n_samples=2),
    "library": lambda model: model.get_latent_library_size(give_mean=False),
    "differences": lambda model: model.differential_expression(
        groupby="label", mode="change", silent=True
    ),
    "batches": lambda model: model.get_batch_representation(),
    "loadings": lambda model: model.get_loadings(),
    "aggregated": lambda model: model.get_aggregated_posterior().sample((3,)),
    "abundance": lambda model: (
        model.differential_abundance(sample_key="label"),
        model.adata.obsm["da_log_probs"],
    )[1],
    "tensors": lambda model: model.module.state_dict(),
    "other": lambda model: model.module.get_embedding("other").weight,
    "summary": repr,
    "history": lambda model: model.history,
    "split": lambda model: [model.train_indices, model.validation_indices, model.test_indices],
    "more training": lambda model: (model.train(2, **QUIET), model.module.state_dict())[1],
}


def answer(task, model):
    """What a task gives, or why it gives nothing."""
    scvi_rs.settings.seed = 3
    try:
        return task(model)
    except (AttributeError, KeyError, RuntimeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def answers(model):
    return {name: answer(task, model) for name, task in TASKS.items()}


def assert_same(found, expected):
    """Whether two answers are the same to the last bit."""
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, list | tuple):
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    elif sparse.issparse(expected):
        assert_same(found.toarray(), expected.toarray())
    else:
        np.testing.assert_array_equal(found, expected)


def pickled(model, protocol=pickle.HIGHEST_PROTOCOL):
    return pickle.loads(pickle.dumps(model, protocol))


def written(model):
    """Unpickled from a file, arrays beside it."""
    buffers: list[pickle.PickleBuffer] = []
    file = io.BytesIO()
    pickle.Pickler(file, 5, buffer_callback=buffers.append).dump(model)
    file.seek(0)
    return pickle.load(file, buffers=buffers)


COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": pickled,
    "old pickle": lambda model: pickled(model, 2),
    "written": written,
}


@pytest.mark.parametrize("kind", MODELS)
def test_a_copy_gives_the_same_bits(kind):
    model = MODELS[kind]()
    copies = {way: make(model) for way, make in COPIES.items()}
    expected = answers(model)
    n_given = sum(not isinstance(value, str) for value in expected.values())
    assert n_given >= 12, expected
    for way, other in copies.items():
        assert other.adata is not model.adata and other.adata_manager.adata is other.adata
        for task, found in answers(other).items():
            try:
                assert_same(found, expected[task])
            except AssertionError as error:
                raise AssertionError(f"{task} of {way}") from error


def test_a_copy_is_a_model_of_its_own():
    model = default()
    before = model.module.state_dict()
    other = copy.deepcopy(model)
    other.train(2, **QUIET)
    assert_same(model.module.state_dict(), before)
    assert len(model.history["train_loss"]) == 2 and len(other.history["train_loss"]) == 4
    other.adata.obs["label"] = "a"
    assert model.adata.obs["label"].nunique() == 3
    # Other data than its own.
    assert_same(model.get_latent_representation(other.adata), model.get_latent_representation())
    shallow = copy.copy(model)
    assert shallow.adata is model.adata and shallow.module is model.module


def test_models_without_training_or_data(tmp_path):
    untrained = model_of(counts(40, 20))
    assert not pickled(untrained).is_trained
    assert_same(pickled(untrained).module.state_dict(), untrained.module.state_dict())
    model = default()
    model.save(tmp_path / "model")
    bare = pickled(SCVI.load(tmp_path / "model", adata=False))
    assert bare.adata is None
    assert_same(
        bare.get_latent_representation(model.adata.copy()), model.get_latent_representation()
    )


def test_other_objects():
    model = default()
    posterior = pickled(model.get_aggregated_posterior())
    z = np.zeros((2, 4), np.float32)
    assert_same(posterior.log_prob(z), model.get_aggregated_posterior().log_prob(z))
    assert_same(pickled(model.module).state_dict(), model.module.state_dict())
    assert pickled(model.adata_manager).summary_stats == model.adata_manager.summary_stats


def test_data_in_a_file_are_named(tmp_path):
    counts(40, 20).write_h5ad(tmp_path / "counts.h5ad")
    model = trained(anndata.read_h5ad(tmp_path / "counts.h5ad", backed="r"))
    for make in COPIES.values():
        with pytest.raises(TypeError, match=r"counts\.h5ad.*to_memory.*SCVI\.load"):
            make(model)


def test_pickles_of_another_version_say_so():
    model = default()
    make, (parts,) = model._core.__reduce__()
    with pytest.raises(ValueError, match=r"pickled by scvi-rs 0\.0\.1.*save\(folder\)"):
        make({**parts, "program": "scvi-rs 0.0.1"})
    with pytest.raises(ValueError, match="not a pickled model"):
        make({**parts, "description": b"{}"})


def test_copies_do_not_outlive_their_models():
    model = default()
    other = copy.deepcopy(model)
    data = weakref.ref(other.adata)
    del other
    gc.collect()
    assert data() is None


def test_threads_read_one_model_beside_each_other():
    model = default()
    deterministic = ["latent", "posterior", "library", "tensors", "summary", "history"]
    expected = {name: TASKS[name](model) for name in deterministic}
    other = counts(30, 20, seed=2)
    other.obs["batch"] = "x"
    expected_other = model.get_latent_representation(other.copy())

    def task(i: int):
        name = deterministic[i % len(deterministic)]
        assert_same(TASKS[name](model), expected[name])
        # Random tasks, data that are new to the model and views of it, each by all threads.
        model.differential_expression(groupby="label", silent=True)
        assert_same(model.get_latent_representation(other), expected_other)
        latent = model.get_latent_representation(model.adata[5:20])
        assert_same(latent, expected["latent"][5:20])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(task, range(24)))


def test_seeds_differ_between_threads():
    with ThreadPoolExecutor(8) as pool:
        seeds = list(pool.map(lambda _: scvi_rs.settings.next_seed(), range(4000)))
    assert len(set(seeds)) == 4000


def test_minified_data_and_counts_at_the_same_time():
    model = default()
    counted = model.adata
    minify(model)
    expected = [model.get_latent_representation(), model.get_latent_representation(counted)]

    def task(i: int):
        adata = None if i % 2 == 0 else counted
        assert_same(model.get_latent_representation(adata), expected[i % 2])
        if adata is not None:
            assert np.isfinite(model.get_elbo(adata))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(task, range(40)))


def test_a_model_is_read_while_it_is_trained():
    model = default()
    before = model.get_latent_representation()
    read, refused = [], []

    class Changing(Callback):
        def on_epoch_end(self, training, metrics):
            read.append(model.get_latent_representation())
            for change in (
                lambda: model.train(1, **QUIET),
                lambda: model.module.load_state_dict(model.module.state_dict()),
                lambda: model.module.init_embedding("other", 3),
            ):
                with pytest.raises(BusyError, match="being trained.*deepcopy"):
                    change()
                refused.append(change)

    options = {"max_epochs": 3, "callbacks": [Changing()], **QUIET}
    worker = threading.Thread(target=model.train, kwargs=options)
    worker.start()
    # Beside the callbacks, another thread.
    while worker.is_alive():
        read.append(model.get_latent_representation())
    worker.join()
    after = model.get_latent_representation()
    assert len(refused) == 9 and not np.array_equal(after, before)
    assert all(np.array_equal(z, before) or np.array_equal(z, after) for z in read)
    # It is free again.
    model.train(1, **QUIET)


def latent_of(model, cells):
    return model.get_latent_representation(indices=cells)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes(method):
    model = default()
    expected = model.get_latent_representation()
    parts = np.array_split(np.arange(40), 3)
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = np.concatenate(list(pool.map(latent_of, [model] * 3, parts)))
    assert_same(found, expected)


def test_joblib():
    joblib = pytest.importorskip("joblib")
    model = default()
    expected = model.get_latent_representation()
    parts = np.array_split(np.arange(40), 3)
    for backend in ("loky", "threading", "multiprocessing"):
        jobs = (joblib.delayed(model.get_latent_representation)(indices=part) for part in parts)
        found = joblib.Parallel(n_jobs=min(2, os.cpu_count() or 1), backend=backend)(jobs)
        assert_same(np.concatenate(found), expected)
