"""The same registries as scvi-tools itself, where SCVI_REFERENCE_PYTHON can import it."""

from __future__ import annotations

import os
import pickle
import subprocess

import numpy as np
import pytest
from test_data_manager import ALL_KEYS, make_adata, register

PYTHON = os.environ.get("SCVI_REFERENCE_PYTHON")

REFERENCE = """
import pickle, sys, warnings
import anndata, numpy as np
from scvi.data import AnnDataManager
from scvi.data.fields import (
    CategoricalJointObsField, CategoricalObsField, LayerField, NumericalJointObsField,
    NumericalObsField,
)
warnings.simplefilter("ignore")
folder, keys = sys.argv[1], eval(sys.argv[2])
source, target = (anndata.read_h5ad(f"{folder}/{name}.h5ad") for name in ("source", "target"))
manager = AnnDataManager([
    LayerField("X", None),
    CategoricalObsField("batch", keys.get("batch_key")),
    CategoricalObsField("labels", keys.get("labels_key")),
    NumericalObsField("size_factor", keys.get("size_factor_key"), required=False),
    CategoricalJointObsField("extra_categorical_covs", keys.get("categorical_covariate_keys")),
    NumericalJointObsField("extra_continuous_covs", keys.get("continuous_covariate_keys")),
])
manager.register_fields(source)
moved = manager.transfer_fields(target, extend_categories=True)
plain = lambda registry: {k: dict(v) for k, v in registry["field_registries"].items()}
obs = [data.obs[["_scvi_batch", "_scvi_labels"]].to_numpy() for data in (source, target)]
stats = dict(moved.summary_stats)
with open(f"{folder}/reference.pkl", "wb") as file:
    pickle.dump([plain(manager.registry), plain(moved.registry), obs, stats], file)
"""


@pytest.mark.skipif(PYTHON is None, reason="SCVI_REFERENCE_PYTHON is not set")
@pytest.mark.parametrize("keys", [ALL_KEYS, {}], ids=["all", "none"])
def test_registries_and_codes(tmp_path, keys):
    source, target = make_adata(), make_adata(seed=1)
    target.obs["plate"] = target.obs["plate"] * 10
    target.obs["donor"] = ["w", "x"] * 30
    for name, adata in (("source", source), ("target", target)):
        adata.write_h5ad(tmp_path / f"{name}.h5ad")
    subprocess.run([PYTHON, "-c", REFERENCE, str(tmp_path), repr(keys)], check=True)
    reference = pickle.loads((tmp_path / "reference.pkl").read_bytes())

    manager = register(source, **keys)
    moved = manager.transfer_fields(target, extend_categories=True)
    obs = [data.obs[["_scvi_batch", "_scvi_labels"]].to_numpy() for data in (source, target)]
    np.testing.assert_equal(manager.registry["field_registries"], reference[0])
    np.testing.assert_equal(moved.registry["field_registries"], reference[1])
    np.testing.assert_equal(obs, reference[2])
    assert dict(moved.summary_stats) == reference[3]
