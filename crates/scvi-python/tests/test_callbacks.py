"""Callbacks see a run, end it, save it, and use the model as it is."""

from __future__ import annotations

import logging
import threading

import anndata
import numpy as np
import pytest
from support import counts, model_of

import scvi_rs
from scvi_rs.train import Callback, SaveCheckpoint


def train(model, epochs=3, callbacks=(), **kwargs):
    kwargs.setdefault("enable_progress_bar", False)
    model.train(epochs, batch_size=40, callbacks=list(callbacks), **kwargs)
    return model


def same(one, two) -> bool:
    one, two = one.module.state_dict(), two.module.state_dict()
    return all(np.array_equal(value, two[name]) for name, value in one.items())


class Noting(Callback):
    def __init__(self):
        self.told = []
        self.threads = set()

    def on_train_start(self, training):
        self.told.append(("start", training.epoch, training.step, training.epochs))

    def on_epoch_end(self, training, metrics):
        self.told.append(("epoch", training.epoch, training.step, metrics))
        self.threads.add(threading.current_thread())
        assert metrics == training.metrics

    def on_train_end(self, training):
        self.told.append(("end", training.epoch, training.step))


def test_what_callbacks_hear(adata):
    noting = Noting()
    model = train(model_of(adata), callbacks=[noting], check_val_every_n_epoch=2)
    assert [call[:3] for call in noting.told] == [
        ("start", 0, 0),
        ("epoch", 1, 4),
        ("epoch", 2, 8),
        ("epoch", 3, 12),
        ("end", 3, 12),
    ]
    assert noting.told[0][3] == 3 and noting.threads == {threading.current_thread()}
    for _, epoch, _, metrics in noting.told[1:-1]:
        assert ("elbo_validation" in metrics) == (epoch == 2)
        for name, value in metrics.items():
            assert value == model.history[name].loc[epoch - 1, name]
    assert same(model, train(model_of(counts()), check_val_every_n_epoch=2))


def test_any_object_with_a_method_of_the_interface_will_do(adata):
    class Plain:
        def on_epoch_end(self, training, metrics):
            training.stop()

    model = model_of(adata)
    model.train(9, callbacks=Plain(), enable_progress_bar=False)
    assert len(model.history["train_loss"]) == 1


class StopAfter(Callback):
    def __init__(self, epochs):
        self.epochs = epochs

    def on_epoch_end(self, training, metrics):
        if training.epoch == self.epochs:
            training.stop()


@pytest.mark.parametrize(
    ("options", "epochs"), [({}, 2), ({"min_epochs": 4}, 4), ({"min_epochs": 1}, 2)]
)
def test_a_callback_ends_training_with_the_epoch(adata, options, epochs):
    model = train(model_of(adata), 9, [StopAfter(2)], **options)
    assert len(model.history["train_loss"]) == epochs
    assert model._core.training["stop"] == "callback"
    # To the last bit what that many epochs give.
    assert same(model, train(model_of(counts()), epochs))


def test_the_model_as_it_is_can_be_used_in_between(adata):
    latents, models = [], []

    class Using(Callback):
        def on_epoch_end(self, training, metrics):
            model = training.model()
            latents.append(model.get_latent_representation())
            models.append(model)
            # The model itself is what it was.
            assert not training._model.is_trained

    model = train(model_of(adata), 3, [Using()], check_val_every_n_epoch=1)
    for epochs, (latent, copy) in enumerate(zip(latents, models, strict=True), start=1):
        whole = train(model_of(counts()), epochs, check_val_every_n_epoch=1)
        assert np.array_equal(latent, whole.get_latent_representation())
        assert copy.is_trained and copy.adata is adata and same(copy, whole)
        assert all(frame.equals(copy.history[name]) for name, frame in whole.history.items())
        assert np.array_equal(copy.train_indices, model.train_indices)
    # A copy can be trained on its own.
    train(models[0], 1)
    assert not same(models[0], model)


