"""Reads a zarr store with anndata: what was added is there, and the rest as it was."""

import sys
import warnings

import anndata as ad
import numpy as np

warnings.simplefilter("ignore")
what, *paths = sys.argv[1:]
files = [ad.read_zarr(path) for path in paths]
new = files[-1]
if what == "one":
    assert np.array_equal(new.obsm["X_scVI"], np.full((40, 1), 0.5, "f4"))
    sys.exit()
old = files[0]
dense = lambda x: x.toarray() if hasattr(x, "toarray") else x
if what == "added":
    assert np.array_equal(new.obsm["X_scVI"], np.arange(14, dtype="f4").reshape(7, 2))
    assert np.array_equal(new.layers["counts"], np.arange(35, dtype="f4").reshape(7, 5))
    assert list(new.uns["genes"]) == ["a", "é"] and new.uns["word"] == "text"
    assert new.uns["size"] == 0.5 and new.uns["n"] == -3 and list(new.uns["sizes"]) == [1, 2]
    assert list(new.obs["label"].astype(object).fillna("-")) == ["é", "b", "é", "-", "é", "b", "é"]
    assert list(new.obs["library"]) == [1] * 7 and list(new.var["dispersion"]) == [2] * 5
    assert np.array_equal(dense(new.X), dense(old.X))
    assert new.raw is not None
else:
    assert new.uns["_scvi_adata_minify_type"] == what
    assert np.array_equal(new.obsm["scvi_latent_qzm"], np.arange(14, dtype="f4").reshape(7, 2))
    assert list(new.obs["observed_lib_size"]) == [3] * 7
    keeps = what.endswith("with_counts")
    assert np.array_equal(dense(new.X), dense(old.X) if keeps else np.zeros((7, 5)))
    assert (new.raw is not None) == keeps
assert new.obs[old.obs.columns].equals(old.obs) and new.var[old.var.columns].equals(old.var)
assert set(old.uns) <= set(new.uns) and set(old.obsm) <= set(new.obsm)
assert set(old.layers) == set(new.layers)
assert np.array_equal(new.varm["PCs"], old.varm["PCs"])
