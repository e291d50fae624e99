"""Whether inner.h5ad and outer.h5ad are what anndata makes of a.h5ad, b.h5ad and c.h5ad.

    python check_join.py FOLDER
"""

import sys
from pathlib import Path

import anndata as ad

folder = Path(sys.argv[1])
samples = {name: ad.read_h5ad(folder / f"{name}.h5ad") for name in "abc"}
for join in ("inner", "outer"):
    want = ad.concat(samples, join=join, label="sample", index_unique="-", fill_value=0)
    found = ad.read_h5ad(folder / f"{join}.h5ad")
    assert list(found.obs_names) == list(want.obs_names)
    assert list(found.var_names) == list(want.var_names)
    assert list(found.obs["sample"]) == list(want.obs["sample"])
    assert found.X.dtype == want.X.dtype and (found.X != want.X).nnz == 0