def test_the_copy_of_a_model_on_a_backed_file(tmp_path):
    counts().write_h5ad(tmp_path / "a.h5ad")
    backed = anndata.read_h5ad(tmp_path / "a.h5ad", backed="r")
    shapes = []

    class Using(Callback):
        def on_epoch_end(self, training, metrics):
            shapes.append(training.model().get_latent_representation().shape)

    train(model_of(backed), 1, [Using()])
    assert shapes == [(150, 4)]


@pytest.mark.parametrize("hook", ["on_train_start", "on_epoch_end", "on_train_end"])
def test_an_exception_of_a_callback_is_raised_and_the_model_kept(adata, hook):
    class Failing(Callback):
        pass

    def fail(self, *_):
        raise KeyError("mine")

    setattr(Failing, hook, fail)
    model = model_of(adata)
    with pytest.raises(KeyError, match="mine"):
        train(model, 3, [Failing()])
    epochs = {"on_train_start": 0, "on_epoch_end": 1, "on_train_end": 3}[hook]
    assert model.is_trained == (epochs > 0)
    assert epochs == 0 or same(model, train(model_of(counts()), epochs))


def test_a_run_that_went_on_answers_no_more(adata):
    kept = []

    class Keeping(Callback):
        def on_epoch_end(self, training, metrics):
            kept.append(training)
            kept.append(training._run)

    train(model_of(adata), 1, [Keeping()])
    for ask in (kept[0].stop, kept[0].model, kept[0].save_checkpoint):
        with pytest.raises(RuntimeError, match="within on_epoch_end"):
            ask()
    with pytest.raises(RuntimeError, match="until on_epoch_end returns"):
        kept[1].stop()


def test_a_callback_and_ctrl_c(adata, ctrl_c):
    noting = Noting()
    model = model_of(adata)
    ctrl_c(0.3)
    with pytest.raises(KeyboardInterrupt):
        train(model, 1_000_000, [noting])
    assert model.is_trained and noting.told[-1][0] == "epoch"


def _of_lightning(name: str, **attributes):
    base = type("Callback", (), {"__module__": "lightning.pytorch.callbacks.callback"})
    module = {"__module__": f"lightning.pytorch.callbacks.{name.lower()}"}
    hooks = {"on_train_start": lambda *_: None}
    return type(name, (base,), {**module, **hooks, **attributes})()


@pytest.mark.parametrize(
    "given",
    [3, "best", Callback, object(), _of_lightning("ModelCheckpoint"), _of_lightning("Timer")],
)
def test_what_is_no_callback_is_refused_with_what_one_is(adata, given):
    with pytest.raises(TypeError, match=r"on_epoch_end\(training, metrics\)"):
        model_of(adata).train(1, callbacks=[given])


def test_callbacks_of_lightning_that_are_built_in(adata):
    stopping = {"patience": 1, "monitor": "elbo_train", "mode": "min", "min_delta": -1e9}
    early = _of_lightning("EarlyStopping", **stopping)
    model = train(model_of(adata), 9, [early, _of_lightning("LearningRateMonitor")])
    assert len(model.history["lr-Adam"]) == 2
    never = _of_lightning("EarlyStopping", **stopping, stopping_threshold=3.0)
    with pytest.raises(ValueError, match=r"EarlyStopping\(stopping_threshold\)=3.0 is not"):
        train(model_of(adata), 9, [never])


# --- SaveCheckpoint ---------------------------------------------------------------------------------


def test_the_best_model_is_saved(adata, tmp_path):
    best = SaveCheckpoint(tmp_path / "best", monitor="elbo_train", mode="max")
    model = train(model_of(adata), 4, [best])
    # Less and less: the first epoch has most.
    score = model.history["elbo_train"]["elbo_train"].max()
    assert best.best_model_score == score
    assert best.best_model_path == str(tmp_path / "best" / f"epoch=0-step=4-elbo_train={score}")
    assert [str(path) for path in (tmp_path / "best").iterdir()] == [best.best_model_path]
    loaded = scvi_rs.model.SCVI.load(best.best_model_path, adata=adata)
    assert same(loaded, train(model_of(counts()), 1))
    assert loaded.is_trained and len(loaded.history["elbo_train"]) == 1


