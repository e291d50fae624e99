"""Queries mapped onto a SCANVI."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
from anndata import AnnData
from support import counts, trained_scanvi

from scvi_rs.exceptions import CategoryError
from scvi_rs.model import SCANVI

CLASSIFIER = "classifier.classifier.0.fc_layers.Layer 0.0.weight"


@pytest.fixture(scope="module")
def reference() -> SCANVI:
    return trained_scanvi(counts(), 3, encode_covariates=True)


def query(labels: bool = False) -> AnnData:
    adata = counts(90, seed=1)
    adata.obs["batch"] = "new"
    if not labels:
        del adata.obs["label"]
    return adata


def mapped(adata: AnnData, reference, **kwargs) -> SCANVI:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Missing labels key")
        return SCANVI.load_query_data(adata, reference, **kwargs)


def test_labels_may_be_missing(reference):
    adata = query()
    with pytest.warns(UserWarning, match="Missing labels key label. Filling in"):
        model = SCANVI.load_query_data(adata, reference)
    assert set(adata.obs["label"]) == {"c"}
    with warnings.catch_warnings():
        # A query has no labels; nothing is amiss.
        warnings.filterwarnings("error", "No cell has a label")
        model.train(2, plan_kwargs={"weight_decay": 0.0}, enable_progress_bar=False)
    assert set(model.predict()) <= {"a", "b"}
    assert model.predict(soft=True).shape == (90, 2)


def test_labels_are_those_of_the_reference(reference):
    adata = query(labels=True)
    assert mapped(adata, reference).n_labels == 2
    adata = query(labels=True)
    adata.obs["label"] = "z"
    with pytest.raises(CategoryError, match="z"):
        mapped(adata, reference)


def test_reference_cells_keep_their_place_and_their_probabilities(reference):
    model = mapped(query(), reference)
    model.train(2, plan_kwargs={"weight_decay": 0.0}, enable_progress_bar=False)
    latent = model.get_latent_representation(counts())
    np.testing.assert_array_equal(latent, reference.get_latent_representation())
    np.testing.assert_array_equal(model.predict(counts(), soft=True), reference.predict(soft=True))


@pytest.mark.parametrize("freeze_dropout", [False, True])
def test_the_classifier_is_frozen_unless_asked_for(reference, freeze_dropout):
    before = reference.module.state_dict()[CLASSIFIER]
    for frozen in (True, False):
        model = mapped(
            query(labels=True),
            reference,
            freeze_classifier=frozen,
            freeze_dropout=freeze_dropout,
        )
        model.train(2, enable_progress_bar=False)
        after = model.module.state_dict()[CLASSIFIER]
        assert np.array_equal(before, after) == frozen


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_train_as_the_query_does(reference, copied):
    model = mapped(query(labels=True), reference, freeze_dropout=True, freeze_classifier=False)
    twin = copied(model)
    states = []
    for trained in (model, twin):
        trained.train(2, enable_progress_bar=False)
        states.append(trained.module.state_dict())
    for name, weights in states[0].items():
        np.testing.assert_array_equal(states[1][name], weights, err_msg=name)


def test_files(reference, tmp_path):
    reference.save(tmp_path / "reference")
    model = mapped(query(), tmp_path / "reference")
    model.train(1, plan_kwargs={"weight_decay": 0.0}, enable_progress_bar=False)
    for write, name in ((model.save, "native"), (model.save_scvi_tools, "scvi-tools")):
        write(tmp_path / name)
        loaded = SCANVI.load(tmp_path / name, model.adata)
        np.testing.assert_array_equal(loaded.predict(soft=True), model.predict(soft=True))
