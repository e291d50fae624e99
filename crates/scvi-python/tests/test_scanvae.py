"""The module of SCANVI over arrays, and the model, beside scvi-tools where SCVI_REFERENCE_PYTHON can
import it."""

from __future__ import annotations

import os
import pickle
import subprocess

import numpy as np
import pytest
from support import counts, trained_scanvi

from scvi_rs import REGISTRY_KEYS
from scvi_rs.exceptions import ConfigError
from scvi_rs.module import SCANVAE, LossOutput

PYTHON = os.environ.get("SCVI_REFERENCE_PYTHON")


def minibatch(n_cells: int = 30, n_labels: int = 3) -> dict[str, np.ndarray]:
    adata = counts(n_cells, 20)
    return {
        REGISTRY_KEYS.X_KEY: adata.X.toarray(),
        REGISTRY_KEYS.BATCH_KEY: adata.obs["batch"].cat.codes.to_numpy()[:, None],
        REGISTRY_KEYS.LABELS_KEY: (np.arange(n_cells) % n_labels)[:, None],
    }


def small(**kwargs) -> SCANVAE:
    sizes = {"n_input": 20, "n_batch": 2, "n_labels": 3, "n_hidden": 8, "n_latent": 4}
    return SCANVAE(**{**sizes, "seed": 0, **kwargs})


def test_classify():
    tensors = minibatch()
    x, batch, labels = tensors.values()
    logits = small().classify(x, batch)
    assert logits.shape == (30, 3)
    probabilities = small(classifier_parameters={"logits": False}).classify(x, batch)
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5)
    loss, truth, scores = small().classification_loss(tensors)
    np.testing.assert_array_equal(scores, logits)
    assert truth is labels
    assert loss == pytest.approx(-np.log(expected[np.arange(30), labels[:, 0]]).mean(), rel=1e-5)
    with pytest.raises(ValueError, match="a label is 3; there are 3"):
        small().classification_loss({**tensors, REGISTRY_KEYS.LABELS_KEY: np.full((30, 1), 3)})


@pytest.mark.parametrize("library", [True, False])
def test_the_loss_has_the_terms_of_labels(library):
    prior = {} if library else {"library_log_means": [3.0, 4.0], "library_log_vars": [0.2, 0.3]}
    vae = small(use_observed_lib_size=library, **prior)
    tensors = minibatch()
    inference, generative, plain = vae(tensors, loss_kwargs={"kl_weight": 0.5, "seed": 1})
    assert isinstance(plain, LossOutput)
    (reconstruction,), (kl,) = plain.reconstruction_loss.values(), plain.kl_local.values()
    assert plain.loss == pytest.approx((reconstruction + 0.5 * kl).mean(), rel=1e-5)
    likelihood = -generative["px"].log_prob(tensors["X"]).sum(-1)
    assert not np.allclose(reconstruction, likelihood)
    labelled = vae.loss(
        tensors,
        inference,
        generative,
        kl_weight=0.5,
        labelled_tensors=tensors,
        classification_ratio=10.0,
        seed=1,
    )
    expected = plain.loss + 10 * vae.classification_loss(tensors)[0]
    assert labelled.loss == pytest.approx(expected, rel=1e-6)
    assert labelled.logits.shape == (30, 3)


def test_the_model_and_the_module_agree_on_the_elbo():
    model = trained_scanvi(counts(60, 20), 1)
    adata = model.adata
    tensors = {
        REGISTRY_KEYS.X_KEY: adata.X.toarray(),
        REGISTRY_KEYS.BATCH_KEY: adata.obs["_scvi_batch"].to_numpy()[:, None],
    }
    by_module = [-model.module(tensors)[2].loss for _ in range(200)]
    by_model = [float(model.get_elbo()) for _ in range(200)]
    spread = np.hypot(np.std(by_module), np.std(by_model)) / np.sqrt(200)
    assert abs(np.mean(by_module) - np.mean(by_model)) < 5 * spread


def test_gradients_of_labelled_cells_reach_the_classifier():
    name = "classifier.classifier.1.weight"
    tensors = minibatch()
    without = small().gradients(tensors, seed=0)
    assert without.keys() <= small().state_dict().keys()
    assert (
        np.abs(without[name]).max()
        < np.abs(small().gradients(tensors, labelled_tensors=tensors, seed=0)[name]).max()
    )
    with pytest.raises(ValueError, match="of which there are 3"):
        labelled = {**tensors, REGISTRY_KEYS.LABELS_KEY: np.full((30, 1), 3)}
        small().gradients(tensors, labelled_tensors=labelled)


