"""Writes an AnnData that holds everything, and compares copies with some of its cells to `adata[rows]`.

    python check_subset.py write DIR    writes all*.h5ad and all*.zarr; prints the rows
    python check_subset.py check DIR    compares some*.h5ad and some*.zarr
"""

import sys
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.simplefilter("ignore")
what, folder = sys.argv[1], Path(sys.argv[2])
N, GENES = 500, 40
ROWS = np.flatnonzero(np.random.default_rng(1).random(N) < 0.7)


def everything():
    rng = np.random.default_rng(0)
    counts = sp.csr_matrix(rng.poisson(0.4, (N, GENES)).astype("f4"))
    adata = ad.AnnData(counts)
    adata.layers["csc"] = counts.tocsc().astype("i8")
    adata.layers["dense"] = counts.toarray().astype("f8") / 3
    adata.layers["integers"] = counts.astype("u2")
    adata.raw = adata.copy()
    adata.obs["number"] = rng.random(N)
    adata.obs["small"] = rng.integers(0, 100, N).astype("i1")
    adata.obs["bool"] = rng.random(N) < 0.5
    adata.obs["text"] = [f"é{i}" for i in range(N)]
    adata.obs["category"] = pd.Categorical(rng.choice(["b", "a", "c"], N), ordered=True)
    adata.obs["unused"] = pd.Categorical(["x"] * N, categories=["x", "never"])
    adata.obs["nullable"] = pd.array([None if i % 7 == 0 else i for i in range(N)], dtype="Int32")
    adata.obs["maybe"] = pd.array([None if i % 5 == 0 else i % 2 == 0 for i in range(N)], dtype="boolean")
    adata.obsm["pca"] = rng.random((N, 3)).astype("f4")
    adata.obsm["cube"] = rng.random((N, 2, 3))
    adata.obsm["sparse"] = sp.csr_matrix(rng.poisson(0.2, (N, 6)).astype("f8"))
    adata.obsm["frame"] = pd.DataFrame({"a": rng.random(N), "b": list("xyzzy" * (N // 5))}, index=adata.obs_names)
    adata.obsp["csr"] = sp.random(N, N, 0.05, "csr", rng=rng)
    adata.obsp["csc"] = sp.random(N, N, 0.05, "csc", rng=rng)
    adata.obsp["dense"] = rng.random((N, N)).astype("f4")
    adata.varm["loadings"] = rng.random((GENES, 2))
    adata.varp["genes"] = sp.random(GENES, GENES, 0.1, "csr", rng=rng)
    adata.uns["nested"] = {"list": ["a", "b"], "number": 3, "array": np.arange(N)}
    return adata


def same(a, b, place):
    assert type(a) is type(b), (place, type(a), type(b))
    if sp.issparse(a):
        assert a.format == b.format and a.dtype == b.dtype and a.shape == b.shape, place
        assert (a != b).nnz == 0, place
    elif isinstance(a, pd.DataFrame):
        pd.testing.assert_frame_equal(a, b)
    else:
        assert a.dtype == b.dtype and np.array_equal(a, b), place


if what == "write":
    adata = everything()
    adata.write_h5ad(folder / "all.h5ad")
    adata.write_h5ad(folder / "all_gzip.h5ad", compression="gzip")
    for version in (2, 3):
        ad.settings.zarr_write_format = version
        adata.write_zarr(folder / f"all_v{version}.zarr")
    print(*ROWS)
    sys.exit()

for path in sorted(folder.glob("some*")):
    read = ad.read_zarr if path.suffix == ".zarr" else ad.read_h5ad
    found = read(path)
    whole = read(path.parent / path.name.replace("some", "all"))
    # Slices of a view drop categories without a cell; files keep them.
    categories = {key: whole.obs[key].cat.categories for key in ("category", "unused")}
    want = whole[ROWS].copy()
    for key, names in categories.items():
        want.obs[key] = want.obs[key].cat.set_categories(names)
    pd.testing.assert_frame_equal(found.obs, want.obs)
    pd.testing.assert_frame_equal(found.var, want.var)
    same(found.X, want.X, "X")
    same(found.raw.X, whole.raw.X[ROWS], "raw/X")
    for slot in ("layers", "obsm", "obsp", "varm", "varp"):
        a, b = getattr(found, slot), getattr(want, slot)
        assert set(a) == set(b), slot
        for key in a:
            same(a[key], b[key], f"{path.name}: {slot}/{key}")
    assert found.uns["nested"]["number"] == 3
    assert np.array_equal(found.uns["nested"]["array"], np.arange(N))
