"""Which categories are equal: as scvi-tools has it, in the package, the command and their files."""

from __future__ import annotations

import datetime
import json
import subprocess
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from category_columns import COLUMNS, IN_FILES, cells
from support import command

from scvi_rs.data._codes import encode, transfer
from scvi_rs.exceptions import CategoryError
from scvi_rs.model import SCVI

EQUAL: dict[str, dict[str, list[int]]] = json.loads(
    Path(__file__).with_name("category_pairs.json").read_text()
)
"""Codes that scvi-tools gives to a column, by the categories of another (reference/categories.py);
columns that it refuses are left out."""

_DATES = ("datetime64[ns]", "categories of times", "objects of times")
_TEXTS_OF_DATES = ("texts of days", "texts of times")

WE_TAKE = {(known, found): [0, 1] for known in _DATES for found in _TEXTS_OF_DATES} | {
    ("timedelta64[ns]", "texts of lengths"): [0, 1]
}
"""scvi-tools takes a text for the time that it writes where times are counted in seconds only. Files
of AnnData can hold times as texts only, so that we take it in every unit."""


def expected(known: str, found: str) -> list[int] | None:
    return EQUAL[known].get(found, WE_TAKE.get((known, found)))


def data(name: str, repeats: int = 4) -> AnnData:
    """Counts with one column, ``c``."""
    column = cells(name, repeats)
    random = np.random.default_rng(0)
    adata = AnnData((random.poisson(3, (len(column), 6)) + 1).astype(np.float32))
    adata.obs_names = [f"cell{i}" for i in range(len(column))]
    column.index = adata.obs_names
    adata.obs["c"] = column
    return adata


def model_of(adata: AnnData, epochs: int = 1, **setup) -> SCVI:
    """A tiny model whose encoder sees the column."""
    SCVI.setup_anndata(adata, **(setup or {"batch_key": "c"}))
    model = SCVI(adata, n_hidden=4, n_latent=2, encode_covariates=True)
    model.train(epochs, enable_progress_bar=False)
    return model


@pytest.mark.parametrize("known", COLUMNS)
def test_pairs_of_types_in_the_package(known):
    _, categories = encode(cells(known), "c")
    for found in COLUMNS:
        codes = expected(known, found)
        if codes is None:
            with pytest.raises(CategoryError, match="does not know"):
                transfer(cells(found), "c", categories)
        else:
            transferred, again = transfer(cells(found), "c", categories)
            assert transferred.tolist() == codes * 4, found
            np.testing.assert_array_equal(again, categories)


@pytest.mark.skipif(command() is None, reason="no command scvi: build it, or SCVI_COMMAND")
def test_pairs_of_types_in_the_command(tmp_path):
    scvi = command()
    for name in IN_FILES:
        data(name).write_h5ad(tmp_path / f"{name}.h5ad")
    train = ["--batch-key", "c", "--max-epochs", "1", "--quiet", "--encode-covariates"]
    train += ["--n-hidden", "4", "--n-latent", "2"]
    for known in IN_FILES:
        model = tmp_path / f"model of {known}"
        call = [scvi, "train", tmp_path / f"{known}.h5ad", "--model", model, *train]
        subprocess.run(call, check=True)
        for found in IN_FILES:
            file, output = tmp_path / f"{found}.h5ad", tmp_path / "latent.npy"
            call = [scvi, "latent", "--model", model, file, "--output", output, "--overwrite"]
            ran = subprocess.run(call, check=False, capture_output=True, text=True)
            if expected(known, found) is None:
                assert ran.returncode == 1, (known, found)
                assert "does not know" in ran.stderr and "hint: " in ran.stderr
            else:
                assert ran.returncode == 0, (known, found, ran.stderr)
                # The same codes, or else the encoder would see other batches.
                loaded = SCVI.load(model, adata=anndata.read_h5ad(file))
                np.testing.assert_array_equal(np.load(output), loaded.get_latent_representation())


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("form", ["native", "scvi-tools"])
def test_types_survive_saves(tmp_path, name, form):
    adata = data(name)
    adata.obs["d"] = adata.obs["c"]
    model = model_of(adata, batch_key="c", labels_key="c", categorical_covariate_keys=["d"])
    (model.save if form == "native" else model.save_scvi_tools)(tmp_path / "m")
    loaded = SCVI.load(tmp_path / "m", adata=adata.copy())
    states = [
        {key: field["state_registry"] for key, field in m.registry["field_registries"].items()}
        for m in (model, loaded)
    ]
    before, after = ([s["batch"], s["labels"], s["extra_categorical_covs"]] for s in states)
    np.testing.assert_equal(after, before)
    types = [s["batch"]["categorical_mapping"].dtype.kind for s in states]
    assert types[0] == "O" or types[1].replace("i", types[0]) == types[0]
    np.testing.assert_array_equal(
        loaded.get_latent_representation(), model.get_latent_representation()
    )


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pd.cut(np.arange(12), 2), ["(-0.011, 5.5]", "(5.5, 11.0]"]),
        (pd.period_range("2024-01", periods=2, freq="M"), ["2024-01", "2024-02"]),
        (np.array([10**30, -1], object), ["-1", str(10**30)]),
        (
            pd.DatetimeIndex(["2024-01-01 02:00", "2024-06-01 00:00"]).tz_localize("Europe/Paris"),
            ["2024-01-01 01:00:00+00:00", "2024-05-31 22:00:00+00:00"],
        ),
    ],
)
def test_types_that_no_file_holds_are_taken_as_texts(values, texts):
    column = pd.Series(pd.concat([pd.Series(values)] * 3, ignore_index=True), name="c")
    with pytest.warns(UserWarning, match="which no file can hold"):
        codes, categories = encode(column, "adata.obs['c']")
    assert list(categories) == texts
    with pytest.warns(UserWarning, match="which no file can hold"):
        again, _ = transfer(column, "adata.obs['c']", categories)
    np.testing.assert_array_equal(again, codes)


