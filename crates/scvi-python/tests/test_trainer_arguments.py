"""Every argument of Lightning's ``Trainer``: honoured, without effect on results, or refused."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pytest
from support import counts, model_of

from scvi_rs.exceptions import PlanError
from scvi_rs.train._arguments import HONOURED, IDLE, REFUSED

# inspect.signature(lightning.pytorch.Trainer), version 2.6.6.
LIGHTNING = {
    "accelerator": "auto",
    "strategy": "auto",
    "devices": "auto",
    "num_nodes": 1,
    "precision": None,
    "logger": None,
    "callbacks": None,
    "fast_dev_run": False,
    "max_epochs": None,
    "min_epochs": None,
    "max_steps": -1,
    "min_steps": None,
    "max_time": None,
    "limit_train_batches": None,
    "limit_val_batches": None,
    "limit_test_batches": None,
    "limit_predict_batches": None,
    "overfit_batches": 0.0,
    "val_check_interval": None,
    "check_val_every_n_epoch": 1,
    "num_sanity_val_steps": None,
    "log_every_n_steps": None,
    "enable_checkpointing": None,
    "enable_progress_bar": None,
    "enable_model_summary": None,
    "accumulate_grad_batches": 1,
    "gradient_clip_val": None,
    "gradient_clip_algorithm": None,
    "deterministic": None,
    "benchmark": None,
    "inference_mode": True,
    "use_distributed_sampler": True,
    "profiler": None,
    "detect_anomaly": False,
    "barebones": False,
    "plugins": None,
    "sync_batchnorm": False,
    "reload_dataloaders_every_n_epochs": 0,
    "default_root_dir": None,
    "enable_autolog_hparams": True,
    "model_registry": None,
}
# inspect.signature(scvi.train.Trainer), scvi-tools 1.4.2, beyond Lightning's.
SCVI_TOOLS = {
    "checkpointing_monitor": "validation_loss",
    "early_stopping": False,
    "early_stopping_monitor": "elbo_validation",
    "early_stopping_min_delta": 0.0,
    "early_stopping_patience": 45,
    "early_stopping_warmup_epochs": 0,
    "early_stopping_mode": "min",
    "progress_bar_refresh_rate": 1,
    "simple_progress_bar": True,
    "learning_rate_monitor": False,
    "log_save_dir": None,
}
# Another value of each argument that is refused for it.
REFUSED_VALUES = {
    "accumulate_grad_batches": 2,
    "barebones": True,
    "ckpt_path": "last.ckpt",
    "max_time": "00:01:00:00",
    "min_steps": 5,
    "model_registry": "hub",
    "num_nodes": 2,
    "overfit_batches": 2,
    "plugins": ["bf16"],
    "precision": "16-mixed",
    "profiler": "simple",
    "strategy": "ddp",
    "val_check_interval": 0.5,
}
# Another value of each argument that changes nothing.
IDLE_VALUES = {
    "benchmark": True,
    "deterministic": "warn",
    "enable_model_summary": True,
    "inference_mode": False,
    "limit_predict_batches": 1,
    "limit_test_batches": 1,
    "num_sanity_val_steps": 2,
    "reload_dataloaders_every_n_epochs": 1,
    "sync_batchnorm": True,
    "use_distributed_sampler": False,
}


def weights_of(epochs: int | None = 2, **kwargs) -> dict[str, np.ndarray]:
    kwargs.setdefault("enable_progress_bar", False)
    model = model_of(counts())
    model.train(epochs, batch_size=40, **kwargs)
    return model.module.state_dict()


def same(one, two) -> bool:
    return all(np.array_equal(value, two[name]) for name, value in one.items())


@pytest.fixture(scope="module")
def plain():
    return weights_of()


def test_the_lists_are_those_of_the_signatures():
    """Where lightning and scvi-tools are, that they have no argument that is not looked at here."""
    python = os.environ.get("SCVI_REFERENCE_PYTHON")
    if python is None:
        pytest.skip("SCVI_REFERENCE_PYTHON is not set")
    script = (
        "import inspect, json, lightning.pytorch as pl, scvi\n"
        "told = [inspect.signature(c.__init__).parameters for c in (pl.Trainer, scvi.train.Trainer)]\n"
        "print(json.dumps([{k: v.default for k, v in t.items() if k not in ('self', 'kwargs')}"
        " for t in told]))"
    )
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    lightning, scvi_tools = json.loads(done.stdout.splitlines()[-1])
    assert lightning == LIGHTNING
    assert {k: v for k, v in scvi_tools.items() if k not in lightning} == SCVI_TOOLS


def test_every_argument_is_in_one_list():
    names = [*LIGHTNING, *SCVI_TOOLS, "ckpt_path"]
    processor = {"accelerator", "devices"}
    lists = (set(HONOURED), set(IDLE), set(REFUSED), processor)
    for name in names:
        assert sum(name in one for one in lists) == 1, name
    assert set().union(*lists) == set(names)
    assert set(REFUSED_VALUES) == REFUSED and set(IDLE_VALUES) == set(IDLE)


def test_all_defaults_at_once_change_nothing(plain):
    given = {**LIGHTNING, **SCVI_TOOLS, "check_val_every_n_epoch": None}
    given.pop("max_epochs")
    assert same(plain, weights_of(**given, ckpt_path=None))


@pytest.mark.parametrize("name", sorted(REFUSED_VALUES))
def test_what_would_change_a_result_is_refused_by_name(name):
    with pytest.raises(ValueError, match=name) as raised:
        weights_of(**{name: REFUSED_VALUES[name]})
    told = str(raised.value)
    assert told.startswith(f"{name}={REFUSED_VALUES[name]!r} is not supported: ")
    assert told.endswith(", ".join(HONOURED))


@pytest.mark.parametrize(
    "given",
    [
        {"precision": 32},
        {"precision": "32"},
        {"precision": "32-true"},
        {"strategy": "auto"},
        {"num_nodes": None},
        {"val_check_interval": 1.0},
        {"plugins": []},
        {"overfit_batches": 0},
        {"accelerator": "cpu", "devices": 1},
        {"devices": [0]},
    ],
)
def test_values_that_change_nothing_are_taken(given, plain):
    assert same(plain, weights_of(**given))


def test_a_whole_number_is_not_taken_for_a_fraction():
    # After every minibatch, in Lightning.
    with pytest.raises(ValueError, match="val_check_interval=1 is not"):
        weights_of(val_check_interval=1)


@pytest.mark.parametrize("name", sorted(IDLE_VALUES))
def test_what_changes_no_result_is_taken(name, plain):
    assert same(plain, weights_of(**{name: IDLE_VALUES[name]}))


@pytest.mark.parametrize(
    "given",
    [
        {"accelerator": "gpu"},
        {"accelerator": "mps"},
        {"devices": 2},
        {"devices": [1]},
        {"trainer_config": {"accelerator": "gpu"}},
        {"trainer_config": {"devices": 2}},
    ],
)
def test_a_processor_that_is_not_there_is_refused(given):
    with pytest.raises(ValueError, match="processor"):
        weights_of(**given)


# 135 cells to train on, in minibatches of 40, 40, 40 and 15; 15 to validate on. How many epochs are
# on record, and which of them were validated, is what scvi-tools 1.4.2 has of the same calls.
LENGTHS = [
    ({"max_steps": 6}, 6, 2, [0]),
    ({"max_steps": 4}, 4, 1, [0]),
    ({"max_steps": 100}, 12, 3, [0, 1, 2]),
    ({"max_steps": -1}, 12, 3, [0, 1, 2]),
    ({"max_epochs": -1, "max_steps": 6}, 6, 2, [0]),
    ({"limit_train_batches": 2}, 6, 3, [0, 1, 2]),
    ({"limit_train_batches": 2.0}, 6, 3, [0, 1, 2]),
    ({"limit_train_batches": 0.5}, 6, 3, [0, 1, 2]),
    ({"limit_train_batches": 1}, 3, 3, [0, 1, 2]),
    ({"limit_train_batches": 1.0}, 12, 3, [0, 1, 2]),
    ({"limit_train_batches": np.float64(0.5)}, 6, 3, [0, 1, 2]),
    ({"limit_val_batches": 0}, 12, 3, []),
    ({"limit_val_batches": 1.0}, 12, 3, [0, 1, 2]),
    ({"fast_dev_run": True}, 1, 1, [0]),
    ({"fast_dev_run": 2}, 2, 1, [0]),
    ({"min_epochs": 9}, 12, 3, [0, 1, 2]),
    ({"check_val_every_n_epoch": 2}, 12, 3, [1]),
]


def lengths_of(given: dict) -> tuple[int, int, list[int]]:
    model = model_of(counts())
    kwargs = {"max_epochs": 3, "check_val_every_n_epoch": 1, **given}
    steps = {"plan_kwargs": {"on_step": True}}
    model.train(**kwargs, **steps, batch_size=40, enable_progress_bar=False)
    history = model.history
    validated = history.get("elbo_validation_epoch", {"elbo_validation_epoch": {}})
    epochs = len(history["elbo_train_epoch"])
    return len(history["train_loss_step"]), epochs, [*validated["elbo_validation_epoch"].keys()]


@pytest.mark.parametrize(("given", "steps", "epochs", "validated"), LENGTHS)
def test_how_long_training_is(given, steps, epochs, validated):
    assert lengths_of(given) == (steps, epochs, validated)


def test_lengths_are_those_of_scvi_tools():
    python = os.environ.get("SCVI_REFERENCE_PYTHON")
    if python is None:
        pytest.skip("SCVI_REFERENCE_PYTHON is not set")
    calls = [
        {name: value.item() if hasattr(value, "item") else value for name, value in given.items()}
        for given, *_ in LENGTHS
    ]
    script = """
