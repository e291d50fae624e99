"""Makes the small zarr stores beside it, with anndata 0.12 and zarr 3, from everything.h5ad.gz.

    python make_zarr_fixtures.py

A store is kept as one JSON object of its files, path to bytes in hexadecimal, compressed.
"""

import gzip
import json
import shutil
import tempfile
import warnings
from pathlib import Path

import anndata as ad
import numcodecs
import numpy as np
import scipy.sparse as sp
import zarr
import zarr.codecs as codecs

warnings.simplefilter("ignore")
ad.settings.allow_write_nullable_strings = True
HERE = Path(__file__).parent
TEMP = Path(tempfile.mkdtemp())


def pack(name):
    store = TEMP / name
    files = {str(p.relative_to(store)): p.read_bytes().hex() for p in sorted(store.rglob("*")) if p.is_file()}
    text = json.dumps(files).encode()
    (HERE / f"{name}.json.gz").write_bytes(gzip.compress(text, 9, mtime=0))


h5ad = TEMP / "everything.h5ad"
h5ad.write_bytes(gzip.decompress((HERE / "everything.h5ad.gz").read_bytes()))
everything = ad.read_h5ad(h5ad)
del everything.uns["rec"]
for version in (2, 3):
    ad.settings.zarr_write_format = version
    everything.write_zarr(TEMP / f"everything_v{version}.zarr", convert_strings_to_categoricals=False)
    pack(f"everything_v{version}.zarr")

# One matrix under every codec, in chunks of which the last ones are not full, one of them missing
# where all is zero, without consolidated metadata.
rng = np.random.default_rng(0)
counts = np.where(rng.random((40, 600)) < 0.03, rng.integers(1, 4, (40, 600)), 0).astype("f4")
counts[32:] = 0
CHUNKS = (16, 400)
V2 = {
    "none": dict(compressor=None),
    "gzip": dict(compressor=numcodecs.GZip(9)),
    "zlib": dict(compressor=numcodecs.Zlib(9)),
    "zstd": dict(compressor=numcodecs.Zstd(3)),
    "lz4": dict(compressor=numcodecs.LZ4()),
    "fortran": dict(compressor=numcodecs.GZip(9), order="F"),
    "big_endian": dict(compressor=numcodecs.GZip(9), dtype=">f8"),
    "half": dict(compressor=numcodecs.GZip(9), dtype="<f2"),
    "slashes": dict(compressor=numcodecs.GZip(9), chunk_key_encoding={"name": "v2", "separator": "/"}),
}
for cname in ["lz4", "lz4hc", "zlib", "zstd"]:
    for shuffle in [0, 1, 2]:
        V2[f"blosc_{cname}_{shuffle}"] = dict(compressor=numcodecs.Blosc(cname, 9, shuffle))
little = codecs.BytesCodec(endian="little")
V3 = {
    "none": dict(compressors=None),
    "gzip": dict(compressors=codecs.GzipCodec(level=9)),
    "zstd": dict(compressors=codecs.ZstdCodec(level=3, checksum=True)),
    "blosc": dict(compressors=codecs.BloscCodec(cname="zstd", clevel=9)),
    "big_endian": dict(compressors=codecs.GzipCodec(level=9), serializer=codecs.BytesCodec(endian="big")),
    "transposed": dict(compressors=codecs.GzipCodec(level=9), filters=[codecs.TransposeCodec(order=(1, 0))]),
    "v2_keys": dict(compressors=codecs.GzipCodec(level=9), chunk_key_encoding={"name": "v2", "separator": "."}),
    "two": dict(compressors=[codecs.GzipCodec(level=9), codecs.ZstdCodec(level=3)]),
}
for version, layers in [(2, V2), (3, V3)]:
    ad.settings.zarr_write_format = version
    name = f"codecs_v{version}.zarr"
    ad.AnnData(sp.csr_matrix(counts)).write_zarr(TEMP / name)
    group = zarr.open_group(TEMP / name, mode="r+", use_consolidated=False)["layers"]
    for key, kwargs in layers.items():
        kwargs = dict(shape=counts.shape, chunks=CHUNKS, dtype="f4", fill_value=0) | kwargs
        array = group.create_array(key, config={"write_empty_chunks": False}, **kwargs)
        array[:] = counts
        array.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    if version == 2:
        (TEMP / name / ".zmetadata").unlink()
    else:
        root = TEMP / name / "zarr.json"
        meta = json.loads(root.read_text())
        del meta["consolidated_metadata"]
        root.write_text(json.dumps(meta))
    pack(name)
shutil.rmtree(TEMP)
