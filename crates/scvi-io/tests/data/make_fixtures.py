"""Makes the small .h5ad files beside it, with anndata 0.12, h5py 3 (the newest layouts: with 3.16,
which has HDF5 2.0) and hdf5plugin 7.

    python make_fixtures.py [folder] [name ...]

Names keep those files alone. Every matrix file holds the same 7 x 5 counts, so that one table in the tests checks them all.
"""

import gzip
import sys
import warnings
from pathlib import Path

import anndata as ad
import h5py
import hdf5plugin
import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.simplefilter("ignore")
OUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
ONLY = set(sys.argv[2:])
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


def changed(name, change, source="csr_float32", **kw):
    """A copy of another file, made anew where options of h5py.File are given, and then changed."""
    if kw:
        with h5py.File(OUT / f"{source}.h5ad") as old, h5py.File(OUT / f"{name}.h5ad", "w", **kw) as f:
            f.attrs.update(old.attrs)
            for key in old:
                old.copy(key, f)
    else:
        (OUT / f"{name}.h5ad").write_bytes((OUT / f"{source}.h5ad").read_bytes())
    with h5py.File(OUT / f"{name}.h5ad", "r+", libver=kw.get("libver")) as f:
        change(f)


def replaced(parent, key, data, **kw):
    """Stores a data set anew, with its attributes."""
    attrs = dict(parent[key].attrs) if key in parent else {}
    if key in parent:
        del parent[key]
    dataset = parent.create_dataset(key, data=data, **kw)
    dataset.attrs.update(attrs)
    return dataset


def array(parent, key, data, **kw):
    dataset = replaced(parent, key, data, **kw)
    dataset.attrs["encoding-type"] = "array"
    dataset.attrs["encoding-version"] = "0.2.0"


# Numbers that scipy or the machine do not know.
for kind, dtype in [("float16", "f2"), ("big_endian", ">f4"), ("longdouble", "g"), ("uint64", "u8")]:
    def change(f, dtype=dtype):
        replaced(f["X"], "data", f["X/data"][:].astype(dtype))
        if dtype.startswith(">"):
            replaced(f["X"], "indices", f["X/indices"][:].astype(">i4"))
            replaced(f["X"], "indptr", f["X/indptr"][:].astype(">i8"))

    changed(f"csr_{kind}", change)
    changed(f"dense_{kind}", lambda f: replaced(f, "X", f["X"][:].astype(dtype)), "dense_float32")

# Shapes and places as doubles, the way R has them.
def change(f):
    f["X"].attrs["shape"] = np.array(COUNTS.shape, dtype="f8")
    for key in ["indices", "indptr"]:
        replaced(f["X"], key, f["X"][key][:].astype("f8"))


changed("doubles", change)

# Genes that a cell holds several times, in no order.
for kind, make in [("csr", sp.csr_matrix), ("csc", sp.csc_matrix)]:
    X = make(COUNTS.astype("float32"))
    part = np.where(X.data > 1, 1, 0).astype("float32")
    repeats = np.repeat(np.arange(X.nnz), 2)[::-1]
    data = np.ravel(np.column_stack([X.data - part, part]))[::-1]
    lines = np.repeat(np.arange(len(X.indptr) - 1), np.diff(X.indptr))[repeats]
    order = np.argsort(lines, kind="stable")
    matrix(f"repeated_{kind}", make((data[order], X.indices[repeats][order], 2 * X.indptr), X.shape))


# Soft links to groups and data sets: by the root, relative, one after the other.
def change(f):
    f.create_group("store/deep")
    f.move("X", "store/deep/counts")
    f["store/alias"] = h5py.SoftLink("deep/counts")
    f["X"] = h5py.SoftLink("/store/alias")
    f.move("store/deep/counts/data", "values")
    f["store/deep/counts/data"] = h5py.SoftLink("/values")
    f.move("var", "genes")
    f["var"] = h5py.SoftLink("genes")
    f["layers/again"] = h5py.SoftLink("/store/./deep/counts")
    f["layers/same"] = f["store/deep/counts"]
    f["layers/gone"] = h5py.SoftLink("/nowhere")
    f["layers/round"] = h5py.SoftLink("/layers/round")
    f.move("obs/batch", "batch")
    f["obs/batch"] = h5py.SoftLink("/batch")


