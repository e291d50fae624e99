"""Inputs in every form are read as the command reads them, and train bit-identical models."""

from __future__ import annotations

import subprocess
from pathlib import Path

import anndata
import numpy as np
import pytest
from scipy import sparse
from scipy.io import mmwrite
from support import command, counts

import scvi_rs
from scvi_rs.exceptions import FileError

scvi = command()


def write_mtx(folder: Path, adata) -> None:
    """A matrix folder as Cell Ranger 3 and later write it, not compressed."""
    folder.mkdir(parents=True)
    mmwrite(folder / "matrix.mtx", sparse.coo_matrix(adata.X.T.astype(np.int64)))
    (folder / "barcodes.tsv").write_text("".join(f"{name}\n" for name in adata.obs_names))
    lines = [f"ENSG{i}\t{name}\tGene Expression\n" for i, name in enumerate(adata.var_names)]
    (folder / "features.tsv").write_text("".join(lines))


@pytest.fixture
def samples(tmp_path) -> list[str]:
    """Three inputs: genes in another order in one, ten fewer in another."""
    first, second, third = (counts(60, 40, seed) for seed in range(3))
    first.write_h5ad(tmp_path / "first.h5ad")
    write_mtx(tmp_path / "second", second[:, ::-1])
    third[:, :30].write_zarr(tmp_path / "third.zarr")
    return [str(tmp_path / name) for name in ("first.h5ad", "second", "third.zarr")]


@pytest.mark.parametrize("join", ["inner", "outer"])
def test_joined_as_anndata_joins_them(samples, join):
    joined = scvi_rs.data.read_inputs(samples, join=join, batch_names=["A", "B", "C"])
    parts = [
        anndata.read_h5ad(samples[0]),
        counts(60, 40, 1)[:, ::-1],
        anndata.read_zarr(samples[2]),
    ]
    parts[1].obs = parts[1].obs[[]]
    want = anndata.concat(parts, join=join, label="sample", keys=["A", "B", "C"], index_unique="-")
    assert list(joined.obs_names) == list(want.obs_names)
    assert list(joined.var_names) == list(want.var_names)
    assert np.array_equal(joined.X.toarray(), want.X.toarray())
    assert list(joined.obs["sample"]) == list(want.obs["sample"])


@pytest.mark.skipif(scvi is None, reason="no command scvi: build it, or SCVI_COMMAND")
@pytest.mark.parametrize("join", ["inner", "outer"])
def test_the_command_gives_the_same_files(tmp_path, samples, join):
    call = [scvi, "train", *samples, "--join", join, "--model", str(tmp_path / "m")]
    subprocess.run([*call, "--max-epochs", "2", "--seed", "3", "--quiet"], check=True)
    scvi_rs.settings.seed = 3
    adata = scvi_rs.data.read_inputs(samples, join=join)
    scvi_rs.model.SCVI.setup_anndata(adata, batch_key="sample")
    model = scvi_rs.model.SCVI(adata)
    model.train(2, enable_progress_bar=False)
    model.save(tmp_path / "p")
    for name in ("model.safetensors", "model.json", "history.csv", "SHA256SUMS"):
        assert (tmp_path / "p" / name).read_bytes() == (tmp_path / "m" / name).read_bytes(), name


def test_one_anndata_is_read_as_it_is(samples):
    adata = scvi_rs.data.read_inputs(samples[0])
    assert list(adata.obs_names) == list(anndata.read_h5ad(samples[0]).obs_names)
    assert "sample" not in adata.obs
    assert "sample" not in scvi_rs.data.read_inputs(samples[1]).obs


def test_a_list_of_samples(tmp_path, samples):
    lines = [f"{path},{name},d{name}\n" for path, name in zip(samples, "xyz", strict=True)]
    (tmp_path / "samples.csv").write_text("path,name,donor\n" + "".join(lines))
    adata = scvi_rs.data.read_inputs(f"@{tmp_path}/samples.csv", batch_key="run")
    assert list(adata.obs["run"].unique()) == ["x", "y", "z"]
    assert list(adata.obs["donor"].unique()) == ["dx", "dy", "dz"]


def test_what_is_wrong_is_named(tmp_path, samples):
    read = scvi_rs.data.read_inputs
    with pytest.raises(ValueError, match="inputs is empty"):
        read([])
    with pytest.raises(ValueError, match="join is 'left'; expected inner or outer"):
        read(samples, join="left")
    with pytest.raises(FileError, match=r"both named 'second'; .*batch_names=\["):
        read([samples[1], samples[1]])
    with pytest.raises(FileError, match="2 batch names for 3 inputs"):
        read(samples, batch_names=["a", "b"])
    with pytest.raises(FileError, match='share 0 gene names.*gene_names="id"'):
        read(samples[:2], gene_names="id")
    raw = tmp_path / "raw_feature_bc_matrix"
    write_mtx(raw, counts(60, 40, 1))
    with pytest.raises(FileError, match="allow_raw_matrix=True"):
        read(raw)
    assert read(raw, allow_raw_matrix=True).shape == (60, 40)
    with pytest.raises(FileError, match="nothing_here"):
        read(tmp_path / "nothing_here.h5ad")
