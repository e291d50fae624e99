"""What anndata and NumPy see of the files that rows.rs writes.

    python check_rows.py h5ad ORIGINAL COPY ...     matrices, names and columns that were added
    python check_rows.py formats FOLDER    a.npy, a.npz, a.csv, a.tsv, a.zarr
    python check_rows.py chunks STORE      a zarr store of several chunks
"""

import contextlib
import sys
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd

with contextlib.suppress(ImportError):
    # For files whose filters are plugins.
    import hdf5plugin  # noqa: F401


def expected(matrix, columns):
    """100 matrix + 10 cell + column, and NaN for the third of seven cells."""
    values = 100 * matrix + 10 * np.arange(7)[:, None] + np.arange(columns)
    values = values.astype("f4")
    values[2] = np.nan
    return values


def equal(found, matrix, columns):
    found = np.asarray(found)
    assert found.dtype == "f4", found.dtype
    np.testing.assert_array_equal(found, expected(matrix, columns))


def opens(path):
    """Whether anndata reads the file; of numbers that scipy does not know h5py is the judge."""
    try:
        ad.read_h5ad(path)
    except Exception:
        return False
    return True


kind, *paths = sys.argv[1:]
if kind == "h5ad":
    for original, path in zip(paths[::2], paths[1::2], strict=True):
        # What h5py says of the file's end, and whether it can go on writing to it.
        with h5py.File(path, "r+") as file:
            file["layers"].create_dataset("more", data=np.ones(1000))
        with h5py.File(path) as file:
            equal(file["layers/scvi_a"], 0, 5)
            equal(file["obsm/X_b"], 1, 2)
            equal(file["layers/scvi_c"], 2, 5)
        if not opens(original):
            continue
        with h5py.File(path, "r+") as file:
            del file["layers/more"]
        adata = ad.read_h5ad(path)
        equal(adata.layers["scvi_a"], 0, 5)
        equal(adata.obsm["X_b"], 1, 2)
        equal(adata.layers["scvi_c"], 2, 5)
        assert list(adata.uns["genes_b"]) == ["x", "ü"], path
        assert adata.obs.columns[-1] == "scvi_size" and list(adata.obs["scvi_size"]) == [*range(7)]
        assert adata.var.columns[-1] == "scvi_theta" and list(adata.var["scvi_theta"]) == [*range(5)]
elif kind == "formats":
    folder = Path(paths[0])
    names = [f'cell "{k}", ü' for k in range(7)]
    equal(np.load(folder / "a.npy"), 0, 5)
    arrays = np.load(folder / "a.npz")
    assert arrays.files == ["mean", "dropout", "two"]
    equal(arrays["mean"], 0, 5)
    equal(arrays["dropout"], 1, 5)
    equal(arrays["two"], 2, 2)
    assert arrays.zip.testzip() is None
    for ending, separator in [("csv", ","), ("tsv", "\t")]:
        table = pd.read_csv(folder / f"a.{ending}", sep=separator, index_col=0, dtype={1: "f4"})
        np.testing.assert_array_equal(table, expected(0, 5))
        assert list(table.index) == names and table.index.name == "cell"
    adata = ad.read_zarr(folder / "a.zarr")
    equal(adata.X, 0, 5)
    assert list(adata.obs_names) == names
    assert list(adata.var_names) == [f"gene{k}" for k in range(5)]
elif kind == "chunks":
    adata = ad.read_zarr(paths[0])
    found = adata.X
    assert found.shape == (10, 300_000)
    np.testing.assert_array_equal(found, np.arange(300_000)[None] * 10 + np.arange(10)[:, None])
else:
    sys.exit(__doc__)
