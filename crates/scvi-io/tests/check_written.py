"""What the Rust tests cannot ask themselves: do h5py and anndata see what they should?

    python check_written.py copy KEY ORIGINAL COPY ...   each copy holds all of its original, and obsm[KEY]
    python check_written.py new FILE                     anndata reads it without a warning; prints it
"""

import contextlib
import sys
import warnings

import anndata as ad
import h5py
import numpy as np

with contextlib.suppress(ImportError):
    # For files whose filters are plugins.
    import hdf5plugin  # noqa: F401

warnings.simplefilter("error")
NEW = set()


def attributes(obj):
    out = {}
    for key in obj.attrs:
        value = obj.attrs[key]
        if isinstance(value, h5py.Empty):
            value = "empty"
        if isinstance(value, h5py.Reference):
            value = obj.file[value].name
        out[key] = (obj.attrs.get_id(key).dtype, obj.attrs.get_id(key).shape, value)
    return out


def same(x, y):
    try:
        return np.array_equal(x, y, equal_nan=True)
    except TypeError:
        return np.array_equal(x, y)


def compare(a, b, path=""):
    left, right = attributes(a), attributes(b)
    assert left.keys() == right.keys(), f"attributes of {path}: {left.keys() ^ right.keys()}"
    for key in left:
        assert left[key][:2] == right[key][:2], f"{path}@{key}: {left[key]} {right[key]}"
        assert same(left[key][2], right[key][2]), f"{path}@{key}: {left[key]} {right[key]}"
    if isinstance(a, h5py.Group):
        for key in (a.keys() ^ b.keys()):
            assert f"{path}/{key}" in NEW, f"{path}/{key} is in one file only"
        for key in a.keys() & b.keys():
            here = f"{path}/{key}"
            links = [group.get(key, getlink=True) for group in (a, b)]
            assert type(links[0]) is type(links[1]), f"{here}: {links}"
            assert vars(links[0]) == vars(links[1]), f"{here}: {links}"
            if here not in NEW and isinstance(links[0], h5py.HardLink):
                compare(a[key], b[key], here)
        return
    for name in ["dtype", "chunks", "compression", "compression_opts", "shuffle", "fletcher32"]:
        assert getattr(a, name) == getattr(b, name), f"{path}: {name}"
    if a.attrs.get("encoding-type") == "null":
        return
    assert a.shape == b.shape and a.maxshape == b.maxshape, path
    if a.shape is None:
        return
    try:
        values = a[()]
    except OSError:
        # Filters that are not installed, and files that are not there.
        return
    assert same(values, b[()]), f"values of {path}"


def opens(path):
    """The AnnData in a file, where anndata can read it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ad.read_h5ad(path)


mode, *args = sys.argv[1:]
if mode == "copy":
    key = args[0]
    for original, copy in zip(args[1::2], args[2::2], strict=True):
        with h5py.File(original) as a, h5py.File(copy) as b:
            NEW = {f"/obsm/{key}"} | ({"/obsm"} if "obsm" not in a else set())
            compare(a, b)
            assert b[f"obsm/{key}"].dtype == np.float32
            assert dict(b["obsm"].attrs) == {"encoding-type": "dict", "encoding-version": "0.1.0"}
            values = b[f"obsm/{key}"][()]
        try:
            opens(original)
        except Exception:
            # Numbers that scipy does not know, for instance: then h5py is the judge.
            pass
        else:
            values = opens(copy).obsm[key]
        assert values.shape == (7, 3), values.shape
        assert np.isnan(values[2]).all()
        assert values[6, 2] == 20.0
else:
    adata = ad.read_h5ad(args[0])
    print(adata.X.format, adata.X.dtype, adata.X.shape, float(adata.X.sum()))
    for key in adata.obs:
        print(key, adata.obs[key].dtype, [None if v is None or v != v else v for v in adata.obs[key].astype(object).where(adata.obs[key].notna(), None)])
    print({k: v.tolist() if hasattr(v, "tolist") else v for k, v in sorted(adata.uns.items())})
    print({k: v.shape for k, v in adata.obsm.items()}, list(adata.obs_names), list(adata.var))
