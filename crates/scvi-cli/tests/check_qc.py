"""Compares tables of `scvi qc` to scanpy's calculate_qc_metrics.

    python check_qc.py DATA.h5ad TABLE.csv PREFIX
"""

import sys
import warnings

import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc

warnings.simplefilter("ignore")
data, table, prefix = sys.argv[1:]
adata = ad.read_h5ad(data)
adata.var["mt"] = adata.var_names.str.startswith(prefix)
top = [n for n in (50, 100, 200, 500) if n <= adata.n_vars]
want, _ = sc.pp.calculate_qc_metrics(adata, qc_vars=["mt"], percent_top=top)
found = pd.read_csv(table, index_col="cell")
assert list(found.columns) == list(want.columns), (list(found.columns), list(want.columns))
assert list(found.index) == list(adata.obs_names)
for column in want:
    np.testing.assert_allclose(found[column], want[column], rtol=2e-6, atol=1e-12, err_msg=column)
