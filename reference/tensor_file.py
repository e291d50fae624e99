"""Writes safetensors files, byte for byte the same for the same tensors."""

import json
import struct

import numpy as np

CODES = {"float64": "F64", "float32": "F32", "int64": "I64", "uint8": "U8"}


def to_bytes(tensors):
    """The safetensors file that holds `tensors`, a dict of names to numpy arrays.

    Wider types come first, and within a type names are sorted, so that every tensor is aligned.
    """
    names = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    header, offset, data = {}, 0, []
    for name in names:
        array = np.asarray(tensors[name], order="C")
        header[name] = {
            "dtype": CODES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
        data.append(array.tobytes())
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data)
