"""What anndata and NumPy see of the files that normalize.rs has the command write.

    python check_normalized.py FOLDER
"""

import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

folder = Path(sys.argv[1])
genes = [f"gene {k}" for k in range(20)]
data = ad.read_h5ad(folder / "data.h5ad")

if (folder / "out.npy").exists():
    values = np.load(folder / "out.npy")
    assert values.shape == (60, 20) and values.dtype == "f4"
    np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-5)
    for ending, separator in [("csv", ","), ("tsv", "\t")]:
        table = pd.read_csv(folder / f"out.{ending}", sep=separator, index_col=0)
        assert list(table.index) == list(data.obs_names) and list(table.columns) == genes
        np.testing.assert_array_equal(table.to_numpy("f4"), values)
    store = ad.read_zarr(folder / "out.zarr")
    assert list(store.obs_names) == list(data.obs_names) and list(store.var_names) == genes
    np.testing.assert_array_equal(store.X, values)
    added = ad.read_h5ad(folder / "out.h5ad")
    np.testing.assert_array_equal(added.layers["scvi_normalized"], values)
    assert (added.X != data.X).nnz == 0 and added.obs.equals(data.obs)
    listed = ad.read_h5ad(folder / "genes.h5ad")
    assert list(listed.uns["X_normalized_scVI_genes"]) == ["gene 7", "gene 2"]
    np.testing.assert_array_equal(listed.obsm["X_normalized_scVI"], values[:, [7, 2]])

    arrays = np.load(folder / "p.npz")
    assert arrays.files == ["mean", "dispersions", "dropout"]
    added = ad.read_h5ad(folder / "p.h5ad")
    np.testing.assert_array_equal(added.layers["scvi_mean"], arrays["mean"])
    np.testing.assert_array_equal(added.layers["scvi_dropout"], arrays["dropout"])
    theta = np.broadcast_to(added.var["scvi_dispersions"], (60, 20))
    np.testing.assert_array_equal(theta, arrays["dispersions"])
    assert "scvi_dispersions" not in added.layers
elif (folder / "draws.npy").exists():
    draws = np.load(folder / "draws.npy")
    assert draws.shape == (7, 60, 20) and draws.dtype == "f4"
    added, store = ad.read_h5ad(folder / "draws.h5ad"), ad.read_zarr(folder / "draws.zarr")
    assert store.X is None and list(store.obs_names) == list(data.obs_names)
    names = [f"scvi_normalized_{draw}" for draw in range(7)]
    assert sorted(store.layers) == names and set(names) <= set(added.layers)
    for name, draw in zip(names, draws, strict=True):
        np.testing.assert_array_equal(added.layers[name], draw)
        np.testing.assert_array_equal(store.layers[name], draw)
else:
    added = ad.read_h5ad(folder / "other_normalize.h5ad")
    assert list(added.var_names) == genes[::-1] and added.n_obs == 61
    values = added.layers["scvi_normalized"]
    assert np.isnan(values[0]).all() and np.isfinite(values[1:]).all()
    np.testing.assert_allclose(values[1:].sum(axis=1), 1, rtol=1e-5)
    parameters = ad.read_h5ad(folder / "other_parameters.h5ad")
    mean = parameters.layers["scvi_mean"]
    totals = np.asarray(added.X.sum(axis=1)).ravel()[1:]
    np.testing.assert_allclose(mean[1:], values[1:] * totals[:, None], rtol=1e-5)
