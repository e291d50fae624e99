"""Writes saves as other versions of numpy and pandas write them, with those of this interpreter.

    python reference/pickles.py NAME [PROTOCOL]

Needs numpy and pandas alone: torch and scvi-tools are of no interest here, so that there are no
tensors, and the container is made by zipfile. Writes reference/saves/NAME/model.pt. Those there
are: pandas_1.2 (numpy 1.20), pandas_1.5 (1.23), pandas_2.0 (1.24), pandas_2.2 (1.26), pandas_3.0
(2.5, without pyarrow), pandas_3.0_pyarrow (2.5, with it), and protocol_5 (as the last, in pickle's
protocol 5).
"""

import pickle
import sys
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd


def history():
    """Tables as scvi-tools and Lightning leave them, and with several kinds of columns."""
    epochs = pd.RangeIndex(3, name="epoch")
    objects = pd.DataFrame(index=pd.Index([0, 1, 2], name="epoch"), columns=["elbo_train"])
    objects["elbo_train"] = np.array([3.5, np.float32(2.5), None], dtype=object)
    return {
        "train_loss": pd.DataFrame({"train_loss": [1.5, 2.5]}, index=pd.Index([0, 1], name="epoch")),
        "elbo_train": objects,
        "kl_weight": pd.DataFrame({"kl_weight": [0.0, 0.25, 0.5]}, index=epochs),
        "steps": pd.Series([1, 2], index=pd.Index([10, 20], name="step"), name="steps"),
        "floats": pd.DataFrame({"floats": [1.0]}, index=pd.Index([3.0])),
    }


def attributes():
    mixed = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5], "c": ["x", "y"], "d": [3, 4]})
    return {
        "registry_": {
            "scvi_version": "1.0.0",
            "model_name": "SCVI",
            "setup_args": {"layer": None},
            "field_registries": defaultdict(dict),
        },
        "init_params_": {"n_hidden": np.int64(8), "model_kwargs": {"dropout_rate": np.float32(0.5)}},
        "history_": history(),
        "is_trained_": np.bool_(True),
        "train_indices_": np.array([2, 0], dtype=np.int32),
        "mixed_": mixed,
        "texts_": np.array(["ab", "ç"]),
        "ascii_": np.array([b"ab", b"c"]),
        "bools_": np.array([True, False]),
        "half_": np.array([[1.5, -2.0]], dtype=np.float16),
        "columns_first_": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "big_endian_": np.array([1, -2], dtype=">i2"),
        "unsigned_": np.array([255], dtype=np.uint8),
        "objects_": np.array(["a", 1, None], dtype=object),
        "nothing_": np.array([], dtype=object),
        "index_": pd.Index(["p", "q"], name="letters"),
        "strings_": pd.Series(["s", None], dtype="string", name="strings"),
        "values_": [1, -1, 300, 70_000, 2**40, -(2**40), 1.25, "ü", b"\x00\xff", (), {1, 2}],
        "ordered_": OrderedDict(b=1, a=frozenset()),
    }


def main(name, protocol=2):
    folder = Path(__file__).resolve().parent / "saves" / name
    folder.mkdir(parents=True, exist_ok=True)
    save = {
        "model_state_dict": OrderedDict(),
        "var_names": np.array(["gene a", "gene b"], dtype=object),
        "attr_dict": attributes(),
    }
    with zipfile.ZipFile(folder / "model.pt", "w") as file:
        # An entry without a time, so that the same bytes come out.
        entry = zipfile.ZipInfo("archive/data.pkl")
        file.writestr(entry, pickle.dumps(save, int(protocol)), zipfile.ZIP_DEFLATED)
    print(name, pd.__version__, np.__version__)


if __name__ == "__main__":
    main(*sys.argv[1:])
