"""What SCANVI says of labels that it cannot learn from."""

from __future__ import annotations

import numpy as np
import pytest
from support import counts

from scvi_rs.exceptions import CategoryError, ConfigError, TrainError
from scvi_rs.model import SCANVI


def of_labels(labels, unlabeled="?", **kwargs) -> SCANVI:
    adata = counts(len(labels))
    adata.obs["label"] = labels
    SCANVI.setup_anndata(adata, "label", unlabeled)
    return SCANVI(adata, n_hidden=8, n_latent=3, **kwargs)


def test_missing_values_can_be_made_unlabelled_as_the_error_says():
    adata = counts()
    adata.obs["label"] = adata.obs["label"].where(np.arange(adata.n_obs) % 2 == 0)
    with pytest.raises(ValueError, match="NaN") as error:
        SCANVI.setup_anndata(adata, "label", "?")
    statement = str(error.value).split("say so: ")[1].split(", with")[0]
    exec(statement, {"adata": adata})  # noqa: S102
    SCANVI.setup_anndata(adata, "label", "?")
    assert len(SCANVI(adata)._unlabeled_indices) == 75


def test_no_labelled_cell():
    labels = np.array(["?"] * 60, dtype=object)
    with pytest.raises(ValueError, match="no label but '\\?'"):
        of_labels(labels)
    adata = counts(60)
    adata.obs["label"] = "c"
    adata.obs["label"] = adata.obs["label"].astype("category").cat.add_categories(["a", "b"])
    SCANVI.setup_anndata(adata, "label", "c")
    model = SCANVI(adata, n_hidden=8, n_latent=3)
    with pytest.warns(UserWarning, match="No cell has a label"):
        model.train(1, enable_progress_bar=False)
    assert "train_classification_loss" not in model.history
    assert np.isfinite(model.history["train_loss"].to_numpy()).all()


def test_a_label_of_one_cell():
    labels = np.resize(["a", "?", "b"], 60).astype(object)
    labels[0] = "rare"
    with pytest.warns(UserWarning, match="fewer than 3 cells"):
        model = of_labels(labels)
    model.train(2, enable_progress_bar=False)
    assert set(model.predict(soft=True).columns) == {"a", "b", "rare"}


def test_one_labelled_cell():
    labels = np.array(["a"] + ["?"] * 59, dtype=object)
    model = of_labels(labels)
    with pytest.raises(TrainError, match="label"):
        model.train(1, train_size=1.0, enable_progress_bar=False)


def test_an_unlabelled_category_of_another_kind():
    with pytest.raises(CategoryError, match="unlabeled_category is 'x', text"):
        of_labels(np.resize([0, 1], 60), "x")


def test_a_declared_label_that_no_cell_has():
    adata = counts(60)
    adata.obs["label"] = adata.obs["label"].cat.add_categories(["empty"])
    SCANVI.setup_anndata(adata, "label", "c")
    with pytest.warns(UserWarning, match="empty"):
        model = SCANVI(adata, n_hidden=8, n_latent=3)
    assert model.n_labels == 3


def test_a_dispersion_by_label():
    with pytest.raises(ConfigError, match="gene-label"):
        of_labels(np.resize(["a", "b"], 60), dispersion="gene-label")


@pytest.mark.parametrize("arguments", [(None, "?"), ("label", None)])
def test_both_arguments_are_needed(arguments):
    with pytest.raises(ValueError, match="is None"):
        SCANVI.setup_anndata(counts(), *arguments)


def test_arguments_that_are_not_supported():
    with pytest.raises(NotImplementedError, match="adata"):
        SCANVI()
    with pytest.raises(NotImplementedError, match="use_labels_groups"):
        of_labels(np.resize(["a", "b"], 60), use_labels_groups=True)
    with pytest.raises(ConfigError, match="y_prior"):
        of_labels(np.resize(["a", "b"], 60), y_prior=[1.0])
