"""Data that are made up, fetched, or registered by old versions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from test_data_manager import make_adata, make_manager, register

from scvi_rs.data import synthetic_iid
from scvi_rs.data._compat import LEGACY_REGISTRY_KEY_MAP, registry_from_setup_dict
from scvi_rs.data._download import _download
from scvi_rs.data._native import to_native


def test_synthetic_data():
    adata = synthetic_iid(batch_size=50, n_genes=20, n_proteins=4, n_regions=5, n_batches=3)
    assert adata.shape == (150, 20)
    assert list(adata.var_names[:2]) == ["gene_0", "gene_1"]
    assert adata.obs["batch"].value_counts().to_dict() == dict.fromkeys(
        ["batch_0", "batch_1", "batch_2"], 50
    )
    assert list(adata.obs["labels"].cat.categories) == ["label_0", "label_1", "label_2"]
    assert adata.obsm["protein_expression"].shape == (150, 4)
    assert list(adata.uns["protein_names"]) == [f"protein_{i}" for i in range(4)]
    assert adata.obsm["accessibility"].shape == (150, 5)
    assert "coordinates" not in adata.obsm
    # Negative binomial with mean 5 * 0.7 / 0.3, of which 70 % are kept.
    assert adata.X.mean() == pytest.approx(0.7 * 5 * 0.7 / 0.3, rel=0.1)


# X's row sums and the labels that scvi-tools 1.4.2 makes after numpy.random.seed(0).
SCVI_TOOLS_TOTALS = [17, 28, 5, 35, 44, 26]
SCVI_TOOLS_LABELS = ["label_2", "label_0", "label_2", "label_2", "label_0", "label_2"]


def test_synthetic_data_follow_numpys_seed():
    np.random.seed(0)
    adata = synthetic_iid(batch_size=3, n_genes=4, generate_coordinates=True)
    assert adata.X.sum(1).tolist() == SCVI_TOOLS_TOTALS
    assert adata.obs["labels"].tolist() == SCVI_TOOLS_LABELS
    assert adata.obsm["coordinates"].shape == (6, 2)


@pytest.mark.parametrize("name", ["csr_matrix", "csc_matrix"])
def test_synthetic_sparse_data(name):
    adata = synthetic_iid(sparse_format=name)
    for matrix in (adata.X, adata.obsm["protein_expression"], adata.obsm["accessibility"]):
        assert isinstance(matrix, getattr(sparse, name))


def test_synthetic_data_without_parts():
    adata = synthetic_iid(n_proteins=0, n_regions=0, n_labels=0, rna_dist="normal")
    assert not adata.obsm and not adata.uns and list(adata.obs) == ["batch"]
    for wrong in ({"n_batches": 0}, {"n_genes": 0}, {"rna_dist": "cauchy"}):
        with pytest.raises(ValueError):
            synthetic_iid(**wrong)


def test_files_are_fetched_whole_or_not_at_all(tmp_path):
    source = tmp_path / "source.bin"
    source.write_bytes(b"counts" * 1000)
    directory = tmp_path / "made" / "here"
    _download(source.as_uri(), directory, "data.bin")
    assert (directory / "data.bin").read_bytes() == source.read_bytes()
    source.write_bytes(b"other")
    _download(source.as_uri(), directory, "data.bin")
    assert (directory / "data.bin").stat().st_size == 6000, "what is there stays"
    _download(None, directory, "none.bin")
    with pytest.raises(OSError):
        _download((tmp_path / "missing").as_uri(), directory, "missing.bin")
    assert [path.name for path in directory.iterdir()] == ["data.bin"]


LEGACY = {
    "scvi_version": "0.8.0",
    "categorical_mappings": {
        "_scvi_batch": {"original_key": "plate", "mapping": np.array([0, 1, 2])},
        "_scvi_labels": {
            "original_key": "type",
            "mapping": np.array(["b", "a", "none"], dtype=object),
        },
    },
    "extra_categoricals": {
        "mappings": {"donor": np.array(["x", "y"], dtype=object)},
        "keys": ["donor"],
        "n_cats_per_key": [2],
    },
    "extra_continuous_keys": np.array(["age", "dose"], dtype=object),
    "data_registry": {
        "X": {"attr_name": "X", "attr_key": None},
        "batch_indices": {"attr_name": "obs", "attr_key": "_scvi_batch"},
        "labels": {"attr_name": "obs", "attr_key": "_scvi_labels"},
        "cat_covs": {"attr_name": "obsm", "attr_key": "_scvi_extra_categoricals"},
        "cont_covs": {"attr_name": "obsm", "attr_key": "_scvi_extra_continuous"},
        "local_l_mean": {"attr_name": "obs", "attr_key": "_scvi_local_l_mean"},
    },
    "summary_stats": {"n_batch": 3, "n_cells": 60, "n_vars": 7, "n_labels": 3},
}


def test_registries_of_old_versions():
    class SCVI:
        pass

    keys = {
        "batch_key": "plate",
        "labels_key": "type",
        "categorical_covariate_keys": ["donor"],
        "continuous_covariate_keys": ["age", "dose"],
    }
    registry = registry_from_setup_dict(SCVI, LEGACY)
    assert registry["model_name"] == "SCVI"
    assert registry["setup_args"] == {"layer": None, **keys}
    today = register(make_adata(), **keys).registry
    assert set(registry["field_registries"]) == set(LEGACY_REGISTRY_KEY_MAP.values())
    for key, field in registry["field_registries"].items():
        for part, entries in field.items():
            now = today["field_registries"][key][part]
            np.testing.assert_equal(entries, {name: now[name] for name in entries})
    assert to_native(registry) == to_native(today)
    adata = make_adata(n=20, seed=1)
    adata.obs["plate"] = 1
    make_manager(**keys).register_fields(adata, registry)
    assert (adata.obs["_scvi_batch"] == 1).all()
    assert LEGACY["extra_categoricals"]["keys"] == ["donor"], "the old registry is left alone"