obs, var = frames()
obs["batch"] = pd.Categorical(list("ababbab"))
ad.AnnData(sp.csr_matrix(COUNTS.astype("float32")), obs=obs, var=var).write_h5ad(OUT / "batch.h5ad")
changed("soft_links", change, "batch")
changed("soft_links_latest", change, "batch", libver="latest")
(OUT / "batch.h5ad").unlink()
for libver in ["earliest", "latest"]:
    changed(f"user_block_{libver}", lambda f: None, libver=libver, userblock_size=1024)
    with open(OUT / f"user_block_{libver}.h5ad", "r+b") as f:
        f.write(b"#!/bin/sh\necho counts\n")
for persist in [False, True]:
    options = dict(fs_strategy="page", fs_page_size=512, fs_persist=persist)
    changed(f"paged_{'persistent' if persist else 'plain'}", lambda f: None, **options)

# Layouts and indices of chunks of every version of the format, each as a layer.
def low_level(f, key, chunk=None, layout=None, early=False):
    dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if chunk:
        dcpl.set_chunk(chunk)
    if layout is not None:
        dcpl.set_layout(layout)
    if early:
        dcpl.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space = h5py.h5s.create_simple(COUNTS.shape)
    dataset = h5py.h5d.create(f.id, key.encode(), h5py.h5t.IEEE_F32LE, space, dcpl)
    h5py.Dataset(dataset)[:] = COUNTS


def change(f):
    layers = f["layers"]
    low_level(layers, "compact", layout=h5py.h5d.COMPACT)
    low_level(layers, "implicit", chunk=(2, 3), early=True)
    for packed, options in [
        ("", {}),
        ("_gzip", {"compression": "gzip", "shuffle": True, "fletcher32": True}),
        ("_lzf", {"compression": "lzf"}),
        ("_zstd", {**hdf5plugin.Zstd(), "fletcher32": True}),
    ]:
        for key, chunk, grows in [
            ("single", (7, 5), None),
            ("fixed", (2, 3), None),
            ("extensible", (2, 3), (None, 5)),
            ("btree", (2, 3), (None, None)),
            ("btree_deep", (1, 1), (None, None)),
        ]:
            array(layers, key + packed, COUNTS.astype("float32"), chunks=chunk, maxshape=grows, **options)
    for key in ["fill", "fill_zstd"]:
        options = hdf5plugin.Zstd() if key == "fill_zstd" else {}
        dataset = layers.create_dataset(
            key, shape=COUNTS.shape, dtype=">f4", chunks=(2, 3), fillvalue=0, maxshape=(None, None), **options
        )
        dataset[:4, :3] = COUNTS[:4, :3]
        dataset[2:, 2:] = COUNTS[2:, 2:]
        dataset[:2, 3:] = COUNTS[:2, 3:]


for libver in ["earliest", "v110", "latest"]:
    changed(f"layouts_{libver}", change, libver=(libver, libver if libver == "v110" else "latest"))

# Everything compressed by filters that h5py reads with plugins: names of cells and genes, too.
matrix("plugin_zstd", sp.csr_matrix(COUNTS.astype("float32")), **hdf5plugin.Zstd())
matrix("plugin_lz4", sp.csc_matrix(COUNTS.astype("float32")), **hdf5plugin.LZ4())
matrix("plugin_bitshuffle", COUNTS.astype("float32"), **hdf5plugin.Bitshuffle(cname="zstd"))

