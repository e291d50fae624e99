"""``examples/tutorial.py``, where scanpy is installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from support import ROOT, counts

pytest.importorskip("scanpy")

SCRIPT = ROOT / "examples" / "tutorial.py"


@pytest.fixture(scope="module")
def tutorial():
    spec = importlib.util.spec_from_file_location("tutorial", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_simulated_types_are_found_and_have_their_markers(tutorial, tmp_path):
    command = [sys.executable, SCRIPT, "--max-epochs", "100", "--output", tmp_path]
    subprocess.run(command, check=True, capture_output=True)
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"latent.h5ad", "markers.csv", "model", "umap.png"}
    markers = pd.read_csv(tmp_path / "markers.csv", index_col=0)
    top = tutorial.top_markers(markers)
    assert list(top["group1"].unique()) == [f"type{k}" for k in range(5)]
    own = [
        gene.startswith(f"{group}_") for gene, group in zip(top.index, top["group1"], strict=True)
    ]
    assert all(own) and len(own) == 15


def test_without_groups_every_cluster_has_markers(tutorial, tmp_path):
    pytest.importorskip("igraph")
    tutorial.simulated_counts(400, 120).write_h5ad(tmp_path / "counts.h5ad")
    out = tmp_path / "out"
    command = [sys.executable, SCRIPT, tmp_path / "counts.h5ad", "--max-epochs", "60"]
    command += ["--batch-key", "batch", "--output", out]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    markers = pd.read_csv(out / "markers.csv", index_col=0, dtype={"group1": str})
    clusters = set(markers["group1"])
    top = tutorial.top_markers(markers)
    assert len(clusters) >= 5 and set(top["group1"]) == clusters
    assert (top["lfc_mean"] > 0).all() and (top["non_zeros_proportion1"] >= 0.1).all()
    assert all(gene in shown for gene in top.index)


def test_every_group_has_markers_in_the_order_of_the_groups(tutorial):
    groups = [str(k) for k in range(12)]
    markers = pd.DataFrame(
        {
            "group1": np.repeat(groups, 4),
            "lfc_mean": np.tile([3.0, 1.0, 2.0, -1.0], 12),
            "non_zeros_proportion1": np.tile([0.01, 0.5, 0.5, 0.5], 12),
            "proba_de": 0.5,
            "is_de_fdr_0.05": False,
        },
        index=np.tile(["rare", "second", "first", "lowered"], 12),
    )
    top = tutorial.top_markers(markers)
    assert list(top.index) == ["first", "second"] * 12
    assert list(top["group1"]) == list(np.repeat(groups, 2))


def test_what_is_missing_is_told_before_training(tutorial, tmp_path, monkeypatch):
    counts(30, 20).write_h5ad(tmp_path / "counts.h5ad")
    arguments = ["tutorial", str(tmp_path / "counts.h5ad"), "--output", str(tmp_path / "out")]
    monkeypatch.setattr(tutorial, "find_spec", lambda _: None)
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit, match="pip install igraph"):
        tutorial.main()
    monkeypatch.setattr(sys, "argv", [*arguments, "--groupby", "type"])
    with pytest.raises(SystemExit, match="--groupby type: .* batch, label, score, plate"):
        tutorial.main()
    assert not (tmp_path / "out").exists()
