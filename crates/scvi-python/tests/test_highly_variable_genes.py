"""Highly variable genes: of data in memory, in a file, and by the command."""

from __future__ import annotations

import subprocess

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from support import command, counts

import scvi_rs
from scvi_rs.pp import highly_variable_genes

COLUMNS = {
    "seurat_v3": "means variances gene_name highly_variable_nbatches highly_variable_rank"
    " variances_norm highly_variable",
    "pearson_residuals": "means variances residual_variances highly_variable_rank"
    " highly_variable_nbatches highly_variable_intersection highly_variable",
    "cell_ranger": "means dispersions dispersions_norm highly_variable"
    " highly_variable_nbatches highly_variable_intersection",
}
OF_BATCHES = ["highly_variable_nbatches", "highly_variable_intersection"]
OPTIONS = [{}, {"batch_key": "batch"}, {"batch_key": "plate", "min_cells": 40}]


@pytest.fixture(scope="module")
def adata():
    """Some cells, a gene without counts, and a layer that holds none."""
    adata = counts()
    adata.X[:, 7] = 0
    adata.X.eliminate_zeros()
    adata.layers["log"] = adata.X.log1p()
    return adata


@pytest.mark.parametrize("flavor", COLUMNS)
def test_a_table_has_scanpys_columns(adata, flavor):
    table = highly_variable_genes(adata, flavor=flavor, n_top_genes=20, inplace=False)
    assert list(table) == [name for name in COLUMNS[flavor].split() if name not in OF_BATCHES]
    table = highly_variable_genes(
        adata, flavor=flavor, n_top_genes=20, batch_key="batch", inplace=False
    )
    assert list(table) == COLUMNS[flavor].split()
    assert list(table.index) == list(adata.var_names)
    assert table["highly_variable"].dtype == bool and table["highly_variable"].sum() == 20
    assert table["highly_variable_nbatches"].dtype == np.int64
    if flavor != "cell_ranger":
        assert table["highly_variable_rank"].dtype == np.float32


@pytest.mark.parametrize("flavor", COLUMNS)
@pytest.mark.parametrize("options", OPTIONS)
def test_files_and_the_command_say_the_same(tmp_path, adata, flavor, options):
    adata.write_h5ad(tmp_path / "a.h5ad")
    options = {**options, "flavor": flavor, "n_top_genes": 15}
    want = highly_variable_genes(adata, **options, inplace=False)
    of_file = highly_variable_genes(tmp_path / "a.h5ad", **options)
    pd.testing.assert_frame_equal(of_file, want, check_exact=True)
    backed = anndata.read_h5ad(tmp_path / "a.h5ad", backed="r")
    of_backed = highly_variable_genes(backed, **options, inplace=False)
    pd.testing.assert_frame_equal(of_backed, want, check_exact=True)

    scvi = command()
    if scvi is None:
        pytest.skip("no command scvi: build it, or SCVI_COMMAND")
    call = [scvi, "genes", str(tmp_path / "a.h5ad"), "--output", str(tmp_path / "g.csv")]
    for name, value in options.items():
        call += ["--" + name.replace("_", "-"), str(value)]
    subprocess.run(call, check=True, capture_output=True)
    table = pd.read_csv(tmp_path / "g.csv", index_col="gene", float_precision="round_trip")
    want = want.drop(columns=["gene_name"], errors="ignore").astype(
        {name: float for name in want if name == "highly_variable_rank"}
    )
    pd.testing.assert_frame_equal(table[list(want)], want, check_exact=True, check_names=False)


@pytest.mark.parametrize("flavor", COLUMNS)
def test_matrices_of_any_form(adata, flavor):
    want = highly_variable_genes(adata, flavor=flavor, n_top_genes=20, inplace=False)
    for form in (sparse.csc_matrix, lambda X: X.toarray().astype(np.int64), sparse.csr_array):
        other = anndata.AnnData(form(adata.X), obs=adata.obs, var=adata.var)
        table = highly_variable_genes(other, flavor=flavor, n_top_genes=20, inplace=False)
        pd.testing.assert_frame_equal(table, want, check_exact=True)


