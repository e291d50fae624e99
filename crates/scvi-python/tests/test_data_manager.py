"""Registering AnnData objects."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs.data import AnnDataManager, _constants
from scvi_rs.data._utils import _check_if_view
from scvi_rs.data.fields import (
    CategoricalJointObsField,
    CategoricalObsField,
    LayerField,
    NumericalJointObsField,
    NumericalObsField,
)
from scvi_rs.utils import attrdict


def make_adata(n: int = 60, genes: int = 7, seed: int = 0) -> anndata.AnnData:
    rng = np.random.default_rng(seed)
    adata = anndata.AnnData(sparse.csr_matrix(rng.poisson(1.0, (n, genes)).astype(np.float32)))
    adata.var_names = [f"g{i}" for i in range(genes)]
    adata.obs["plate"] = rng.permutation(np.arange(n) % 3)
    adata.obs["type"] = pd.Categorical(np.array(["b", "a"])[np.arange(n) % 2], ["b", "a", "none"])
    adata.obs["donor"] = np.array(["x", "y"])[np.arange(n) % 2]
    adata.obs["age"] = rng.normal(size=n)
    adata.obs["dose"] = rng.integers(0, 5, n)
    adata.obs["size"] = rng.uniform(0.5, 2.0, n)
    return adata


def make_manager(
    layer: str | None = None,
    batch_key: str | None = None,
    labels_key: str | None = None,
    size_factor_key: str | None = None,
    categorical_covariate_keys: list[str] | None = None,
    continuous_covariate_keys: list[str] | None = None,
) -> AnnDataManager:
    setup_args = dict(locals())
    fields = [
        LayerField(REGISTRY_KEYS.X_KEY, layer),
        CategoricalObsField(REGISTRY_KEYS.BATCH_KEY, batch_key),
        CategoricalObsField(REGISTRY_KEYS.LABELS_KEY, labels_key),
        NumericalObsField(REGISTRY_KEYS.SIZE_FACTOR_KEY, size_factor_key, required=False),
        CategoricalJointObsField(REGISTRY_KEYS.CAT_COVS_KEY, categorical_covariate_keys),
        NumericalJointObsField(REGISTRY_KEYS.CONT_COVS_KEY, continuous_covariate_keys),
    ]
    return AnnDataManager(
        fields,
        setup_method_args={
            "model_name": "SCVI",
            "setup_method_name": "setup_anndata",
            "setup_args": setup_args,
        },
    )


def register(adata: anndata.AnnData, **keys) -> AnnDataManager:
    manager = make_manager(**keys)
    manager.register_fields(adata)
    return manager


ALL_KEYS = {
    "batch_key": "plate",
    "labels_key": "type",
    "size_factor_key": "size",
    "categorical_covariate_keys": ["donor", "plate"],
    "continuous_covariate_keys": ["age", "dose"],
}


def test_registry_has_the_entries_of_scvi_tools():
    adata = make_adata()
    registry = register(adata, **ALL_KEYS).registry
    fields = registry.pop("field_registries")
    setup_args = {"layer": None, **ALL_KEYS}
    assert registry == {
        "scvi_version": "1.4.2",
        "model_name": "SCVI",
        "setup_method_name": "setup_anndata",
        "setup_args": setup_args,
        "_scvi_uuid": adata.uns["_scvi_uuid"],
    }
    np.testing.assert_equal(
        fields,
        {
            "X": {
                "data_registry": {"attr_name": "X", "attr_key": None},
                "state_registry": {
                    "n_obs": 60,
                    "n_vars": 7,
                    "column_names": np.array([f"g{i}" for i in range(7)], dtype=object),
                },
                "summary_stats": {"n_vars": 7, "n_cells": 60},
            },
            "batch": {
                "data_registry": {"attr_name": "obs", "attr_key": "_scvi_batch"},
                "state_registry": {
                    "categorical_mapping": np.array([0, 1, 2]),
                    "original_key": "plate",
                },
                "summary_stats": {"n_batch": 3},
            },
            "labels": {
                "data_registry": {"attr_name": "obs", "attr_key": "_scvi_labels"},
                "state_registry": {
                    "categorical_mapping": np.array(["b", "a", "none"], dtype=object),
                    "original_key": "type",
                },
                "summary_stats": {"n_labels": 3},
            },
            "size_factor": {
                "data_registry": {"attr_name": "obs", "attr_key": "size"},
                "state_registry": {},
                "summary_stats": {},
            },
            "extra_categorical_covs": {
                "data_registry": {"attr_name": "obsm", "attr_key": "_scvi_extra_categorical_covs"},
                "state_registry": {
                    "mappings": {
                        "donor": np.array(["x", "y"], dtype=object),
                        "plate": np.array([0, 1, 2]),
                    },
                    "field_keys": ["donor", "plate"],
                    "n_cats_per_key": [2, 3],
                },
                "summary_stats": {"n_extra_categorical_covs": 2},
            },
            "extra_continuous_covs": {
                "data_registry": {"attr_name": "obsm", "attr_key": "_scvi_extra_continuous_covs"},
                "state_registry": {"columns": np.array(["age", "dose"], dtype=object)},
                "summary_stats": {"n_extra_continuous_covs": 2},
            },
        },
    )


def test_what_is_written_into_adata():
    adata = make_adata()
    manager = register(adata, **ALL_KEYS)
    np.testing.assert_array_equal(adata.obs["_scvi_batch"], adata.obs["plate"])
    np.testing.assert_array_equal(adata.obs["_scvi_labels"], np.arange(60) % 2)
    covariates = adata.obsm["_scvi_extra_categorical_covs"]
    np.testing.assert_array_equal(covariates["donor"], np.arange(60) % 2)
    pd.testing.assert_frame_equal(
        adata.obsm["_scvi_extra_continuous_covs"], adata.obs[["age", "dose"]]
    )
    assert adata.uns["_scvi_manager_uuid"] == manager.id
    assert adata.uns["_scvi_uuid"] == manager.adata_uuid


def test_one_category_where_no_column_is_named():
    adata = make_adata()
    manager = register(adata)
    assert not adata.obs["_scvi_batch"].any()
    state = manager.get_state_registry("batch")
    assert (state.original_key, list(state.categorical_mapping)) == ("_scvi_batch", [0])
    assert manager.summary_stats == attrdict(
        n_vars=7,
        n_cells=60,
        n_batch=1,
        n_labels=1,
        n_extra_categorical_covs=0,
        n_extra_continuous_covs=0,
    )
    assert list(manager.data_registry) == ["X", "batch", "labels"]
    assert manager.get_from_registry("batch").shape == (60, 1)
    with pytest.raises(KeyError, match="'size_factor'; there are: X, batch, labels"):
        manager.get_from_registry("size_factor")


def test_the_matrix_itself_is_registered():
    adata = make_adata()
    adata.layers["counts"] = adata.X.copy()
    assert register(adata).get_from_registry("X") is adata.X
    manager = register(adata, layer="counts")
    assert manager.get_from_registry("X") is adata.layers["counts"]
    with pytest.raises(KeyError, match=r"raw not found in adata\.layers.*counts"):
        register(adata, layer="raw")
    adata.X = None
    with pytest.raises(ValueError, match=r"adata\.X is None"):
        register(adata)


def test_views_are_refused_or_become_copies_with_their_own_identity():
    adata = make_adata()
    register(adata)
    view = adata[:30]
    with pytest.raises(ValueError, match=r"adata = adata\.copy\(\)"):
        register(view)
    _check_if_view(view, copy_if_view=True)
    assert not view.is_view
    assert view.uns["_scvi_uuid"] != adata.uns["_scvi_uuid"]
    register(view)


def test_missing_columns_name_those_there_are():
    adata = make_adata()
    for keys in (
        {"batch_key": "nope"},
        {"size_factor_key": "nope"},
        {"categorical_covariate_keys": ["plate", "nope"]},
        {"continuous_covariate_keys": ["nope"]},
    ):
        with pytest.raises(KeyError, match=r"nope not found in adata\.obs\..*plate, type, donor"):
            register(adata, **keys)
    with pytest.raises(TypeError, match="list of column names"):
        register(adata, categorical_covariate_keys="donor")


@pytest.mark.parametrize(
    ("column", "keys"),
    [
        ("donor", {"batch_key": "donor"}),
        ("type", {"labels_key": "type"}),
        ("donor", {"categorical_covariate_keys": ["donor"]}),
        ("age", {"continuous_covariate_keys": ["age"]}),
        ("size", {"size_factor_key": "size"}),
    ],
)
def test_cells_without_a_value_are_refused(column, keys):
    adata = make_adata()
    adata.obs.loc[["3", "5"], column] = np.nan
    with pytest.raises(ValueError, match=rf"'{column}'\] has no value .* 2 of 60 cells: 3, 5\."):
        register(adata, **keys)


def test_numbers_have_to_be_numbers():
    adata = make_adata()
    with pytest.raises(ValueError, match=r"adata\.obs\['donor'\] is not numeric"):
        register(adata, size_factor_key="donor")
    with pytest.raises(ValueError, match=r"adata\.obs\['donor'\] is not numeric"):
        register(adata, continuous_covariate_keys=["age", "donor"])


def test_warnings():
    adata = make_adata()
    adata.obs["plate"] = ["p0"] * 58 + ["p1"] * 2
    with pytest.warns(UserWarning, match=r"Category p1 in adata\.obs\['plate'\] has fewer than 3"):
        register(adata, batch_key="plate")
    adata.X = adata.X.tocsc()
    with pytest.warns(UserWarning, match="CSR"):
        register(adata)
    adata.X = (adata.X * 0.5).tocsr()
    with pytest.warns(UserWarning, match="unnormalized count data"):
        register(adata)


@pytest.mark.filterwarnings("error")
def test_unused_categories_and_counts_do_not_warn():
    register(make_adata(), **ALL_KEYS)


def test_counts_are_checked_without_drawing_random_numbers():
    np.random.seed(1)
    register(make_adata())
    drawn = np.random.rand()
    np.random.seed(1)
    assert drawn == np.random.rand()


def test_dense_data_are_laid_out_by_rows():
    adata = make_adata()
    rows = adata.X.toarray()
    adata.X = np.asfortranarray(rows)
    register(adata)
    assert adata.X.flags.c_contiguous
    np.testing.assert_array_equal(adata.X, rows)


def test_transfer_codes_by_the_categories_of_the_source():
    manager = register(make_adata(), **ALL_KEYS)
    target = make_adata(n=20, seed=1)
    target.obs["plate"] = 2
    target.obs["type"] = "none"
    moved = manager.transfer_fields(target)
    assert (target.obs["_scvi_batch"] == 2).all()
    assert (target.obs["_scvi_labels"] == 2).all()
    assert (target.obsm["_scvi_extra_categorical_covs"]["plate"] == 2).all()
    assert moved.summary_stats.n_batch == 3
    assert moved.registry["setup_args"] == manager.registry["setup_args"]
    assert moved.registry["setup_args"] is not manager.registry["setup_args"]
    assert moved.adata_uuid != manager.adata_uuid


@pytest.mark.parametrize(
    ("column", "value", "text"), [("plate", 0, "0"), ("donor", "z", "z"), ("type", "c", "c")]
)
def test_transfer_refuses_unseen_categories(column, value, text):
    source = make_adata()
    source.obs["plate"] += 1  # so that the unseen category is a falsy 0
    keys = {"batch_key": "plate", "labels_key": "type", "categorical_covariate_keys": ["donor"]}
    manager = register(source, **keys)
    target = make_adata()
    target.obs["plate"] += 1
    target.obs[column] = [value] * 30 + list(target.obs[column][30:])
    message = (
        f"Category {text} not found in source registry. "
        "Cannot transfer setup without `extend_categories = True`."
    )
    with pytest.raises(ValueError) as error:
        manager.transfer_fields(target)
    assert str(error.value).startswith(message)
    assert f"In adata.obs, column '{column}' has a category" in str(error.value)


def test_transfer_extends_categories_after_the_known_ones_sorted():
    manager = register(make_adata(), **ALL_KEYS)
    target = make_adata()
    target.obs["plate"] = [10] * 20 + [9] * 20 + [1] * 20
    target.obs["donor"] = ["w"] * 30 + ["y"] * 30
    moved = manager.transfer_fields(target, extend_categories=True)
    assert list(moved.get_state_registry("batch").categorical_mapping) == [0, 1, 2, 9, 10]
    assert list(target.obs["_scvi_batch"][::20]) == [4, 3, 1]
    state = moved.get_state_registry("extra_categorical_covs")
    assert list(state.mappings.donor) == ["x", "y", "w"]
    assert list(state.n_cats_per_key) == [3, 5]
    # What was extended stays so when the object is registered again.
    register(target)
    moved.validate()
    assert list(target.obs["_scvi_batch"][::20]) == [4, 3, 1]
    target.obs["plate"] = target.obs["plate"].astype(str)
    with pytest.raises(ValueError, match=r"new categories of another type: .* \(text\)"):
        manager.transfer_fields(target, extend_categories=True)


@pytest.mark.parametrize(
    "make",
    [list, lambda v: pd.Categorical(v, ["z", "unused", "y", "c"]), lambda v: pd.array(v, "string")],
)
def test_new_categories_are_sorted_as_values_whatever_the_column_is(make):
    manager = register(make_adata(), batch_key="donor", categorical_covariate_keys=["donor"])
    target = make_adata()
    target.obs["donor"] = make(["z", "y", "c"] * 20)
    moved = manager.transfer_fields(target, extend_categories=True)
    assert list(moved.get_state_registry("batch").categorical_mapping) == ["x", "y", "c", "z"]
    assert list(target.obs["_scvi_batch"][:3]) == [3, 1, 2]
    covariates = moved.get_state_registry("extra_categorical_covs")
    assert list(covariates.mappings.donor) == ["x", "y", "c", "z"]


def test_transfer_needs_as_many_genes():
    manager = register(make_adata())
    with pytest.raises(ValueError, match="Expected: 7 Received: 5"):
        manager.transfer_fields(make_adata(genes=5))


def test_validate_registers_again_after_another_manager():
    adata = make_adata()
    first, second = register(adata, batch_key="plate"), register(adata)
    assert not adata.obs["_scvi_batch"].any()
    first.validate()
    assert adata.obs["_scvi_batch"].max() == 2
    assert adata.uns["_scvi_manager_uuid"] == first.id
    second.validate()
    assert not adata.obs["_scvi_batch"].any()


def test_misuse_of_a_manager():
    manager = make_manager()
    for use in (manager.validate, lambda: manager.summary_stats, lambda: manager.adata_uuid):
        with pytest.raises(AssertionError, match="register_fields"):
            use()
    with pytest.raises(TypeError, match="without a source_registry"):
        manager.register_fields(make_adata(), extend_categories=True)
    manager.register_fields(make_adata())
    with pytest.raises(AssertionError, match="Existing AnnData"):
        manager.register_fields(make_adata())


def test_new_fields_survive_a_transfer():
    manager = register(make_adata()).transfer_fields(make_adata())
    manager.register_new_fields([NumericalObsField("age", "age")])
    assert manager.data_registry.age == attrdict(attr_name="obs", attr_key="age")
    register(manager.adata)
    manager.validate()
    assert manager.transfer_fields(make_adata()).get_from_registry("age").shape == (60, 1)


def test_setup_args_can_be_changed():
    manager = register(make_adata())
    manager.update_setup_method_args({"batch_key": "plate"})
    assert manager.registry["setup_args"]["batch_key"] == "plate"
    assert manager._get_setup_method_args()[_constants._SETUP_ARGS_KEY]["batch_key"] == "plate"


def test_views_of_the_registry(capsys):
    manager = register(make_adata(), **ALL_KEYS)
    manager.view_registry()
    shown = capsys.readouterr().out
    assert "Setup via `SCVI.setup_anndata` with arguments:" in shown
    lines = [line.split() for line in shown.splitlines()]
    for line in (
        "n_cells 60",
        "batch adata.obs['_scvi_batch']",
        "size_factor adata.obs['size']",
        "adata.obs['type'] b 0",
        "none 2",
        "adata.obs['age']",
    ):
        assert line.split() in lines
    manager.view_registry(hide_state_registries=True)
    assert "State Registry" not in capsys.readouterr().out


@pytest.mark.parametrize("dense", [False, True])
def test_backed_data_stay_in_their_file(tmp_path, dense):
    adata = make_adata()
    if dense:
        adata.X = adata.X.toarray()
    adata.write_h5ad(tmp_path / "data.h5ad")
    for mode in ("r", "r+"):
        backed = anndata.read_h5ad(tmp_path / "data.h5ad", backed=mode)
        manager = register(backed, batch_key="plate")
        matrix = manager.get_from_registry("X")
        assert not isinstance(matrix, np.ndarray) and not sparse.issparse(matrix)
        assert backed.isbacked
        assert manager.summary_stats.n_batch == 3
        backed.file.close()


def test_registered_data_can_be_written(tmp_path):
    adata = make_adata()
    register(adata, **ALL_KEYS)
    adata.write_h5ad(tmp_path / "data.h5ad")
    back = anndata.read_h5ad(tmp_path / "data.h5ad")
    np.testing.assert_array_equal(back.obs["_scvi_batch"], adata.obs["_scvi_batch"])
