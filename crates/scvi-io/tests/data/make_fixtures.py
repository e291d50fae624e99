"""Makes the small .h5ad files beside it, with anndata 0.12 and h5py 3.

    python make_fixtures.py [folder]

Every matrix file holds the same 7 x 5 counts, so that one table in the tests checks them all.
"""

import gzip
import sys
import warnings
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.simplefilter("ignore")
OUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
COUNTS = np.array(
    [
        [0, 3, 0, 0, 1],
        [2, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 1, 7, 0, 0],
        [5, 0, 0, 0, 200],
        [0, 0, 1, 0, 0],
        [1, 2, 3, 0, 4],
    ]
)
CELLS = [f"cell{i}" for i in range(7)]
GENES = [f"gene{i}" for i in range(5)]
STRINGS = np.array(["x", "zebra", "é", "x", "B", "a", ""], dtype=object)
NULL_STRINGS = ["p", None, "q", "p", "p", "q", "q"]


def frames():
    return pd.DataFrame(index=CELLS), pd.DataFrame(index=GENES)


def matrix(name, X, **kw):
    obs, var = frames()
    ad.AnnData(X, obs=obs, var=var).write_h5ad(OUT / f"{name}.h5ad", **kw)


for dtype in ["float32", "float64", "int32", "int64", "uint8"]:
    for kind, make in [("csr", sp.csr_matrix), ("csc", sp.csc_matrix), ("dense", np.asarray)]:
        matrix(f"{kind}_{dtype}", make(COUNTS.astype(dtype)))
for comp in ["gzip", "lzf"]:
    for kind, make in [("csr", sp.csr_matrix), ("csc", sp.csc_matrix), ("dense", np.asarray)]:
        matrix(f"{kind}_{comp}", make(COUNTS.astype("float32")), compression=comp)

# All kinds of obs columns, and everything a copy has to carry along.
obs, var = frames()
cat = pd.Categorical(["b", "a", "b", None, "c", "a", "b"], categories=["c", "b", "a", "unused"])
obs["cat"] = cat
obs["cat_ordered"] = pd.Categorical(
    ["lo", "hi", "lo", "lo", "hi", "hi", "lo"], categories=["lo", "hi"], ordered=True
)
obs["cat_int"] = pd.Categorical([10, 2, 10, 2, 10, 10, 2])
obs["cat_float"] = pd.Categorical([0.5, 2.0, 0.5, 2.0, 0.5, 0.5, 2.0])
obs["cat_bool"] = pd.Categorical([True, False, True, True, False, True, False])
obs["string"] = STRINGS
obs["bool"] = [True, False, True, True, False, False, True]
obs["int"] = np.array([3, -1, 10, 3, 3, 2, 10], dtype="int64")
obs["uint8"] = np.array([3, 1, 10, 3, 3, 2, 10], dtype="uint8")
obs["float"] = [0.5, 1.0, np.nan, 1e-7, 1e16, 0.1, 2.0]
obs["float32"] = np.array([0.1, 1, 2, 3, 4, 5, 6], dtype="float32")
obs["null_int"] = pd.array([1, None, 3, 1, 2, 2, 1], dtype="Int64")
obs["null_bool"] = pd.array([True, None, False, True, True, False, False], dtype="boolean")
obs["null_string"] = pd.array(NULL_STRINGS, dtype="string")
var["highly_variable"] = [True, False, True, True, False]
adata = ad.AnnData(sp.csr_matrix(COUNTS.astype("float32")), obs=obs, var=var)
adata.layers["counts"] = sp.csr_matrix(COUNTS.astype("int64"))
adata.layers["dense"] = COUNTS.astype("float32")
adata.layers["csc"] = sp.csc_matrix(COUNTS.astype("float64"))
adata.layers["bad_negative"] = np.where(COUNTS == 7, -7, COUNTS).astype("float32")
adata.layers["bad_nan"] = sp.csr_matrix(np.where(COUNTS == 7, np.nan, COUNTS))
adata.layers["bad_inf"] = sp.csc_matrix(np.where(COUNTS == 7, np.inf, COUNTS))
adata.layers["bad_huge"] = sp.csr_matrix(np.where(COUNTS == 7, 1e300, COUNTS))
adata.raw = adata.copy()
adata.obsm["X_pca"] = np.arange(14, dtype="float64").reshape(7, 2)
adata.obsm["frame"] = pd.DataFrame({"u": range(7), "v": list("abcdefg")}, index=CELLS)
adata.obsm["sparse"] = sp.csr_matrix(np.eye(7, 3))
adata.varm["PCs"] = np.ones((5, 2))
adata.obsp["distances"] = sp.csr_matrix(np.eye(7))
adata.varp["cov"] = np.eye(5)
adata.uns = {
    "nested": {"deep": {"value": 1, "name": "text", "flag": True, "list": np.array(["a", "bc"])}},
    "empty": np.zeros((0,)),
    "empty_strings": np.array([], dtype=object),
    "empty_dict": {},
    "rec": np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i4"), ("b", "f8")]),
    "none": None,
    "frame": pd.DataFrame({"k": [1, 2]}, index=["r", "s"]),
    "colors": np.array(["#ff0000", "#00ff00"]),
    "unicode": "Zürich µ",
}
ad.settings.allow_write_nullable_strings = True
adata.write_h5ad(OUT / "everything.h5ad")
adata.write_h5ad(OUT / "everything_gzip.h5ad", compression="gzip")
# write_h5ad turns columns of strings into categories: these two put back what they were.
for name in ["everything", "everything_gzip"]:
    with h5py.File(OUT / f"{name}.h5ad", "r+") as f:
        del f["obs/string"], f["obs/null_string"]
        ad.io.write_elem(f["obs"], "string", STRINGS)
        ad.io.write_elem(f["obs"], "null_string", pd.array(NULL_STRINGS, dtype="string"))
        # Fixed-width bytes, as other writers of AnnData files leave them.
        f["obs"].create_dataset("fixed", data=np.array([b"t1", b"t10", b"t1", b"", b"t2", b"t2", b"t1"]))
        f["obs"].attrs["column-order"] = [*f["obs"].attrs["column-order"], "fixed"]