import json, logging, sys, warnings
warnings.simplefilter("ignore")
import numpy as np, scvi
from anndata import AnnData
logging.disable(logging.CRITICAL)
told = []
for given in json.loads(sys.argv[1]):
    adata = AnnData(np.random.default_rng(0).poisson(2.0, (150, 20)).astype("float32"))
    scvi.model.SCVI.setup_anndata(adata)
    model = scvi.model.SCVI(adata, n_hidden=8, n_latent=2)
    kwargs = {"max_epochs": 3, "check_val_every_n_epoch": 1, **given}
    model.train(**kwargs, batch_size=40, enable_progress_bar=False, accelerator="cpu")
    history = model.history or {}
    validated = history.get("elbo_validation", {"elbo_validation": {}})["elbo_validation"]
    epochs = len(history.get("elbo_train", ()))
    told.append([model.trainer.global_step, epochs, [int(epoch) for epoch in validated.keys()]])
print(json.dumps(told))
"""
    done = subprocess.run(
        [python, "-c", script, json.dumps(calls)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    told = json.loads(done.stdout.splitlines()[-1])
    for (given, *wanted), found in zip(LENGTHS, told, strict=True):
        if "fast_dev_run" in given:
            # Its history is thrown away there.
            wanted[1:] = [0, []]
        assert found == wanted, given


@pytest.mark.parametrize(
    ("given", "error", "named"),
    [
        ({"max_steps": 0}, PlanError, "max_steps is 0"),
        ({"max_steps": -2}, ValueError, "max_steps is -2"),
        ({"max_steps": 1.5}, ValueError, "max_steps must be a whole number"),
        ({"max_steps": "many"}, TypeError, "max_steps must be a number"),
        ({"epochs": 0}, PlanError, "max_epochs is 0"),
        ({"epochs": -1}, ValueError, "max_steps does not end training either"),
        ({"epochs": -2}, ValueError, "max_epochs is -2"),
        ({"epochs": 2.5}, ValueError, "max_epochs must be a whole number"),
        ({"min_epochs": -1}, ValueError, "min_epochs is -1"),
        ({"limit_train_batches": 0}, PlanError, "limit_train_batches is 0"),
        ({"limit_train_batches": 1.5}, PlanError, "limit_train_batches is 1.5"),
        ({"limit_train_batches": -1}, PlanError, "limit_train_batches is -1"),
        ({"limit_train_batches": 0.1}, PlanError, "0.1 of 4 minibatches"),
        ({"limit_train_batches": "half"}, TypeError, "limit_train_batches must be a number"),
        ({"limit_val_batches": 0, "early_stopping": True}, ValueError, "none are validated on"),
        ({"gradient_clip_val": -1.0}, PlanError, "gradient_clip_val is -1"),
        ({"gradient_clip_val": 1, "gradient_clip_algorithm": "l1"}, ValueError, "norm, value"),
        ({"progress_bar_refresh_rate": 5}, ValueError, "progress_bar_refresh_rate is 5"),
        ({"fast_dev_run": -1}, ValueError, "fast_dev_run is -1"),
        ({"max_epoch": 3}, TypeError, "'max_epoch'; arguments of Lightning's Trainer that are"),
        ({"plan_kwargs": {"optimizer_creator": print}}, ValueError, "optimizer_creator"),
        ({"checkpoint_every_n_epoch": 2}, ValueError, "needs checkpoint_path"),
        ({"resume": True}, ValueError, "needs checkpoint_path"),
        ({"trainer_config": 3}, TypeError, "trainer_config must be a dict"),
    ],
)
def test_wrong_values_are_named(given, error, named):
    with pytest.raises(error, match=named):
        weights_of(given.pop("epochs", 2), **given)


def test_gradients_are_clipped(plain):
    assert same(plain, weights_of(gradient_clip_val=None, gradient_clip_algorithm="value"))
    clipped = weights_of(gradient_clip_val=1.0)
    by_value = weights_of(gradient_clip_val=1e-3, gradient_clip_algorithm="value")
    assert not same(plain, clipped) and not same(plain, by_value) and not same(clipped, by_value)


def test_looking_closely_changes_no_number(plain):
    assert same(plain, weights_of(detect_anomaly=True))


def test_early_stopping_waits_for_min_epochs():
    options = {"early_stopping": True, "early_stopping_patience": 1}
    options["early_stopping_min_delta"] = 1e9
    for given, epochs in (({}, 2), ({"min_epochs": 4}, 4), ({"min_epochs": 99}, 6)):
        model = model_of(counts())
        model.train(6, enable_progress_bar=False, **options, **given)
        assert len(model.history["elbo_train"]) == epochs


@dataclass
class Config:
    """A configuration as scvi-tools has them."""

    accelerator: str | None = None
    max_epochs: int = 400
    check_val_every_n_epoch: int | None = None
    early_stopping: bool = False
    enable_progress_bar: bool = True
    extra_kwargs: dict = field(default_factory=dict)

    def to_kwargs(self) -> dict:
        kwargs = vars(self).copy()
        return {**kwargs.pop("extra_kwargs"), **kwargs}


def test_configurations_stand_behind_arguments():
    def epochs(*args, **kwargs):
        model = model_of(counts(40))
        model.train(*args, enable_progress_bar=False, **kwargs)
        return len(model.history["elbo_train"]), "elbo_validation" in model.history

    assert epochs(trainer_config={"max_epochs": 3}) == (3, False)
    assert epochs(2, trainer_config={"max_epochs": 3}) == (2, False)
    assert epochs(trainer_config=MappingProxyType({"max_steps": 1})) == (1, False)
    assert epochs(trainer_config=Config(max_epochs=3, check_val_every_n_epoch=1)) == (3, True)
    assert epochs(2, trainer_config=Config(early_stopping=True)) == (2, True)
    # What a configuration leaves at its default is not asked for: the heuristic decides.
    assert epochs(trainer_config=Config(extra_kwargs={"max_steps": 3})) == (3, False)
    with pytest.raises(ValueError, match="strategy='ddp'"):
        epochs(2, trainer_config=Config(extra_kwargs={"strategy": "ddp"}))