def test_what_is_asked_for_is_written(adata):
    written = adata.copy()
    want = highly_variable_genes(adata, n_top_genes=20, inplace=False)
    assert highly_variable_genes(written, n_top_genes=20) is None
    assert written.uns["hvg"] == {"flavor": "seurat_v3"}
    for name in ("highly_variable", "highly_variable_rank", "means", "variances_norm"):
        np.testing.assert_array_equal(written.var[name], want[name])
    assert "gene_name" not in written.var
    assert highly_variable_genes(written, n_top_genes=20, subset=True) is None
    assert list(written.var_names) == list(want.index[want["highly_variable"]])
    some = highly_variable_genes(adata, n_top_genes=20, subset=True, inplace=False)
    assert list(some.index) == list(written.var_names)


def test_genes_in_few_cells_are_left_out(adata):
    table = highly_variable_genes(adata, n_top_genes=10, min_cells=60, inplace=False)
    n_cells = (adata.X > 0).sum(axis=0).A1
    np.testing.assert_array_equal(table["n_cells"], n_cells)
    np.testing.assert_array_equal(table["means"].isna(), n_cells < 60)
    left = highly_variable_genes(adata[:, n_cells >= 60].copy(), n_top_genes=10, inplace=False)
    assert set(table.index[table["highly_variable"]]) == set(left.index[left["highly_variable"]])


def test_parameters_of_flavors(adata):
    def chosen(**options):
        return highly_variable_genes(adata, n_top_genes=20, inplace=False, **options)

    assert not chosen(span=0.6)["variances_norm"].equals(chosen()["variances_norm"])
    residuals = chosen(flavor="pearson_residuals", clip=np.inf, theta=1e12)
    X = adata.X.toarray().astype(float)
    mu = X.sum(0) * X.sum(1, keepdims=True) / X.sum()
    seen = X.sum(0) > 0
    want = np.zeros(X.shape[1])
    want[seen] = ((X - mu)[:, seen] / np.sqrt(mu[:, seen])).var(0)
    np.testing.assert_allclose(residuals["residual_variances"], want, rtol=1e-6)


def test_wrong_arguments_are_named(tmp_path, adata):
    for options, error, part in [
        ({"flavor": "seurat"}, ValueError, "seurat_v3, pearson_residuals, cell_ranger"),
        ({"n_top_genes": 0}, ValueError, "n_top_genes is 0"),
        ({"span": 0.0}, scvi_rs.exceptions.GenesError, "span is 0"),
        ({"min_cells": 1000}, scvi_rs.exceptions.GenesError, "in at least 1000 cells"),
        ({"batch_key": "no"}, KeyError, "batch, label"),
        ({"layer": "no"}, KeyError, "log"),
    ]:
        with pytest.raises(error, match=part):
            highly_variable_genes(adata, **options)
    adata.write_h5ad(tmp_path / "a.h5ad")
    with pytest.raises(scvi_rs.exceptions.FileError, match=r"a\.h5ad: no gene has counts"):
        highly_variable_genes(tmp_path / "a.h5ad", min_cells=1000)
    with pytest.warns(UserWarning, match="not whole numbers"):
        highly_variable_genes(adata, layer="log", n_top_genes=20, inplace=False)
    with pytest.warns(UserWarning, match="not whole numbers"):
        highly_variable_genes(tmp_path / "a.h5ad", layer="log", n_top_genes=20)
    negative = adata.copy()
    negative.X[3, 0] = -1
    with pytest.raises(scvi_rs.exceptions.CountsError, match="gene0 in cell cell3 is -1"):
        highly_variable_genes(negative)


def test_a_matrix_folder_is_read(tmp_path, adata):
    folder = tmp_path / "filtered_feature_bc_matrix"
    folder.mkdir()
    genes, cells = adata.var_names, adata.obs_names
    lines = (f"{gene}\t{gene}\tGene Expression\n" for gene in genes)
    (folder / "features.tsv").write_text("".join(lines))
    (folder / "barcodes.tsv").write_text("".join(f"{cell}\n" for cell in cells))
    matrix = sparse.coo_matrix(adata.X.T)
    with (folder / "matrix.mtx").open("w") as file:
        file.write("%%MatrixMarket matrix coordinate integer general\n")
        file.write(f"{len(genes)} {len(cells)} {matrix.nnz}\n")
        for gene, cell, value in zip(matrix.row, matrix.col, matrix.data, strict=True):
            file.write(f"{gene + 1} {cell + 1} {int(value)}\n")
    want = highly_variable_genes(adata, n_top_genes=20, inplace=False)
    found = highly_variable_genes(folder, n_top_genes=20)
    pd.testing.assert_frame_equal(found, want, check_exact=True)
