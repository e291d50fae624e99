"""Python and the command are bit-identical for the same file, seed and options."""

from __future__ import annotations

import json
import subprocess

import anndata
import numpy as np
import pytest
from support import command, counts

import scvi_rs

scvi = command()
pytestmark = pytest.mark.skipif(scvi is None, reason="no command scvi: build it, or SCVI_COMMAND")

CASES = {
    "defaults": ({"batch_key": "batch"}, {}, {}),
    "no batch": ({}, {"gene_likelihood": "nb", "n_layers": 2}, {}),
    "everything": (
        {
            "batch_key": "batch",
            "labels_key": "label",
            "categorical_covariate_keys": ["plate"],
            "continuous_covariate_keys": ["score"],
        },
        {"dispersion": "gene-label", "use_observed_lib_size": False, "encode_covariates": True},
        {"train_size": 0.7, "batch_size": 32},
    ),
}


def words(options: dict) -> list[str]:
    out = []
    for name, value in options.items():
        if name == "use_observed_lib_size":
            out.append("--no-use-observed-lib-size")
            continue
        flag = "--" + name.replace("_keys", "-key").replace("_", "-")
        values = value if isinstance(value, list) else [value]
        for v in values:
            out += [flag] if v is True else [flag, str(v)]
    return out


@pytest.mark.parametrize("case", CASES)
def test_the_same_bits(tmp_path, case):
    setup, module, training = CASES[case]
    counts().write_h5ad(tmp_path / "a.h5ad")
    call = [scvi, "train", str(tmp_path / "a.h5ad"), "--model", str(tmp_path / "m"), "--quiet"]
    call += ["--output", str(tmp_path / "z.h5ad"), "--seed", "3", "--max-epochs", "3"]
    subprocess.run(call + words({**setup, **module, **training}), check=True)

    scvi_rs.settings.seed = 3
    adata = anndata.read_h5ad(tmp_path / "a.h5ad")
    scvi_rs.model.SCVI.setup_anndata(adata, **setup)
    model = scvi_rs.model.SCVI(adata, **module)
    model.train(3, enable_progress_bar=False, **training)
    model.save(tmp_path / "p")
    for name in ("model.safetensors", "model.json", "history.csv", "SHA256SUMS"):
        assert (tmp_path / "p" / name).read_bytes() == (tmp_path / "m" / name).read_bytes(), name
    latent = anndata.read_h5ad(tmp_path / "z.h5ad").obsm["X_scVI"]
    assert np.array_equal(latent, model.get_latent_representation())

    # And each reads the other's.
    subprocess.run([scvi, "inspect", str(tmp_path / "p")], check=True, capture_output=True)
    loaded = scvi_rs.model.SCVI.load(tmp_path / "m", adata=adata)
    assert np.array_equal(latent, loaded.get_latent_representation())
    assert len(loaded.history["elbo_train"]) == 3


def test_evaluation_is_the_same(tmp_path):
    adata = counts()
    adata.write_h5ad(tmp_path / "a.h5ad")
    scvi_rs.model.SCVI.setup_anndata(adata, batch_key="batch")
    model = scvi_rs.model.SCVI(adata)
    model.train(2, enable_progress_bar=False)
    model.save(tmp_path / "m")
    call = [scvi, "evaluate", "--model", str(tmp_path / "m"), str(tmp_path / "a.h5ad"), "--json"]
    told = json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
    scvi_rs.settings.seed = 0
    assert told["elbo"] == pytest.approx(float(model.get_elbo()), rel=1e-7)