def test_some_or_all_models_are_kept(adata, tmp_path):
    kept = SaveCheckpoint(tmp_path / "k", "{epoch}", "train_loss", save_top_k=2, every_n_epochs=2)
    model = train(model_of(adata), 6, [kept])
    losses = model.history["train_loss"]["train_loss"]
    wanted = losses.iloc[1::2].nsmallest(2)
    assert {path.name for path in (tmp_path / "k").iterdir()} == {
        f"epoch={i}" for i in wanted.index
    }
    assert sorted(kept.best_k_models.values()) == sorted(wanted)
    every = SaveCheckpoint(tmp_path / "all", "{epoch}", "train_loss", save_top_k=-1)
    train(model_of(adata), 3, [every])
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == [
        f"epoch={i}" for i in range(3)
    ]


def test_the_best_weights_are_loaded_in_the_end(adata, tmp_path):
    best = SaveCheckpoint(
        tmp_path / "best", monitor="elbo_train", mode="max", load_best_on_end=True
    )
    model = train(model_of(adata), 3, [best])
    assert same(model, train(model_of(counts()), 1))
    assert len(model.history["elbo_train"]) == 3


def test_enable_checkpointing_is_a_callback(adata, tmp_path, monkeypatch):
    monkeypatch.setattr(scvi_rs.settings, "_logging_dir", tmp_path)
    model = train(model_of(adata), 2, enable_checkpointing=True)
    (run,) = tmp_path.iterdir()
    assert run.name.endswith("_validation_loss")
    (saved,) = run.iterdir()
    best = model.history["validation_loss"]["validation_loss"]
    epoch = best.idxmin()
    wanted = f"epoch={epoch}-step={4 * (epoch + 1)}-validation_loss={best[epoch]}"
    assert saved.name == wanted
    train(model_of(adata), 1, enable_checkpointing=True, checkpointing_monitor="elbo_train")
    assert any(path.name.endswith("_elbo_train") for path in tmp_path.iterdir())
    # A trial saves nothing.
    before = list(tmp_path.iterdir())
    train(model_of(adata), 1, enable_checkpointing=True, fast_dev_run=True)
    assert list(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "wrong", [{"monitor": "loss"}, {"mode": "best"}, {"save_top_k": 0}, {"every_n_epochs": 0}]
)
def test_wrong_options_of_save_checkpoint_are_named(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        SaveCheckpoint(**wrong)


def test_a_metric_that_never_comes_is_told(adata, tmp_path):
    with pytest.warns(UserWarning, match="no epoch had validation_loss"):
        train(model_of(adata), 1, [SaveCheckpoint(tmp_path / "best")], train_size=1.0)
    assert not (tmp_path / "best").exists()


# --- checkpoints in callbacks ---------------------------------------------------------------------


class Saving(Callback):
    def on_epoch_end(self, training, metrics):
        training.save_checkpoint()
        raise InterruptedError


def test_a_callback_writes_the_checkpoint(adata, tmp_path, caplog):
    path = tmp_path / "run.checkpoint"
    model = model_of(adata)
    options = {"checkpoint_path": path, "checkpoint_every_minutes": 0}
    with caplog.at_level(logging.INFO, "scvi_rs"), pytest.raises(InterruptedError):
        train(model, 3, [Saving()], **options)
    assert path.exists()
    resumed = train(model_of(counts()), 3, resume=True, **options)
    assert same(resumed, train(model_of(counts()), 3)) and not path.exists()
    with pytest.raises(ValueError, match="train\\(checkpoint_path=...\\)"):
        train(model_of(adata), 3, [Saving()])
