"""A training that is interrupted and resumed ends as if it had not been, here and in the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import anndata
import numpy as np
import pytest
from support import command, counts, model_of

import scvi_rs
from scvi_rs.exceptions import FileError
from scvi_rs.train import Callback

scvi = command()


class Interrupt(Callback):
    """Presses Ctrl-C at the end of an epoch, if not before."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_epoch_end(self, training, metrics):
        if training.epoch == self.epochs:
            raise KeyboardInterrupt


def files(model, folder: Path) -> dict[str, bytes]:
    """Everything that is saved of a model."""
    model.save(folder, overwrite=True)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


OPTIONS = {
    "batch_size": 40,
    "early_stopping": True,
    "check_val_every_n_epoch": 2,
    "max_steps": 38,
    "plan_kwargs": {"reduce_lr_on_plateau": False, "lr": 2e-3},
    "enable_progress_bar": False,
}


def test_interrupted_and_resumed_is_uninterrupted(tmp_path):
    path = tmp_path / "run.checkpoint"
    whole = model_of(counts())
    whole.train(10, **OPTIONS)
    wanted = files(whole, tmp_path / "whole")
    for epochs in (1, 4, 9):
        model = model_of(counts())
        with pytest.raises(KeyboardInterrupt):
            model.train(10, checkpoint_path=path, callbacks=[Interrupt(epochs)], **OPTIONS)
        # The model keeps what it has learned, and the run its place.
        assert len(model.history["train_loss"]) == epochs and path.exists()
        assert model._core.training["stop"] == "interrupted"
        # In this object, and in another process's.
        for resumed in (model, model_of(counts())):
            kept = path.read_bytes()
            resumed.train(10, checkpoint_path=path, resume=True, **OPTIONS)
            assert files(resumed, tmp_path / "resumed") == wanted
            assert not path.exists()
            path.write_bytes(kept)
        path.unlink()


class Pressing:
    """A logger that presses Ctrl-C after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def log_metrics(self, metrics, step):
        if step == self.step:
            raise KeyboardInterrupt

    def log_hyperparams(self, params):
        pass


def test_ctrl_c_at_any_step(tmp_path):
    path = tmp_path / "run.checkpoint"
    options = {"batch_size": 16, "enable_progress_bar": False, "log_every_n_steps": 1}
    whole = model_of(counts())
    whole.train(12, **options)
    wanted = files(whole, tmp_path / "w")
    # The run is some steps ahead of its loggers; it may have ended when one is interrupted.
    for steps in ((5, 40, 70), (1, 2, 3, 107), (107,)):
        model = model_of(counts())
        for step in (*steps, -1):
            logger = Pressing(step)
            try:
                model.train(12, checkpoint_path=path, resume=True, logger=logger, **options)
                break
            except KeyboardInterrupt:
                assert path.exists() and np.isfinite(model.get_latent_representation()).all()
        assert files(model, tmp_path / "m") == wanted and not path.exists()


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from support import counts, model_of
import scvi_rs
model = model_of(counts(300))
model.train(
    200, batch_size=16, check_val_every_n_epoch=3, enable_progress_bar=False, resume=True,
    checkpoint_path="run.checkpoint", checkpoint_every_minutes=1e-3, checkpoint_every_n_epoch=50,
)
model.save("model", overwrite=True)
"""


def test_a_process_that_is_killed_goes_on(tmp_path):
    call = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    began = time.monotonic()
    subprocess.run(call, cwd=whole, check=True)
    seconds = time.monotonic() - began
    kills = 0
    for share in (0.6, 0.75, 0.9):
        run = subprocess.Popen(call, cwd=killed)
        try:
            run.wait(share * seconds)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            kills += run.wait() != 0
    subprocess.run(call, cwd=killed, check=True)
    assert kills > 0
    names = [sorted(path.name for path in folder.iterdir()) for folder in (whole, killed)]
    assert names == [["model"], ["model"]]
    for path in (whole / "model").iterdir():
        assert path.read_bytes() == (killed / "model" / path.name).read_bytes(), path.name


def test_a_second_training_is_resumed_with_the_first_in_its_history(tmp_path):
    path = tmp_path / "run.checkpoint"
    options = {"batch_size": 40, "enable_progress_bar": False}

    def twice(**kwargs):
        scvi_rs.settings.seed = 3
        model = model_of(counts())
        model.train(2, **options)
        model.save(tmp_path / "first", overwrite=True)
        model.train(4, **options, **kwargs)
        return model

    whole = twice()
    with pytest.raises(KeyboardInterrupt):
        twice(checkpoint_path=path, callbacks=[Interrupt(2)])
    # The model of the first training, in another process: another seed is the next.
    adata = counts()
    loaded = scvi_rs.model.SCVI.load(tmp_path / "first", adata=adata)
    loaded.train(4, checkpoint_path=path, resume=True, **options)
    assert files(loaded, tmp_path / "r") == files(whole, tmp_path / "w")
    assert list(loaded.history["train_loss"].index) == list(range(6))


