"""Saved models: native folders beside other files, saves of scvi-tools, and broken ones."""

from __future__ import annotations

import numpy as np
import pytest
from support import counts, trained

import scvi_rs
from scvi_rs.exceptions import FileError

SCVI = scvi_rs.model.SCVI


def test_a_model_comes_back_as_it_was(tmp_path, adata):
    model = trained(adata, n_layers=2, gene_likelihood="nb")
    latent = model.get_latent_representation()
    model.save(tmp_path / "m", save_anndata=True)
    loaded = SCVI.load(tmp_path / "m")
    assert np.array_equal(latent, loaded.get_latent_representation())
    assert loaded.is_trained and "n_layers: 2" in repr(loaded)
    assert np.array_equal(loaded.train_indices, model.train_indices)
    for name, frame in model.history.items():
        assert frame.equals(loaded.history[name]), name
    other = SCVI.load(tmp_path / "m", adata=counts(40, seed=3))
    assert other.get_latent_representation().shape == (40, 4)
    without = SCVI.load(tmp_path / "m", adata=False)
    assert np.array_equal(latent, without.get_latent_representation(counts()))


def test_other_files_stay(tmp_path, adata):
    model = trained(adata)
    (tmp_path / "notes.txt").write_text("keep")
    with pytest.raises(FileError, match="overwrite"):
        model.save(tmp_path)
    model.save(tmp_path, overwrite=True, prefix="one_")
    model.save(tmp_path, overwrite=True, prefix="two_")
    model.save(tmp_path, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "keep"
    for prefix in ("one_", "two_", None):
        SCVI.load(tmp_path, adata=adata, prefix=prefix)
    with pytest.raises(FileError, match="the prefix 'three_'; prefixes .* '', 'one_', 'two_'"):
        SCVI.load(tmp_path, adata=adata, prefix="three_")
    with pytest.raises(FileError, match="prefix"):
        model.save(tmp_path, overwrite=True, prefix="../")


def test_saves_of_scvi_tools(tmp_path, adata):
    model = trained(adata)
    model.save_scvi_tools(tmp_path / "m", save_anndata=True)
    loaded = SCVI.load(tmp_path / "m")
    latent = model.get_latent_representation()
    assert np.array_equal(latent, loaded.get_latent_representation())
    model.save_scvi_tools(tmp_path / "m", prefix="x_", overwrite=True)
    loaded = SCVI.load(tmp_path / "m", adata=adata, prefix="x_")
    assert not SCVI.load(tmp_path / "m", adata=adata).history["elbo_train"].empty
    assert np.array_equal(latent, loaded.get_latent_representation())


def test_damage_is_found(tmp_path, adata):
    trained(adata).save(tmp_path / "m")
    path = tmp_path / "m" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(FileError, match="model.safetensors is damaged"):
        SCVI.load(tmp_path / "m", adata=adata)
    with pytest.raises(FileError):
        SCVI.load(tmp_path / "nowhere", adata=adata)


def test_what_does_not_fit_is_an_error(tmp_path, adata):
    trained(adata).save(tmp_path / "m")
    with pytest.raises(ValueError, match="no saved anndata"):
        SCVI.load(tmp_path / "m")
    with pytest.raises(ValueError, match="different class"):
        scvi_rs.model.LinearSCVI.load(tmp_path / "m", adata=adata)
    with pytest.raises(ValueError):
        SCVI.load(tmp_path / "m", adata=counts(n_genes=30))
    other = counts()
    other.obs["batch"] = other.obs["batch"].cat.rename_categories(["p", "q"])
    with pytest.raises(ValueError, match="extend_categories"):
        SCVI.load(tmp_path / "m", adata=other)
    del other.obs["batch"]
    with pytest.raises(KeyError, match="plate"):
        SCVI.load(tmp_path / "m", adata=other)


def test_setup_arguments_are_shown(tmp_path, adata, capsys):
    trained(adata).save(tmp_path / "m")
    SCVI.view_setup_args(tmp_path / "m")
    assert "'batch_key': 'batch'" in capsys.readouterr().out
    registry = SCVI.load_registry(tmp_path / "m")
    assert registry["setup_args"]["labels_key"] == "label"
