"""Models that the command trained on ``adata.raw.X``, which Python's registry has no name for."""

from __future__ import annotations

import json
import subprocess
import warnings

import anndata
import numpy as np
import pytest
from support import command, counts

import scvi_rs

scvi = command()
pytestmark = pytest.mark.skipif(scvi is None, reason="no command scvi: build it, or SCVI_COMMAND")

SCVI = scvi_rs.model.SCVI


def logs_with_raw(n_genes: int | None = None) -> anndata.AnnData:
    """Counts in raw; X has their logarithms, of some genes."""
    adata = counts()
    adata.raw = adata.copy()
    adata = adata if n_genes is None else adata[:, :n_genes].copy()
    adata.X = adata.X.log1p() if hasattr(adata.X, "log1p") else np.log1p(adata.X)
    return adata


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A file with counts in raw, a model of it, and what the command makes of its cells."""
    folder = tmp_path_factory.mktemp("raw")
    logs_with_raw().write_h5ad(folder / "a.h5ad")
    call = [scvi, "train", folder / "a.h5ad", "--layer", "raw", "--batch-key", "batch", "--quiet"]
    call += ["--model", folder / "m", "--max-epochs", "2", "--output", folder / "z.npy"]
    subprocess.run([str(word) for word in call], check=True)
    return folder


def test_data_with_counts_in_x_are_read_as_the_command_reads_raw(folder):
    adata = anndata.read_h5ad(folder / "a.h5ad").raw.to_adata()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = SCVI.load(folder / "m", adata=adata)
    assert np.array_equal(np.load(folder / "z.npy"), model.get_latent_representation())
    assert model.registry["setup_args"]["layer"] is None
    without = SCVI.load(folder / "m", adata=False)
    assert np.array_equal(np.load(folder / "z.npy"), without.get_latent_representation(adata))


def test_a_model_saved_again_is_still_of_raw(folder, tmp_path):
    adata = anndata.read_h5ad(folder / "a.h5ad").raw.to_adata()
    SCVI.load(folder / "m", adata=adata).save(tmp_path / "n")
    registry = json.loads((tmp_path / "n" / "model.json").read_text())["registry"]
    assert registry["layer"] == "raw/X"
    call = [scvi, "latent", "--model", tmp_path / "n", folder / "a.h5ad", "--output", "-"]
    table = subprocess.run([str(w) for w in call], check=True, capture_output=True, text=True)
    rows = [line.split(",")[1:] for line in table.stdout.splitlines()[1:]]
    assert np.allclose(np.array(rows, float), np.load(folder / "z.npy"))


def test_data_whose_counts_are_in_raw_are_told_apart(folder):
    with pytest.warns(UserWarning, match=r"adata\.raw\.to_adata\(\)"):
        SCVI.load(folder / "m", adata=logs_with_raw())


def test_data_with_some_of_the_genes_of_raw_are_told_apart(folder):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ValueError, match="Number of vars"):
            SCVI.load(folder / "m", adata=logs_with_raw(10))
    assert any("adata.raw.to_adata()" in str(warning.message) for warning in caught)


def test_scvi_tools_form_reads_x(folder, tmp_path):
    call = [scvi, "convert", "--model", folder / "m", "--to", "scvi-tools"]
    call = [str(word) for word in [*call, "--output", tmp_path / "s"]]
    told = subprocess.run(call, check=True, capture_output=True, text=True).stderr
    assert "give it adata.raw.to_adata()" in told
    adata = anndata.read_h5ad(folder / "a.h5ad").raw.to_adata()
    model = SCVI.load(tmp_path / "s", adata=adata)
    assert np.array_equal(np.load(folder / "z.npy"), model.get_latent_representation())