def test_a_mapping_is_resumed(tmp_path):
    path = tmp_path / "run.checkpoint"
    reference = model_of(counts())
    reference.train(2, enable_progress_bar=False)
    options = {"batch_size": 40, "enable_progress_bar": False}

    def query():
        adata = counts(80, seed=1)
        adata.obs["batch"] = "new"
        return scvi_rs.model.SCVI.load_query_data(adata, reference)

    whole = query()
    whole.train(4, **options)
    stopped = query()
    with pytest.raises(KeyboardInterrupt):
        stopped.train(4, checkpoint_path=path, callbacks=[Interrupt(2)], **options)
    resumed = query()
    resumed.train(4, checkpoint_path=path, resume=True, **options)
    assert files(resumed, tmp_path / "r") == files(whole, tmp_path / "w")


@pytest.fixture
def unfinished(tmp_path):
    path = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        model_of(counts()).train(
            5, checkpoint_path=path, callbacks=[Interrupt(2)], enable_progress_bar=False
        )
    return path


def test_an_unfinished_run_is_not_lost_unasked(unfinished):
    with pytest.raises(FileError, match=r"not finished. resume=True goes on with it"):
        model_of(counts()).train(5, checkpoint_path=unfinished, enable_progress_bar=False)
    assert unfinished.exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"max_epochs": 6}, "max_epochs is 6, and was 5"),
        ({"batch_size": 64}, "batch_size is 64, and was 128"),
        ({"limit_train_batches": 1}, "limit_train_batches is 1, and was not given"),
        ({"plan_kwargs": {"lr": 0.1}}, "adam.lr is 0.1, and was 0.001"),
        ({"seed": 1}, "seed is 1, and was 0"),
        ({"n_latent": 5}, "n_latent is 5, and was 4"),
        ({"n_cells": 160}, "n_cells is 160, and was 150"),
        ({"data": 1}, "the counts' or covariates' sha256"),
    ],
)
def test_another_run_is_refused_by_what_differs(unfinished, change, named):
    scvi_rs.settings.seed = change.pop("seed", 0)
    adata = counts(change.pop("n_cells", 150), seed=change.pop("data", 0))
    model = model_of(adata, n_latent=change.pop("n_latent", 4))
    kept = unfinished.read_bytes()
    arguments = {"max_epochs": 5, "enable_progress_bar": False, **change}
    with pytest.raises(FileError, match=named):
        model.train(checkpoint_path=unfinished, resume=True, **arguments)
    assert not model.is_trained and unfinished.read_bytes() == kept


def test_without_a_checkpoint_a_resumed_run_begins(tmp_path, caplog):
    model = model_of(counts())
    with caplog.at_level("INFO", "scvi_rs"):
        path = tmp_path / "run.checkpoint"
        model.train(1, checkpoint_path=path, resume=True, enable_progress_bar=False)
    assert model.is_trained and not path.exists()
    assert "is not there: training from the beginning" in caplog.text


def test_a_checkpoint_that_cannot_be_written_ends_no_training(tmp_path):
    model = model_of(counts())
    path = tmp_path / "nowhere" / "run.checkpoint"
    options = {"checkpoint_path": path, "checkpoint_every_n_epoch": 1}
    with pytest.warns(UserWarning, match="no checkpoint: .*run.checkpoint"):
        model.train(2, enable_progress_bar=False, **options)
    assert len(model.history["train_loss"]) == 2


def test_a_damaged_checkpoint_is_refused(unfinished):
    kept = bytearray(unfinished.read_bytes())
    kept[-100] ^= 1
    unfinished.write_bytes(kept)
    model = model_of(counts())
    with pytest.raises(FileError, match="damaged"):
        model.train(5, checkpoint_path=unfinished, resume=True, enable_progress_bar=False)


@pytest.mark.skipif(scvi is None or os.name != "posix", reason="no command scvi")
def test_the_command_and_the_package_resume_each_others_runs(tmp_path):
    counts(600).write_h5ad(tmp_path / "a.h5ad")
    adata = anndata.read_h5ad(tmp_path / "a.h5ad")
    words = [
        "--batch-key",
        "batch",
        "--max-epochs",
        "150",
        "--batch-size",
        "16",
        "--n-hidden",
        "16",
    ]
    call = [scvi, "train", "a.h5ad", "--model", "m", "--quiet", *words]

    def model():
        scvi_rs.model.SCVI.setup_anndata(adata, batch_key="batch")
        return scvi_rs.model.SCVI(adata, n_hidden=16)

    options = {"max_epochs": 150, "batch_size": 16, "enable_progress_bar": False}
    whole = model()
    whole.train(**options)
    wanted = files(whole, tmp_path / "w")
    path = tmp_path / "m.checkpoint"

    # The command begins, the package goes on, and the command ends it.
    run = subprocess.Popen([*call, "--checkpoint-every-n-epoch", "1"], cwd=tmp_path)
    while not path.exists() and run.poll() is None:
        time.sleep(0.002)
    run.send_signal(signal.SIGTERM)
    assert run.wait() != 0 and path.exists()
    begun = path.read_bytes()
    resumed = model()
    resumed.train(checkpoint_path=path, resume=True, **options)
    assert files(resumed, tmp_path / "p") == wanted

    path.write_bytes(begun)
    with pytest.raises(KeyboardInterrupt):
        model().train(checkpoint_path=path, resume=True, callbacks=[Interrupt(149)], **options)
    subprocess.run([*call, "--resume"], cwd=tmp_path, check=True)
    ended = {file.name: file.read_bytes() for file in (tmp_path / "m").iterdir()}
    assert ended == wanted and not path.exists()
