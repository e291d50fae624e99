"""Whether scanpy chooses the genes that `scvi genes` chose, and finds the same numbers.

    python check_genes.py INPUT.h5ad TABLE.csv FLAVOR N_TOP_GENES [BATCH_KEY]

A table with n_cells was made with `--min-cells`: genes that it says nothing about are filtered out.
Prints the share of scanpy's genes that were chosen.
"""

import functools
import sys
import warnings

import anndata
import numpy as np
import pandas as pd
import scanpy

warnings.simplefilter("ignore")
path, table, flavor, n_top_genes, *batch_key = sys.argv[1:]
n_top_genes, batch_key = int(n_top_genes), (batch_key or [None])[0]

adata = anndata.read_h5ad(path)
found = pd.read_csv(table, index_col="gene", keep_default_na=False, na_values=[""])
assert list(found.index) == list(adata.var_names)
if "n_cells" in found:
    min_cells = int(found.loc[found["means"].notna(), "n_cells"].min())
    scanpy.pp.filter_genes(adata, min_cells=min_cells)
    assert list(adata.var_names) == list(found.index[found["means"].notna()])
    assert (found.loc[adata.var_names, "n_cells"] == adata.var["n_cells"]).all()
    assert not found.loc[found["means"].isna(), "highly_variable"].any()
    found = found.loc[adata.var_names].drop(columns="n_cells")

choose = scanpy.pp.highly_variable_genes
if flavor == "pearson_residuals":
    choose = scanpy.experimental.pp.highly_variable_genes
if flavor == "cell_ranger":
    scanpy.pp.normalize_total(adata, target_sum=1e4)
    scanpy.pp.log1p(adata)
options = {"n_top_genes": n_top_genes, "flavor": flavor, "batch_key": batch_key, "inplace": False}
plain = choose(adata, **options)
# Genes with the same counts in other cells vary alike, and which of them numpy sorts first depends on
# the processor: here as they stand in the data.
np.argsort = functools.partial(np.argsort, kind="stable")
want = choose(adata, **options)
want = want.drop(columns=[name for name in ("gene_name", "mean_bin") if name in want])
assert set(found.columns) == set(want.columns), (list(found), list(want))
for name in want.columns:
    ours, theirs = found[name].to_numpy(float), want[name].to_numpy(float)
    if flavor == "pearson_residuals" and name.startswith("highly_variable"):
        # Residuals that differ by rounding alone, which scanpy does in another order.
        same = np.isclose(ours, theirs, rtol=0.01, atol=0.5, equal_nan=True)
        assert same.mean() > 0.995, (name, same.mean())
    else:
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6, err_msg=name)
genes = plain.index[plain["highly_variable"]]
print(found.loc[genes, "highly_variable"].mean())