# The same in the newest file format: version 3 superblock, groups with dense links.
with h5py.File(OUT / "everything_latest.h5ad", "w", libver="latest") as new:
    with h5py.File(OUT / "everything.h5ad") as old:
        for key, value in old.attrs.items():
            new.attrs[key] = value
        for key in old:
            old.copy(key, new)

# A group of many embeddings: dense links in the group that is edited.
many = ad.AnnData(sp.csr_matrix(COUNTS.astype("float32")), *frames())
for i in range(12):
    many.obsm[f"X_{i}"] = np.full((7, 2), i, dtype="float32")
many.write_h5ad(OUT / "many_obsm_plain.h5ad")
with h5py.File(OUT / "many_obsm_latest.h5ad", "w", libver="latest") as new:
    with h5py.File(OUT / "many_obsm_plain.h5ad") as old:
        for key, value in old.attrs.items():
            new.attrs[key] = value
        for key in old:
            old.copy(key, new)
(OUT / "many_obsm_plain.h5ad").unlink()

# The layout of anndata 0.7: codes with a reference to __categories; no encoding of arrays.
with h5py.File(OUT / "legacy_0_7.h5ad", "w") as f:
    x = f.create_group("X")
    csr = sp.csr_matrix(COUNTS.astype("float32"))
    x.attrs["encoding-type"] = "csr_matrix"
    x.attrs["encoding-version"] = "0.1.0"
    x.attrs["shape"] = np.array(COUNTS.shape)
    for k in ["data", "indices", "indptr"]:
        x[k] = getattr(csr, k)
    for group, names in [("obs", CELLS), ("var", GENES)]:
        g = f.create_group(group)
        g.attrs["_index"] = "index"
        g.attrs["encoding-type"] = "dataframe"
        g.attrs["encoding-version"] = "0.1.0"
        g.attrs["column-order"] = np.array(["batch", "n"] if group == "obs" else [], dtype=object) if group == "obs" else np.zeros(0)
        g.create_dataset("index", data=np.array(names, dtype=object), dtype=h5py.string_dtype())
    obs_group = f["obs"]
    obs_group["n"] = np.arange(7)
    obs_group["batch"] = np.array([0, 1, 1, 0, -1, 1, 0], dtype="int8")
    cats = obs_group.create_group("__categories")
    cats.create_dataset("batch", data=np.array(["q", "p"], dtype=object), dtype=h5py.string_dtype())
    cats["batch"].attrs["ordered"] = False
    obs_group["batch"].attrs["categories"] = cats["batch"].ref

# The sparse layout of anndata 0.6 (h5sparse_format), obs as a compound table.
with h5py.File(OUT / "legacy_0_6.h5ad", "w") as f:
    x = f.create_group("X")
    x.attrs["h5sparse_format"] = "csr"
    x.attrs["h5sparse_shape"] = np.array(COUNTS.shape)
    for k in ["data", "indices", "indptr"]:
        x[k] = getattr(csr, k)
    f["obs"] = np.array([(c.encode(), i) for i, c in enumerate(CELLS)], dtype=[("index", "S5"), ("n", "i8")])
    f["var"] = np.array([(g.encode(),) for g in GENES], dtype=[("index", "S5")])
# The same matrix layout beside obs and var of 0.7, as h5sparse users wrote it.
with h5py.File(OUT / "h5sparse.h5ad", "w") as f:
    with h5py.File(OUT / "legacy_0_6.h5ad") as old, h5py.File(OUT / "legacy_0_7.h5ad") as newer:
        old.copy("X", f)
        newer.copy("obs", f)
        f["obs/batch"].attrs["categories"] = f["obs/__categories/batch"].ref
        newer.copy("var", f)

# Shuffle and checksum filters, chunks smaller than the matrix.
with h5py.File(OUT / "filters.h5ad", "w") as f:
    with h5py.File(OUT / "dense_float32.h5ad") as old:
        for key, value in old.attrs.items():
            f.attrs[key] = value
        for key in old:
            if key != "X":
                old.copy(key, f)
    d = f.create_dataset(
        "X", data=COUNTS.astype("float32"), chunks=(2, 3), shuffle=True, fletcher32=True, compression="gzip"
    )
    d.attrs["encoding-type"] = "array"
    d.attrs["encoding-version"] = "0.2.0"

# HDF5, but no AnnData.
with h5py.File(OUT / "not_anndata.h5", "w") as f:
    f["matrix"] = COUNTS

# HDF5 files of this size are mostly padding: they are kept compressed.
for path in sorted([*OUT.glob("*.h5ad"), *OUT.glob("*.h5")]):
    Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    path.unlink()
