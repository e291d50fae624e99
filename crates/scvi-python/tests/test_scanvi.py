"""SCANVI: labels of some cells in, labels of all cells out."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from support import counts, model_of, scanvi_of, trained, trained_scanvi

from scvi_rs.exceptions import CategoryError, ConfigError
from scvi_rs.model import SCANVI, SCVI
from scvi_rs.train import Callback


@pytest.fixture(scope="module")
def model() -> SCANVI:
    return trained_scanvi(counts(), 3)


@pytest.mark.parametrize(
    ("values", "unlabeled", "expected"),
    [
        (list("abcd"), "b", list("adcb")),
        (list("abcd"), "d", list("abcd")),
        (list("abc"), "Unknown", [*"abc", "Unknown"]),
        ([3, 1, 2], 1, [3, 2, 1]),
        ([3, 1, 2], -1, [1, 2, 3, -1]),
    ],
)
def test_the_unlabelled_category_changes_places_with_the_last(adata, values, unlabeled, expected):
    labels = np.resize(values, adata.n_obs)
    adata.obs["label"] = labels
    SCANVI.setup_anndata(adata, "label", unlabeled)
    model = SCANVI(adata, n_hidden=4, n_latent=2)
    mapping = model.get_state_registry("labels")["categorical_mapping"]
    assert mapping.tolist() == expected
    np.testing.assert_array_equal(mapping[adata.obs["_scvi_labels"]], labels)
    assert (model.n_labels, model.module.n_labels) == (len(expected) - 1, len(expected) - 1)
    np.testing.assert_array_equal(model._unlabeled_indices, np.flatnonzero(labels == unlabeled))
    np.testing.assert_array_equal(model._labeled_indices, np.flatnonzero(labels != unlabeled))


def test_labels_are_learned():
    adata = counts(n_cells=400)
    truth = adata.obs["label"].astype(str).to_numpy()
    hidden = np.random.default_rng(0).random(adata.n_obs) < 0.5
    adata.obs["label"] = np.where(hidden, "?", truth)
    SCANVI.setup_anndata(adata, "label", "?", batch_key="batch")
    model = SCANVI(adata, n_hidden=32, n_latent=4)
    model.train(40, enable_progress_bar=False)
    assert (model.predict() == truth)[hidden].mean() > 0.9


def test_predictions(model):
    adata = model.adata
    soft = model.predict(soft=True)
    assert list(soft.columns) == ["a", "b"]
    assert soft.index.equals(adata.obs_names)
    np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-5)
    hard = model.predict()
    np.testing.assert_array_equal(hard, soft.columns[soft.to_numpy().argmax(axis=1)])
    assert hard.dtype.kind == "U"
    some = model.predict(indices=["cell7", "cell2"], soft=True, batch_size=1)
    assert list(some.index) == ["cell7", "cell2"]
    np.testing.assert_array_equal(some, soft.iloc[[7, 2]])
    assert len(model.predict(indices=[])) == 0
    drawn = model.predict(soft=True, use_posterior_mean=False)
    assert not np.array_equal(drawn, soft)
    for unsupported in ({"ig_interpretability": True}, {"dataloader": []}):
        with pytest.raises(NotImplementedError, match=next(iter(unsupported))):
            model.predict(**unsupported)


def test_predictions_for_cells_without_labels(model):
    other = counts(40)
    expected = model.predict(other, soft=True)
    bare = counts(40)
    del bare.obs["label"]
    with pytest.warns(UserWarning, match="Missing labels key label"):
        found = model.predict(bare, soft=True)
    np.testing.assert_array_equal(found, expected)
    other = counts(40)
    other.obs["label"] = "z"
    with pytest.raises(CategoryError, match="z"):
        model.predict(other)


def test_history(adata):
    model = scanvi_of(adata)
    model.train(2, check_val_every_n_epoch=1, enable_progress_bar=False)
    for cells in ("train", "validation"):
        for name in ("classification_loss", "accuracy", "f1_score", "calibration_error"):
            frame = model.history[f"{cells}_{name}"]
            assert frame.shape == (2, 1)
            assert np.isfinite(frame.to_numpy()).all()
        accuracy, f1 = (model.history[f"{cells}_{name}"] for name in ("accuracy", "f1_score"))
        np.testing.assert_array_equal(accuracy, f1)
    assert "elbo_validation" in model.history


def test_options_of_training():
    def weights(**kwargs):
        model = scanvi_of(counts())
        model.train(1, enable_progress_bar=False, **kwargs)
        return model.module.state_dict()["classifier.classifier.1.weight"]

    usual = weights()
    assert not np.array_equal(weights(n_samples_per_label=3.0), usual)
    assert not np.array_equal(weights(plan_kwargs={"classification_ratio": 1.0}), usual)
    np.testing.assert_array_equal(weights(plan_kwargs={"classification_ratio": 50}), usual)
    with pytest.raises(ValueError, match="n_samples_per_label is 0"):
        weights(n_samples_per_label=0)
    with pytest.raises(ValueError, match="classification_ratio"):
        weights(plan_kwargs={"classification_ratio": -1})


def test_models_without_labels_know_none_of_it(adata):
    model = model_of(adata)
    with pytest.raises(TypeError, match="classification_ratio"):
        model.train(1, plan_kwargs={"classification_ratio": 1.0})
    with pytest.raises(TypeError, match="n_samples_per_label"):
        model.train(1, n_samples_per_label=3)
    with pytest.raises(TypeError, match="unlabeled_category"):
        SCVI.setup_anndata(adata, labels_key="label", unlabeled_category="c")
    assert not hasattr(model, "predict")


@pytest.mark.parametrize("write", ["save", "save_scvi_tools"])
def test_files(model, tmp_path, write):
    getattr(model, write)(tmp_path / "model")
    with pytest.raises(ValueError, match="different class"):
        SCVI.load(tmp_path / "model", adata=False)
    loaded = SCANVI.load(tmp_path / "model", counts())
    pd.testing.assert_frame_equal(loaded.predict(soft=True), model.predict(soft=True))
    assert loaded.get_setup_arg("unlabeled_category") == "c"
    assert loaded.history.keys() == model.history.keys()
    without = SCANVI.load(tmp_path / "model", adata=False)
    np.testing.assert_array_equal(without.predict(counts()), model.predict())
    assert len(without._unlabeled_indices) == len(model._unlabeled_indices)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_by_themselves(adata, copied):
    model = trained_scanvi(adata)
    before = model.predict(soft=True)
    twin = copied(model)
    np.testing.assert_array_equal(twin.predict(soft=True), before)
    twin.train(1, enable_progress_bar=False)
    assert not np.array_equal(twin.predict(soft=True), before)
    np.testing.assert_array_equal(model.predict(soft=True), before)


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(tmp_path):
    class Stop(Callback):
        def on_epoch_end(self, training, metrics) -> None:
            if training.epoch == 1:
                raise KeyboardInterrupt

    whole = trained_scanvi(counts(), 4)
    arguments = {"checkpoint_path": tmp_path / "run", "enable_progress_bar": False}
    model = scanvi_of(counts())
    with pytest.raises(KeyboardInterrupt):
        model.train(4, callbacks=[Stop()], **arguments)
    again = scanvi_of(counts())
    again.train(4, resume=True, **arguments)
    for name, weights in whole.module.state_dict().items():
        np.testing.assert_array_equal(again.module.state_dict()[name], weights, err_msg=name)


def test_what_is_said_of_it(model):
    assert "SCANVI model" in repr(model)
    assert "unlabeled_category: c, n_hidden: 16" in repr(model)


def test_from_scvi_model(adata):
    base = trained(adata, n_layers=2, encode_covariates=True)
    with pytest.warns(UserWarning, match="Ignoring param 'n_layers'"):
        model = SCANVI.from_scvi_model(base, "c", n_layers=1, linear_classifier=True)
    state = model.module.state_dict()
    for name, weights in base.module.state_dict().items():
        np.testing.assert_array_equal(state[name], weights, err_msg=name)
    assert model.module.n_layers == 2
    assert state["classifier.classifier.0.weight"].shape == (2, 4)
    model.train(enable_progress_bar=False)
    assert len(model.history["train_loss"]) == 10
    assert base.is_trained and not np.array_equal(model.module.px_r, base.module.px_r)


def test_from_scvi_model_needs_labels_and_counts(adata):
    SCVI.setup_anndata(adata, batch_key="batch")
    base = SCVI(adata, n_hidden=8, n_latent=3)
    with (
        pytest.warns(UserWarning, match="hasn't been trained"),
        pytest.raises(ValueError, match="labels_key"),
    ):
        SCANVI.from_scvi_model(base, "c")
    base.train(1, enable_progress_bar=False)
    model = SCANVI.from_scvi_model(base, "c", labels_key="label")
    assert model.n_labels == 2
    with pytest.raises(TypeError, match="SCANVI"):
        SCANVI.from_scvi_model(model, "c")
    by_label = trained(counts(), 1, dispersion="gene-label")
    with pytest.raises(ConfigError, match="dispersion"):
        SCANVI.from_scvi_model(by_label, "c")


def test_minified_data(adata):
    model = trained_scanvi(adata)
    mean, var = model.get_latent_representation(return_dist=True)
    adata.obsm["X_latent_qzm"], adata.obsm["X_latent_qzv"] = mean, var
    before = model.predict(soft=True)
    model.minify_adata()
    assert {"scanvi_latent_qzm", "scanvi_latent_qzv"} <= set(model.adata.obsm)
    assert model.adata.X.nnz == 0
    np.testing.assert_allclose(model.predict(soft=True), before, rtol=1e-5)
    with pytest.raises(ValueError, match="minified"):
        model.train(1)


def test_tasks(model):
    assert model.get_normalized_expression().shape == model.adata.shape
    table = model.differential_expression(groupby="label", group1="a", group2="b", silent=True)
    assert len(table) == model.adata.n_vars
    assert np.isfinite(model.get_elbo()) and np.isfinite(model.get_marginal_ll(n_mc_samples=3))
