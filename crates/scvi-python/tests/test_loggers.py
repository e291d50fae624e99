"""Loggers hear scvi-tools' keys at Lightning's steps, and a logger that fails loses no model."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import types

import numpy as np
import pytest
from support import counts, model_of

import scvi_rs
from scvi_rs.exceptions import LoggerError


class Logger:
    """Notes its calls, and fails at one of them if asked to."""

    def __init__(self, fails: str | None = None, at: int = 0) -> None:
        self.calls: list[tuple] = []
        self._fails, self._at = fails, at

    def _note(self, name: str, *arguments) -> None:
        self.calls.append((name, *arguments))
        if name == self._fails and sum(call[0] == name for call in self.calls) > self._at:
            raise OSError("disk full")

    def log_metrics(self, metrics, step=None):
        self._note("log_metrics", metrics, step)

    def log_hyperparams(self, params):
        self._note("log_hyperparams", params)

    def save(self):
        self._note("save")

    def finalize(self, status):
        self._note("finalize", status)

    def told(self) -> list[list]:
        """Keys and steps of what was logged."""
        return [[sorted(call[1]), call[2]] for call in self.calls if call[0] == "log_metrics"]


def trained(*loggers, epochs: int = 2, **kwargs):
    """A model of 150 cells, 135 of which are trained on in seven minibatches an epoch."""
    kwargs.setdefault("enable_progress_bar", False)
    model = model_of(counts())
    logger = loggers[0] if len(loggers) == 1 else list(loggers)
    model.train(epochs, batch_size=20, logger=logger, **kwargs)
    return model


CALLS = {
    "defaults": {},
    "often": {"log_every_n_steps": 2, "check_val_every_n_epoch": 1},
    "never within an epoch": {"log_every_n_steps": 0},
    "learning rate": {
        "log_every_n_steps": 3,
        "check_val_every_n_epoch": 2,
        "learning_rate_monitor": True,
    },
    "single steps": {
        "log_every_n_steps": 3,
        "check_val_every_n_epoch": 1,
        "plan_kwargs": {"on_step": True},
    },
    "max_steps": {"log_every_n_steps": 2, "check_val_every_n_epoch": 1, "max_steps": 10},
}


def told_of(call: str) -> list[list]:
    logger = Logger()
    trained(logger, epochs=3, **CALLS[call])
    return logger.told()


def test_keys_and_steps():
    train = ["elbo_train", "epoch", "kl_global_train", "kl_local_train"]
    train += ["reconstruction_loss_train", "train_loss"]
    validation = [key.replace("_train", "_validation") for key in train[:-1]] + ["validation_loss"]
    kl_weight = ["epoch", "kl_weight"]
    assert told_of("often")[:6] == [
        *([kl_weight, step] for step in (1, 3, 5)),
        [validation, 6],
        [train, 6],
        [kl_weight, 7],
    ]
    lr = [["lr-Adam"], kl_weight]
    assert told_of("learning rate")[:6] == [
        [lr[0], 0],
        [lr[0], 2],
        [lr[1], 2],
        [lr[0], 5],
        [lr[1], 5],
        [train, 6],
    ]


def test_keys_and_steps_are_those_of_scvi_tools():
    python = os.environ.get("SCVI_REFERENCE_PYTHON")
    if python is None:
        pytest.skip("SCVI_REFERENCE_PYTHON is not set")
    script = """
import json, logging, sys, warnings
warnings.simplefilter("ignore")
import numpy as np, scvi
from anndata import AnnData
from lightning.pytorch.loggers.logger import Logger
logging.disable(logging.CRITICAL)
class Recorder(Logger):
    name, version = "recorder", 0
    def log_metrics(self, metrics, step=None):
        told.append([sorted(metrics), step])
    def log_hyperparams(self, params):
        pass
out = {}
for name, call in json.loads(sys.argv[1]).items():
    adata = AnnData(np.random.default_rng(0).poisson(2.0, (150, 20)).astype("float32"))
    scvi.model.SCVI.setup_anndata(adata)
    model = scvi.model.SCVI(adata, n_hidden=8, n_latent=2)
    told = out[name] = []
    model.train(3, batch_size=20, logger=Recorder(), enable_progress_bar=False,
                accelerator="cpu", **call)
