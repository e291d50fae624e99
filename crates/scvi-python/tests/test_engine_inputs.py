"""Arrays and registries for the engine."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest
from test_data_manager import ALL_KEYS, make_adata, make_manager, register

from scvi_rs.data._categories import categories_of, native_column
from scvi_rs.data._engine import engine_inputs
from scvi_rs.data._minify import minified_adata, minified_fields
from scvi_rs.data._native import from_native, to_native


def test_arrays_of_a_registered_object():
    adata = make_adata()
    inputs = engine_inputs(register(adata, **ALL_KEYS))
    assert inputs.X is adata.X
    np.testing.assert_array_equal(inputs.batch, adata.obs["plate"])
    np.testing.assert_array_equal(inputs.labels, np.arange(60) % 2)
    np.testing.assert_array_equal(inputs.categorical[:, 0], np.arange(60) % 2)
    np.testing.assert_array_equal(inputs.categorical[:, 1], adata.obs["plate"])
    continuous = adata.obs[["age", "dose"]].to_numpy(np.float32)
    np.testing.assert_array_equal(inputs.continuous, continuous)
    np.testing.assert_array_equal(inputs.size_factor, adata.obs["size"].to_numpy(np.float32))
    for codes in (inputs.batch, inputs.labels, inputs.categorical):
        assert codes.dtype == np.uint32 and codes.flags.c_contiguous
    for numbers in (inputs.continuous, inputs.size_factor):
        assert numbers.dtype == np.float32 and numbers.flags.c_contiguous
    assert inputs.observed_lib_size is inputs.latent_qzm is inputs.latent_qzv is None
    assert inputs.minified_data_type is None
    assert inputs.var_names == [f"g{i}" for i in range(7)]


def test_arrays_where_no_column_is_named():
    inputs = engine_inputs(register(make_adata()))
    assert not inputs.batch.any() and not inputs.labels.any()
    assert inputs.categorical.shape == inputs.continuous.shape == (60, 0)
    assert inputs.size_factor is None


def test_columns_that_another_manager_overwrote_are_written_again():
    adata = make_adata()
    first = register(adata, batch_key="plate")
    register(adata)
    np.testing.assert_array_equal(engine_inputs(first).batch, adata.obs["plate"])


def test_data_in_a_file_stay_there(tmp_path):
    make_adata().write_h5ad(tmp_path / "data.h5ad")
    backed = anndata.read_h5ad(tmp_path / "data.h5ad", backed="r")
    inputs = engine_inputs(register(backed, batch_key="plate"))
    assert type(inputs.X).__name__.startswith("_CSRDataset")
    backed.file.close()


def test_arrays_of_minified_data():
    adata = make_adata()
    adata.obsm["X_latent_qzm"] = np.arange(180.0).reshape(60, 3)
    adata.obsm["X_latent_qzv"] = pd.DataFrame(np.ones((60, 3)), index=adata.obs_names)
    mini = minified_adata(register(adata))
    manager = make_manager()
    manager.fields += minified_fields(mini.uns["_scvi_adata_minify_type"])
    manager.register_fields(mini)
    inputs = engine_inputs(manager)
    np.testing.assert_array_equal(inputs.latent_qzm, adata.obsm["X_latent_qzm"])
    assert inputs.latent_qzm.dtype == inputs.latent_qzv.dtype == np.float32
    np.testing.assert_array_equal(inputs.observed_lib_size, adata.X.toarray().sum(1))
    assert inputs.minified_data_type == "latent_posterior_parameters"


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        (["b", "a"], "text", ["b", "a"]),
        (np.array([10, 2], np.int8), "integer", ["10", "2"]),
        (np.array([10, 2], object), "integer", ["10", "2"]),
        (np.array([1.0, 1e-7, 1e16]), "float", ["1.0", "1e-07", "1e+16"]),
        (
            np.array([0.1, -0.0, 16777216.0, 1e16, 1.5e-5], np.float32),
            "single",
            ["0.1", "-0.0", "16777216.0", "1e+16", "1.5e-05"],
        ),
        (np.array([False, True]), "bool", ["False", "True"]),
        (np.array([2**64 - 1, 0], np.uint64), "integer", ["18446744073709551615", "0"]),
        (
            np.array(["2024-01-31T12:00:00.5", "1969-12-31"], "datetime64[ns]"),
            "datetime64[ns]",
            ["2024-01-31 12:00:00.5", "1969-12-31 00:00:00"],
        ),
        (np.array(["3000-01-01"], "datetime64[s]"), "datetime64[s]", ["3000-01-01 00:00:00"]),
        (
            np.array([90061, -1], "timedelta64[s]"),
            "timedelta64[s]",
            ["1 days 01:01:01", "-1 days +23:59:59"],
        ),
    ],
)
def test_kinds_and_texts_of_categories(values, kind, texts):
    categories = np.asarray(values)
    column = native_column("plate", categories)
    assert column.pop("kind", "text") == kind
    assert column == {"key": "plate", "categories": texts}
    back = categories_of({**column, "kind": kind})
    np.testing.assert_array_equal(back, categories)
    assert native_column("plate", back) == native_column("plate", categories)
    if kind.startswith(("datetime", "timedelta")):
        assert back.dtype == categories.dtype


NATIVE = {
    "layer": None,
    "batch": {"key": "plate", "categories": ["0", "1", "2"], "kind": "integer"},
    "labels": {"key": "type", "categories": ["b", "a", "none"]},
    "categorical_covariates": [
        {"key": "donor", "categories": ["x", "y"]},
        {"key": "plate", "categories": ["0", "1", "2"], "kind": "integer"},
    ],
    "continuous_covariates": ["age", "dose"],
    "size_factor": "size",
}
NOTHING = {
    "layer": None,
    "batch": None,
    "labels": None,
    "categorical_covariates": [],
    "continuous_covariates": [],
    "size_factor": None,
}


def test_native_registry():
    assert to_native(register(make_adata(), **ALL_KEYS).registry) == NATIVE
    assert to_native(register(make_adata()).registry) == NOTHING
    adata = make_adata()
    adata.layers["counts"] = adata.X
    assert to_native(register(adata, layer="counts").registry) == {**NOTHING, "layer": "counts"}


@pytest.mark.parametrize("keys", [ALL_KEYS, {}, {"layer": "counts", "batch_key": "donor"}])
def test_registry_of_a_native_model_is_the_one_it_was_made_from(keys):
    adata = make_adata()
    adata.layers["counts"] = adata.X
    registry = register(adata, **keys).registry
    back = from_native(to_native(registry), list(adata.var_names), adata.n_obs)
    np.testing.assert_equal({**back, "_scvi_uuid": registry["_scvi_uuid"]}, registry)


def test_registry_of_a_native_linear_model():
    registry = from_native({**NOTHING, "batch": NATIVE["batch"]}, ["g"], 3, "LinearSCVI")
    assert registry["model_name"] == "LinearSCVI"
    assert list(registry["field_registries"]) == ["X", "batch", "labels"]
    assert registry["setup_args"] == {"layer": None, "batch_key": "plate", "labels_key": None}


def test_data_transfer_by_the_registry_of_a_native_model():
    registry = from_native(NATIVE, [f"g{i}" for i in range(7)], 60)
    adata = make_adata(n=20, seed=1)
    adata.obs["plate"] = 2
    manager = make_manager(**ALL_KEYS)
    manager.register_fields(adata, registry)
    assert (adata.obs["_scvi_batch"] == 2).all()
    assert to_native(manager.registry) == NATIVE
