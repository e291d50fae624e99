"""Training: its arguments, its records, and what an interruption leaves."""

from __future__ import annotations

import numpy as np
import pytest
from support import counts, model_of, trained

import scvi_rs
from scvi_rs.exceptions import DivergedError, MinifiedError, PlanError


def weights(model):
    return model.module.state_dict()


def same(one, two):
    return all(np.array_equal(value, two[name]) for name, value in one.items())


def test_history_has_the_keys_of_scvi_tools(adata):
    model = model_of(adata)
    assert model.history is None and not model.is_trained
    model.train(3, check_val_every_n_epoch=2, enable_progress_bar=False)
    history = model.history
    assert history["elbo_train"].index.name == "epoch"
    assert list(history["elbo_train"].index) == [0, 1, 2]
    assert list(history["elbo_validation"].index) == [1]
    assert {"train_loss", "reconstruction_loss_train", "kl_local_train", "kl_weight"} <= set(
        history
    )
    assert len(model.train_indices) == 135 and len(model.validation_indices) == 15
    model.train(2, enable_progress_bar=False)
    assert list(model.history["elbo_train"].index) == [0, 1, 2, 3, 4]


def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(adata):
    scvi_rs.settings.num_threads = 1
    one = trained(counts())
    scvi_rs.settings.num_threads = 2
    two = trained(counts())
    assert same(weights(one), weights(two))
    scvi_rs.settings.seed = 1
    assert not same(weights(one), weights(trained(counts())))


@pytest.mark.parametrize(
    ("kwargs", "named"),
    [
        ({"max_epoch": 3}, "max_epoch"),
        ({"plan_kwargs": {"learning_rate": 1}}, "learning_rate"),
        ({"datasplitter_kwargs": {"shuffel": True}}, "shuffel"),
        ({"callbacks": [object()]}, "callbacks"),
    ],
)
def test_unknown_arguments_are_named(adata, kwargs, named):
    with pytest.raises(TypeError, match=named):
        model_of(adata).train(1, **kwargs)


@pytest.mark.parametrize(
    ("kwargs", "error"),
    [
        ({"plan_kwargs": {"lr": -1.0}}, PlanError),
        ({"batch_size": 2}, PlanError),
        ({"train_size": 1.5}, ValueError),
        ({"accelerator": "gpu"}, ValueError),
        ({"train_size": 1.0, "early_stopping": True}, ValueError),
        ({"plan_kwargs": {"optimizer": "SGD"}}, ValueError),
    ],
)
def test_wrong_values_are_errors(adata, kwargs, error):
    with pytest.raises(error):
        model_of(adata).train(1, **kwargs)


def test_losses_of_steps(adata):
    model = model_of(adata)
    options = {"plan_kwargs": {"on_step": True}, "log_every_n_steps": 1}
    model.train(4, check_val_every_n_epoch=2, enable_progress_bar=False, batch_size=64, **options)
    # 135 cells to train on: two steps an epoch and the rest joins.
    assert len(model.history["elbo_train_epoch"]) == 4
    assert len(model.history["train_loss_step"]) % 4 == 0
    assert len(model.history["validation_loss_step"]) == 2
    assert "kl_weight" in model.history


def test_learning_rates_are_recorded(adata):
    model = model_of(adata)
    plan = {"reduce_lr_on_plateau": True, "lr_patience": 0, "lr_threshold": 1e9, "lr": 1e-3}
    model.train(5, plan_kwargs=plan, enable_progress_bar=False)
    rates = model.history["lr-Adam"]["lr-Adam"].to_numpy()
    assert rates[0] == 1e-3 and np.all(np.diff(rates) <= 0) and rates[-1] < 1e-3


def test_given_cells_are_trained_on(adata):
    train, validation = np.arange(0, 100), np.arange(100, 150)
    model = model_of(adata)
    given = {"external_indexing": [train, validation]}
    model.train(1, datasplitter_kwargs=given, enable_progress_bar=False)
    assert np.array_equal(model.train_indices, train)
    assert np.array_equal(model.validation_indices, validation)


def test_ctrl_c_keeps_what_was_learnt(adata, ctrl_c):
    model = model_of(adata)
    before = {name: value.copy() for name, value in weights(model).items()}
    ctrl_c(0.5)
    with pytest.raises(KeyboardInterrupt):
        model.train(1_000_000, enable_progress_bar=False)
    assert model.is_trained and len(model.history["elbo_train"]) > 0
    assert not same(before, weights(model))
    assert np.isfinite(model.get_latent_representation()).all()
    assert model._core.training["stop"] == "interrupted"


def test_a_run_that_diverges_leaves_the_model_as_it_was(adata):
    model = model_of(adata)
    before = {name: value.copy() for name, value in weights(model).items()}
    with pytest.raises(DivergedError):
        model.train(50, plan_kwargs={"lr": 1e6, "eps": 1e-30}, enable_progress_bar=False)
    assert same(before, weights(model)) and not model.is_trained


def test_minified_data_cannot_be_trained_on(adata):
    model = trained(adata)
    adata.obsm["X_latent_qzm"], adata.obsm["X_latent_qzv"] = model.get_latent_representation(
        return_dist=True
    )
    model.minify_adata()
    with pytest.raises(ValueError, match="VAE.loss function currently does not support minified"):
        model.train(1)
    with pytest.raises((MinifiedError, ValueError)):
        model.get_marginal_ll()


def test_a_splitter_can_bring_the_data(adata):
    scvi_rs.model.SCVI.setup_anndata(adata, batch_key="batch")
    manager = scvi_rs.model.SCVI._get_most_recent_anndata_manager(adata)
    splitter = scvi_rs.dataloaders.DataSplitter(manager)
    with pytest.warns(UserWarning, match="initialized without `adata`"):
        model = scvi_rs.model.SCVI(n_latent=3)
    assert model.module is None
    with pytest.raises(ValueError, match="n_obs"):
        model.train(datamodule=splitter)
    with pytest.raises(AttributeError):
        model.train()
    model.train(1, datamodule=splitter, enable_progress_bar=False)
    assert model.get_latent_representation(adata).shape == (150, 3)