def test_dates_are_times():
    days = [datetime.date(2024, 6, 1), datetime.date(2024, 1, 1)] * 3
    _, categories = encode(pd.Series(days, name="c"), "c")
    assert categories.dtype.kind == "M" and len(categories) == 2
    codes, _ = transfer(pd.Series(["2024-01-01"] * 3, name="c"), "c", categories)
    assert list(codes) == [0, 0, 0]


def test_a_column_of_several_types_is_refused():
    adata = data("text")
    adata.obs["c"] = [1, "a", 2.5] * 4
    with pytest.raises(CategoryError, match=r"several types \(float, int, str\).*astype\(str\)"):
        SCVI.setup_anndata(adata, batch_key="c")


def test_categories_of_the_other_type_can_be_converted():
    adata = data("int64")
    model = model_of(adata)
    found = data("text")
    with pytest.raises(CategoryError) as error:
        model.get_latent_representation(found)
    told = str(error.value)
    assert told.startswith("Category 0 not found in source registry. Cannot transfer setup")
    assert "has categories that the model does not know: '0', '1', '2' (text)" in told
    assert "it knows 0, 1, 2 (integer)" in told
    hint = told.partition("Convert it: ")[2]
    exec(hint, {"adata": found})  # noqa: S102
    np.testing.assert_array_equal(
        model.get_latent_representation(found), model.get_latent_representation()
    )


def test_new_categories_of_another_type(tmp_path):
    model = model_of(data("int64"))
    query = data("int64")
    query.obs["c"] = query.obs["c"] / 2
    mapped = SCVI.load_query_data(query, model)
    mapping = mapped.get_state_registry("batch")["categorical_mapping"]
    np.testing.assert_array_equal(mapping, [0.0, 1.0, 2.0, 0.5])
    with pytest.raises(CategoryError, match=r"new categories of another type: 'x' \(text\)"):
        query = data("int64")
        query.obs["c"] = "x"
        SCVI.load_query_data(query, model)


def test_names_of_cells_are_no_batches():
    adata = data("text", repeats=10)
    adata.obs["c"] = adata.obs_names.where(np.arange(30) < 20, "rest")
    told = "'c' has 21 categories for 30 cells, more than one for two cells: .* and 11 more"
    for setup in ({"batch_key": "c"}, {"labels_key": "c"}, {"categorical_covariate_keys": ["c"]}):
        with pytest.raises(CategoryError, match=told + ".*allow_many_categories=True"):
            SCVI.setup_anndata(adata, **setup)
    SCVI.setup_anndata(adata, batch_key="c", allow_many_categories=True)
    reference = SCVI(adata, n_hidden=4, n_latent=2)
    assert "allow_many_categories" not in reference.registry["setup_args"]
    reference.train(1, enable_progress_bar=False)
    # Registered again, and by other cells.
    assert reference.get_latent_representation(adata[:3].copy()).shape == (3, 2)
    query = data("text", repeats=10)
    query.obs["c"] = [f"new{i}" for i in range(30)]
    with pytest.raises(CategoryError, match="30 new categories for 30 cells"):
        SCVI.load_query_data(query, reference)
    SCVI.load_query_data(query, reference, allow_many_categories=True)
    # Small data: every cell may be a batch.
    tiny = data("text", repeats=3)
    tiny.obs["c"] = tiny.obs_names
    SCVI.setup_anndata(tiny, batch_key="c")