def test_options():
    with pytest.raises(TypeError, match="n_hiden"):
        small(n_hiden=3)
    with pytest.raises(ConfigError, match="n_labels is 0"):
        small(n_labels=0)
    with pytest.raises(NotImplementedError, match="use_labels_groups"):
        small(use_labels_groups=True)
    prior = small(y_prior=np.array([[0.2, 0.3, 0.5]])).y_prior
    np.testing.assert_allclose(prior, [[0.2, 0.3, 0.5]], rtol=1e-6)
    assert "n_labels=3" in repr(small())


REFERENCE = """
import pickle, sys, warnings
import anndata, numpy as np, scvi, torch
warnings.simplefilter("ignore")
load = torch.load
torch.load = lambda *args, **kwargs: load(*args, **(kwargs | {"weights_only": False}))
folder = sys.argv[1]
adata = anndata.read_h5ad(f"{folder}/adata.h5ad")
model = scvi.model.SCANVI.load(f"{folder}/model", adata)
soft = model.predict(soft=True)
codes = adata.obs["_scvi_labels"].to_numpy()
known = codes < model.n_labels
tensors = {
    "X": torch.tensor(adata.X.toarray()), "batch": torch.tensor(adata.obs[["_scvi_batch"]].to_numpy().astype(int)),
    "labels": torch.tensor(codes[:, None].astype(int)),
}
model.module.eval()
with torch.no_grad():
    entropy = model.module.classification_loss({k: v[known] for k, v in tensors.items()})[0]
    losses = [model.module(tensors)[2] for _ in range(300)]
terms = np.array([[x.reconstruction_loss_sum.item(), x.kl_local_sum.item()] for x in losses])
found = {
    "soft": soft.to_numpy(), "columns": list(soft.columns), "index": list(soft.index),
    "hard": model.predict(), "codes": codes, "entropy": entropy.item(), "terms": terms,
    "labels": list(model._label_mapping), "unlabeled": model._unlabeled_indices,
}
with open(f"{folder}/reference.pkl", "wb") as file:
    pickle.dump(found, file)
"""


@pytest.mark.skipif(PYTHON is None, reason="SCVI_REFERENCE_PYTHON is not set")
@pytest.mark.parametrize(
    "kwargs", [{}, {"linear_classifier": True}, {"use_observed_lib_size": False}]
)
def test_scvi_tools_says_the_same(tmp_path, kwargs):
    model = trained_scanvi(counts(), 2, **kwargs)
    counts().write_h5ad(tmp_path / "adata.h5ad")
    model.save_scvi_tools(tmp_path / "model")
    subprocess.run([PYTHON, "-c", REFERENCE, str(tmp_path)], check=True)
    reference = pickle.loads((tmp_path / "reference.pkl").read_bytes())
    soft = model.predict(soft=True)
    np.testing.assert_allclose(soft, reference["soft"], atol=1e-5)
    assert list(soft.columns) == reference["columns"]
    assert list(soft.index) == reference["index"]
    np.testing.assert_array_equal(model.predict(), reference["hard"])
    assert list(model._label_mapping) == reference["labels"]
    np.testing.assert_array_equal(model._unlabeled_indices, reference["unlabeled"])
    codes = model.adata.obs["_scvi_labels"].to_numpy()
    np.testing.assert_array_equal(codes, reference["codes"])
    tensors = {
        REGISTRY_KEYS.X_KEY: model.adata.X.toarray(),
        REGISTRY_KEYS.BATCH_KEY: model.adata.obs[["_scvi_batch"]].to_numpy(),
        REGISTRY_KEYS.LABELS_KEY: codes[:, None],
    }
    known = {name: values[codes < model.n_labels] for name, values in tensors.items()}
    entropy = model.module.classification_loss(known)[0]
    assert entropy == pytest.approx(reference["entropy"], rel=1e-4)
    losses = [model.module(tensors)[2] for _ in range(300)]
    terms = np.array([[x.reconstruction_loss_sum, x.kl_local_sum] for x in losses])
    spread = np.hypot(terms.std(0), reference["terms"].std(0)) / np.sqrt(300)
    assert (np.abs(terms.mean(0) - reference["terms"].mean(0)) < 5 * spread).all()
