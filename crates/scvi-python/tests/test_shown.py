"""How models and everything public are shown: printed, in notebooks, and when names are completed."""

from __future__ import annotations

import inspect
import re
from html.parser import HTMLParser

import anndata
import numpy as np
import pytest
from support import counts, model_of, trained

import scvi_rs

SCVI = scvi_rs.model.SCVI
MODULES = [
    scvi_rs,
    scvi_rs.data,
    scvi_rs.data.fields,
    scvi_rs.dataloaders,
    scvi_rs.distributions,
    scvi_rs.exceptions,
    scvi_rs.model,
    scvi_rs.model.base,
    scvi_rs.module,
    scvi_rs.utils,
]


@pytest.fixture(scope="module")
def model():
    return trained(counts(40, 20))


def lines(model) -> list[str]:
    text = repr(model)
    assert str(model) == text
    return text.splitlines()


def test_a_model_tells_its_data_and_training(tmp_path, model):
    told = lines(model)
    assert told[0].strip() == "SCVI model with the following parameters:"
    assert "n_hidden: 16, n_latent: 4" in told[1]
    assert told[2:] == [
        "Data: 40 cells, 20 genes, 2 batches, 3 labels",
        "Training status: Trained (2 epochs)",
        "Model's adata is minified?: False",
    ]
    model.save(tmp_path / "model")
    assert lines(SCVI.load(tmp_path / "model", model.adata.copy())) == told
    bare = SCVI.load(tmp_path / "model", adata=False)
    assert lines(bare)[2] == ("Data: none (set up with 40 cells, 20 genes, 2 batches, 3 labels)")
    assert lines(bare)[3:] == told[3:]


def test_models_in_every_state():
    untrained = model_of(counts(40, 20))
    assert lines(untrained)[3] == "Training status: Not Trained"
    with pytest.warns(UserWarning, match="without `adata`"):
        empty = SCVI()
    assert lines(empty)[2:4] == ["Data: none", "Training status: Not Trained"]
    assert "<table>" in empty._repr_html_()

    adata = counts(40, 20)
    SCVI.setup_anndata(
        adata, categorical_covariate_keys=["plate"], continuous_covariate_keys=["score"]
    )
    one = SCVI(adata, n_hidden=8)
    one.train(1, enable_progress_bar=False)
    assert lines(one)[2:4] == [
        "Data: 40 cells, 20 genes, 1 batch, 1 categorical covariate, 1 continuous covariate",
        "Training status: Trained (1 epoch)",
    ]
    early = model_of(counts(40, 20))
    early.train(
        50,
        early_stopping=True,
        early_stopping_patience=1,
        early_stopping_min_delta=1e9,
        enable_progress_bar=False,
    )
    assert re.fullmatch(r"Training status: Trained \(\d epochs, stopped early\)", lines(early)[3])


class Table(HTMLParser):
    """The rows of a table, and whether every element ends."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("td", "th"):
            self.cells[-1] += data

    @property
    def rows(self) -> dict[str, str]:
        return dict(zip(self.cells[::2], self.cells[1::2], strict=True))


def test_a_model_in_a_notebook():
    adata = counts(40, 20)
    adata.obs["batch"] = adata.obs["batch"].cat.rename_categories(["<b>", "y & z"])
    SCVI.setup_anndata(adata, batch_key="batch", categorical_covariate_keys=["plate"])
    model = SCVI(adata, n_latent=3, use_layer_norm="both")
    rows = Table(model._repr_html_()).rows
    assert rows["Cells"] == "40" and rows["Genes"] == "20" and rows["Training"] == "Not Trained"
    # Names of the data are text, whatever they look like.
    assert rows["Batches"] == "2 in obs['batch']: <b>, y & z"
    assert rows["Covariate plate"] == "3 categories: 10, 11, 12"
    assert rows["n_latent"] == "3" and rows["use_layer_norm"] == "both"
    assert "use_batch_norm" not in rows and "n_input" not in rows
    many = counts(40, 20)
    many.obs["batch"] = np.repeat([f"donor{i}" for i in range(20)], 2)
    SCVI.setup_anndata(many, batch_key="batch")
    assert "donor9" not in SCVI(many)._repr_html_()
    assert Table(model.adata_manager._repr_html_()).rows["batch"] == "adata.obs['batch']"


def shown(model) -> dict[str, object]:
    """Objects of every public kind."""
    tensors = {
        "X": model.adata.X[:2].toarray(),
        "batch": np.zeros((2, 1)),
        "labels": np.zeros((2, 1)),
    }
    inference, generative, loss = model.module(tensors)
    embedded = trained(counts(40, 20), batch_representation="embedding")
    return {
        "module": model.module,
        "manager": model.adata_manager,
        "unregistered": scvi_rs.data.AnnDataManager(model.adata_manager.fields),
        "settings": scvi_rs.settings,
        "history": model.history,
        "registry": model.registry,
        "summary": model.summary_stats,
        "places": model.adata_manager.data_registry,
        "fields": model.adata_manager.fields,
        "splitter": scvi_rs.dataloaders.DataSplitter(model.adata_manager),
        "posterior": model.get_aggregated_posterior(),
        "embedding": embedded.module.get_embedding("batch"),
        "inference": inference,
        "generative": generative,
        "loss": loss,
        "comparison": scvi_rs.model.base.DifferentialComputation(
            model.get_normalized_expression, None, model.adata_manager
        ),
        "checks": scvi_rs.data.AnnDataManagerValidationCheck(),
        "keys": scvi_rs.REGISTRY_KEYS,
        "device": model.device,
        "engine": model._core,
        "cells": model._cells(None),
        "counts": scvi_rs._core.Counts.dense(np.ones((2, 3), np.float32)),
    }


def test_nothing_public_is_shown_by_its_address(model):
    for name, value in shown(model).items():
        assert " at 0x" not in repr(value), name
    for module in MODULES:
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) and not name.endswith("Mixin"):
                assert value.__repr__ is not object.__repr__, f"{module.__name__}.{name}"


def test_texts_of_what_models_are_made_of(model):
    manager = repr(model.adata_manager)
    assert manager == (
        "AnnDataManager(40 cells, 20 genes; X: adata.X, batch: adata.obs['batch'], "
        "labels: adata.obs['label'])"
    )
    assert repr(model.module) == ("VAE(n_input=20, n_batch=2, n_labels=3, n_hidden=16, n_latent=4)")
    assert repr(scvi_rs.settings).startswith("settings(batch_size=128, ")
    assert "dl_num_workers" not in repr(scvi_rs.settings)
    assert repr(shown(model)["splitter"]) == (
        "DataSplitter(40 cells: 36 to train on, 4 to validate on, 0 to test on)"
    )


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_modules_show_what_they_offer(module):
    assert dir(module) == sorted(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
    assert [name for name in dir(module) if name.startswith("_")] in ([], ["__version__"])
    # What is offered is defined here, or meant to be given on.
    for name in dir(module):
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__module__.startswith("scvi_rs") or value is anndata.read_h5ad


def test_objects_show_public_names(model):
    for value in (model, model.module, model.adata_manager, scvi_rs.settings):
        names = dir(value)
        assert names and not any(name.startswith("_") or name.endswith("_") for name in names)
        assert names == sorted(names)
    assert {"train", "adata", "history", "get_latent_representation"} <= set(dir(model))
    assert {"n_latent", "state_dict", "inference"} <= set(dir(model.module))
    assert {"seed", "batch_size", "logging_dir"} <= set(dir(scvi_rs.settings))