print(json.dumps(out))
"""
    done = subprocess.run(
        [python, "-c", script, json.dumps(CALLS)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert {call: told_of(call) for call in CALLS} == told


def test_values_are_those_of_the_history():
    logger = Logger()
    model = trained(logger, check_val_every_n_epoch=1, log_every_n_steps=1)
    for _, metrics, step in (call for call in logger.calls if call[0] == "log_metrics"):
        epoch = metrics.pop("epoch")
        assert step // 7 == epoch
        for name, value in metrics.items():
            assert type(value) is float
            assert value == model.history[name].loc[epoch, name]


def test_every_logger_hears_everything_in_its_order():
    one, two = Logger(), Logger()
    plain = trained(None)
    model = trained(one, two)
    assert one.calls == two.calls
    assert one.calls[0][0] == "log_hyperparams" and one.calls[-1] == ("finalize", "success")
    names = [name for name, *_ in one.calls[1:-1]]
    assert names == ["log_metrics", "save"] * (len(names) // 2)
    weights = plain.module.state_dict()
    assert all(np.array_equal(v, weights[k]) for k, v in model.module.state_dict().items())
    assert list(model.history) == list(plain.history)


def test_hyperparameters_are_plain_values_by_name():
    logger = Logger()
    plan = {"lr": 0.002, "reduce_lr_on_plateau": True, "lr_patience": 7}
    trained(logger, plan_kwargs=plan, early_stopping=True, early_stopping_patience=9)
    params = logger.calls[0][1]
    wanted = {"n_hidden": 16, "n_latent": 4, "gene_likelihood": "zinb", "n_cells": 150, "lr": 0.002}
    wanted |= {"max_epochs": 2, "batch_size": 20, "train_size": 0.9, "eps": 0.01, "seed": 0}
    wanted |= {"reduce_lr_on_plateau": True, "lr_patience": 7, "n_epochs_kl_warmup": 400}
    wanted |= {"early_stopping": True, "early_stopping_patience": 9}
    assert {name: params[name] for name in wanted} == wanted
    assert all(v is None or isinstance(v, bool | int | float | str) for v in params.values())
    silent = Logger()
    trained(silent, enable_autolog_hparams=False)
    assert "log_hyperparams" not in {name for name, *_ in silent.calls}


@pytest.mark.parametrize("given", [object(), "csv", Logger, [Logger(), 3], print])
def test_what_is_no_logger_is_refused(given):
    with pytest.raises(TypeError, match=r"log_metrics\(metrics, step\) and log_hyperparams"):
        trained(given)


def test_a_logger_without_finalize_is_saved_in_the_end():
    class Small:
        log_metrics = Logger.log_metrics
        log_hyperparams = Logger.log_hyperparams
        save = Logger.save
        _note = Logger._note

        def __init__(self):
            Logger.__init__(self)

    logger = Small()
    trained(logger)
    assert logger.calls[-2:] == [("save",), ("save",)]


@pytest.mark.parametrize("method", ["log_metrics", "save"])
def test_a_logger_that_fails_ends_training_and_keeps_the_model(method):
    logger = Logger(method, at=2)
    model = model_of(counts())
    with pytest.raises(
        LoggerError, match=rf"Logger.{method} failed at step .*: OSError: disk full"
    ):
        model.train(100_000, logger=logger, log_every_n_steps=1, enable_progress_bar=False)
    assert model.is_trained and np.isfinite(model.get_latent_representation()).all()
    assert logger.calls[-1] == ("finalize", "failed")
    # It goes on from there.
    model.train(1, enable_progress_bar=False)


def test_a_logger_that_fails_in_the_beginning_or_at_the_end():
    model = model_of(counts())
    with pytest.raises(LoggerError, match="log_hyperparams failed before training began"):
        model.train(1, logger=Logger("log_hyperparams"), enable_progress_bar=False)
    assert not model.is_trained
    with pytest.raises(LoggerError, match="finalize failed at the end of training") as raised:
        model.train(1, logger=Logger("finalize"), enable_progress_bar=False)
    assert isinstance(raised.value.__cause__, OSError)
    assert model.is_trained and len(model.history["train_loss"]) == 1


def test_an_interruption_is_told(ctrl_c):
    logger = Logger()
    model = model_of(counts())
    ctrl_c(0.3)
    with pytest.raises(KeyboardInterrupt):
        model.train(1_000_000, logger=logger, enable_progress_bar=False)
    assert logger.calls[-1] == ("finalize", "failed") and model.is_trained


def test_trial_runs_log_nothing():
    logger = Logger()
    model = trained(logger, fast_dev_run=True)
    assert logger.calls == [] and model.is_trained


def test_true_is_the_logger_of_lightning(monkeypatch, tmp_path):
    for name in ("lightning", "lightning.pytorch"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match="pip install lightning"):
        trained(True)
    made = []

    def tensorboard(folder):
        raise ModuleNotFoundError("tensorboard")

    def csv(folder):
        made.append((folder, Logger()))
        return made[-1][1]

    package, pytorch = types.ModuleType("lightning"), types.ModuleType("lightning.pytorch")
    pytorch.loggers = types.SimpleNamespace(TensorBoardLogger=tensorboard, CSVLogger=csv)
    package.pytorch = pytorch
    monkeypatch.setitem(sys.modules, "lightning", package)
    monkeypatch.setitem(sys.modules, "lightning.pytorch", pytorch)
    trained(True, default_root_dir=tmp_path)
    assert made[0][0] == str(tmp_path) and made[0][1].calls[-1] == ("finalize", "success")
    trained(True)
    assert made[1][0] == str(scvi_rs.settings.logging_dir)


def test_the_history_is_written_where_scvi_tools_has_it(tmp_path):
    for version in range(2):
        model = trained(None, log_save_dir=tmp_path)
        file = tmp_path / "lightning_logs" / f"version_{version}" / "history.pkl"
        assert [path.name for path in file.parent.iterdir()] == ["history.pkl"]
        history = pickle.loads(file.read_bytes())
        assert all(history[name].equals(frame) for name, frame in model.history.items())
    trained(Logger(), log_save_dir=tmp_path / "other")
    assert not (tmp_path / "other").exists()