# Numbers enough for every filter to have something to do, each as a layer beside X.
rng = np.random.default_rng(0)
X = rng.poisson(rng.gamma(0.3, 4, (1, 24)), (90, 24)).astype("int16")
obs, var = (pd.DataFrame(index=[f"{what}{i}" for i in range(n)]) for what, n in [("cell", 90), ("gene", 24)])
ad.AnnData(X, obs=obs, var=var).write_h5ad(OUT / "codecs.hdf5")
with h5py.File(OUT / "codecs.hdf5", "r+") as f:
    filters = {
        "zstd": dict(hdf5plugin.Zstd()),
        "zstd_shuffle": {**hdf5plugin.Zstd(), "shuffle": True, "fletcher32": True},
        "lz4": dict(hdf5plugin.LZ4()),
        "lz4_blocks": dict(hdf5plugin.LZ4(nbytes=512)),
        **{
            f"bitshuffle_{name}_{n}": dict(hdf5plugin.Bitshuffle(nelems=n, cname=name))
            for name in ["none", "lz4", "zstd"]
            for n in [0, 64]
        },
        **{
            f"blosc_{name}_{shuffle}": dict(hdf5plugin.Blosc(cname=name, shuffle=shuffle))
            for name in ["blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"]
            for shuffle in [0, 1, 2]
        },
    }
    for key, options in filters.items():
        # 7 x 24 values are no multiple of eight elements in the last chunk only.
        array(f["layers"], key, X, chunks=(43, 23), **options)

# What is not read, each as a layer: the others are.
def change(f):
    layers = f["layers"]
    layers["other_file"] = h5py.ExternalLink("counts.h5", "/X")
    outside = layers.create_dataset(
        "external", shape=COUNTS.shape, dtype="f4", external=[("counts.bin", 0, h5py.h5f.UNLIMITED)]
    )
    assert outside.external
    layout = h5py.VirtualLayout(shape=COUNTS.shape, dtype="f4")
    layout[:] = h5py.VirtualSource("counts.h5", "X", shape=COUNTS.shape)
    layers.create_virtual_dataset("virtual", layout)
    counts = COUNTS.astype("int32")
    array(layers, "szip", counts, chunks=(7, 5), compression="szip")
    array(layers, "bzip2", counts, chunks=(7, 5), **hdf5plugin.BZip2())
    array(layers, "blosc2", counts, chunks=(7, 5), **hdf5plugin.Blosc2())
    array(layers, "zfp", counts, chunks=(7, 5), **hdf5plugin.Zfp(reversible=True))


changed("refused", change)

# Strings and attributes written again in place, and again.
def change(f):
    for turn in range(12):
        for group, names in [("obs", CELLS), ("var", GENES)]:
            f[group].attrs["_index"] = "_index"
            f[group].attrs["encoding-type"] = "dataframe"
            f[f"{group}/_index"][...] = [f"{name}{'x' * ((3 * turn + i) % 11)}" for i, name in enumerate(names)]
    f["obs/_index"][...] = CELLS
    f["var/_index"][...] = GENES


changed("rewritten", change)


# Columns of unusual types.
def change(f):
    columns = {
        "half": np.arange(7).astype("f2") / 2,
        "big_endian": np.arange(7).astype(">f4"),
        "big_endian_int": -np.arange(7).astype(">i2"),
        "longdouble": np.arange(7).astype("g") / 4,
        "spaces": np.array([b"a ", b"b", b"a ", b"b", b"a ", b"b", b"c"]),
    }
    for key, values in columns.items():
        array(f["obs"], key, values)
    array(f["obs"], "enum", np.arange(7) % 3, dtype=h5py.enum_dtype({"x": 0, "y": 1, "z": 2}, "i4"))
    array(f["obs"], "ascii", np.array(list("ababbab"), dtype=object), dtype=h5py.string_dtype("ascii"))
    array(f["obs"], "complex", np.arange(7) * 1j)
    array(f["obs"], "compound", np.array([(i, i / 2) for i in range(7)], dtype=[("a", "i4"), ("b", "f8")]))
    array(f["obs"], "latin", np.array([b"Z\xfcrich"] * 7))
    f["obs"].attrs["column-order"] = sorted(set(f["obs"]) - {"_index"})


changed("columns", change)

# HDF5 files of this size are mostly padding: they are kept compressed.
for path in sorted([*OUT.glob("*.h5ad"), *OUT.glob("*.h5"), *OUT.glob("*.hdf5")]):
    if not ONLY or path.name in ONLY:
        Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    path.unlink()
