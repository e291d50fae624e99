"""Which numbers of a mapped model are trained, for every combination of the switches.

``reference/fixtures_freezing.json`` has scvi-tools' answers; where it can be run, they are made
anew.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import warnings

import numpy as np
import pytest
from anndata import AnnData
from support import ROOT

import scvi_rs

PYTHON = os.environ.get("SCVI_REFERENCE_PYTHON")
TABLE = json.loads((ROOT / "reference" / "fixtures_freezing.json").read_text())
MODELS = {row["name"]: row for row in TABLE["models"]}
COMBINATIONS = [
    dict(zip(TABLE["switches"], values, strict=True))
    for values in itertools.product([False, True], repeat=len(TABLE["switches"]))
]
SCVI = scvi_rs.model.SCVI
ONE_EPOCH = {
    "max_epochs": 1,
    "plan_kwargs": {"weight_decay": 0.0},
    "enable_progress_bar": False,
}


def cells(categories: dict[str, list[str]]) -> AnnData:
    """Cells in which every category occurs."""
    random = np.random.default_rng(0)
    adata = AnnData(random.poisson(3.0, (24, 6)).astype(np.float32))
    for column, names in categories.items():
        adata.obs[column] = [names[i % len(names)] for i in range(adata.n_obs)]
    adata.obs["age"] = random.normal(size=adata.n_obs)
    return adata


def reference_of(row: dict, **kwargs) -> scvi_rs.model.SCVI:
    adata = cells(row["known"])
    SCVI.setup_anndata(adata, **row["setup"])
    model = SCVI(adata, **{**TABLE["sizes"], **row["model"], **kwargs})
    model.train(**ONE_EPOCH)
    return model


def mapped(row: dict, reference: scvi_rs.model.SCVI, **switches) -> scvi_rs.model.SCVI:
    known, new = row["known"], row["new"]
    query = cells({column: names + new.get(column, []) for column, names in known.items()})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Training cannot move")
        return SCVI.load_query_data(query, reference, **switches)


def trained_here(model, reference) -> dict[str, str | list[int]]:
    """Trained tensors: "all", or the columns or rows."""
    found: dict[str, str | list[int]] = {}
    for text in model._core.trained_tensors(reference._core):
        name, parts = re.fullmatch(r"(.*?)(?: \((?:columns|rows) ([\d ]+)\))?", text).groups()
        found[name] = "all" if parts is None else [int(i) for i in parts.split()]
    return found


def trained_there(row: dict, combination: int) -> dict[str, str | list[int]]:
    """The same of scvi-tools."""
    found = {}
    for name, line in row["tensors"].items():
        match line["trained"][combination]:
            case "a":
                found[name] = "all"
            case "c":
                found[name] = line["columns"]
    return found


def new_places(row: dict, column: str) -> list[int]:
    n_known = len(row["known"][column])
    return [n_known + i for i in range(len(row["new"][column]))]


def expected(row: dict, combination: int, tensors: set[str]) -> dict[str, str | list[int]]:
    """What scvi-tools trains of some tensors, changed by what is done otherwise here on purpose."""
    found = trained_there(row, combination)
    # Running moments have names of their own here.
    for name in [name for name in found if name.endswith(".running")]:
        found |= {f"{name}_mean": found[name], f"{name}_var": found.pop(name)}
    # What no pass reads is not there, such as the encoder of an observed library.
    found = {name: mask for name, mask in found.items() if name in tensors}
    if COMBINATIONS[combination]["unfrozen"]:
        return found
    # The dispersion of new batches and labels, and new batches' vectors, are trained.
    if row["name"] == "gene_batch":
        found["px_r"] = new_places(row, "batch")
    if row["name"] == "gene_label":
        found["px_r"] = new_places(row, "label")
    if row["name"] == "embedding":
        n_batch = len(row["known"]["batch"]) + len(row["new"]["batch"])
        found["_embeddings_dict.batch.weight"] = list(range(n_batch))
    # The only batch of a reference, which had no column there, keeps its zeros.
    if row["name"] == "one_batch":
        found = {k: v if v == "all" else v[1:] for k, v in found.items()}
    return found


def without_known(row: dict, found: dict[str, str | list[int]]) -> dict[str, str | list[int]]:
    """Without the columns of categories that the reference knows."""
    setup = row["setup"]
    covariates = [setup["batch_key"], *setup.get("categorical_covariate_keys", [])]
    is_new = []
    for column in covariates:
        known, new = len(row["known"][column]), len(row["new"].get(column, []))
        is_new += [False] * known + [True] * new
    left = {}
    for name, mask in found.items():
        if name == "_embeddings_dict.batch.weight" and mask != "all":
            mask = new_places(row, "batch")
        elif name.endswith(".0.weight") and mask != "all" and row["name"] != "one_batch":
            first = mask[-1] + 1 - len(is_new)
            mask = [first + i for i, new in enumerate(is_new) if new]
        if len(mask):
            left[name] = mask
    return left


@pytest.mark.parametrize("name", MODELS)
def test_the_switches_freeze_what_scvi_tools_freezes(name):
    row = MODELS[name]
    reference = reference_of(row)
    tensors = set(reference.module.state_dict())
    for combination, switches in enumerate(COMBINATIONS):
        there = expected(row, combination, tensors)
        model = mapped(row, reference, freeze_reference_categories=False, **switches)
        assert trained_here(model, reference) == there, switches
        model = mapped(row, reference, **switches)
        here = trained_here(model, reference)
        assert here == without_known(row, there), switches

        before = model.module.state_dict()
        model.train(**ONE_EPOCH)
        for tensor, after in model.module.state_dict().items():
            moved = after != before[tensor]
            mask = here.get(tensor)
            if mask is None:
                assert not moved.any(), (switches, tensor)
            elif mask != "all":
                axis = 0 if "embedding" in tensor else 1
                assert not np.delete(moved, mask, axis).any(), (switches, tensor)
                assert np.take(moved, mask, axis).any(), (switches, tensor)


@pytest.mark.parametrize("name", ["defaults", "latent_library"])
def test_dropout_is_off_where_it_is_frozen(name):
    row = MODELS[name]
    reference = reference_of(row)
    without = reference_of(row, dropout_rate=0.0)
    without.module.load_state_dict(reference.module.state_dict())
    for combination, switches in enumerate(COMBINATIONS):
        # Frozen dropout is that of both encoders here.
        has_dropout = row["dropout"]["z_encoder"][combination] == "a"
        states = []
        for start in (reference, without):
            model = mapped(row, start, **switches)
            model.train(**ONE_EPOCH)
            states.append(model.module.state_dict())
        same = all(np.array_equal(states[0][tensor], states[1][tensor]) for tensor in states[0])
        assert same != has_dropout, switches


def test_batches_that_may_not_be_transferred():
    row = MODELS["defaults"]
    reference = reference_of(row)
    with pytest.raises(ValueError, match="batch categories missing from the reference.*b2, b3"):
        mapped(row, reference, transfer_batch=False)
    assert mapped({**row, "new": {}}, reference, transfer_batch=False).summary_stats.n_batch == 2


@pytest.mark.skipif(PYTHON is None, reason="SCVI_REFERENCE_PYTHON is not set")
def test_the_table_is_what_scvi_tools_gives():
    script = ROOT / "reference" / "freezing.py"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([PYTHON, script, "--check"], check=True, env=environment)
