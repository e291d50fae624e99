"""Columns of every type that categories come in."""

from __future__ import annotations

import numpy as np
import pandas as pd

_BIG = 2**53
_DAYS = ["2024-01-01", "2024-06-01"]
_TIMES = pd.to_datetime(_DAYS)

IN_FILES = {
    "text": ["0", "1", "2"],
    "text of floats": ["0.0", "1.0", "2.0"],
    "text of truth values": ["False", "True"],
    "odd text": ["", " a", "a, b", "ä\n'\"", "nan"],
    "int64": np.array([0, 1, 2]),
    "int8": np.array([0, 1, 2], np.int8),
    "uint64": np.array([0, 1, 2], np.uint64),
    "from one": np.array([1, 2]),
    "float64": np.array([0.0, 1.0, 2.0]),
    "float32": np.array([0.0, 1.0, 2.0], np.float32),
    "fractions of float64": np.array([0.1, 1.5]),
    "fractions of float32": np.array([0.1, 1.5], np.float32),
    "negative zero": np.array([-0.0, 1.0, 2.0]),
    "infinite": np.array([1.0, np.inf]),
    "bool": np.array([False, True]),
    "nullable int": pd.array([0, 1, 2], dtype="Int64"),
    "nullable bool": pd.array([False, True], dtype="boolean"),
    "nullable text": pd.array(["0", "1", "2"], dtype="string"),
    "categories of ints": pd.Categorical([0, 1, 2]),
    "categories of floats": pd.Categorical([0.0, 1.0, 2.0]),
    "categories of bools": pd.Categorical([False, True]),
    "categories of texts": pd.Categorical(["0", "1", "2"]),
    "ordered ints": pd.Categorical([2, 0, 1], categories=[2, 0, 1], ordered=True),
    "unused category": pd.Categorical([1, 2], categories=[0, 1, 2]),
    "large ints": np.array([_BIG, _BIG + 1]),
    "larger ints": np.array([_BIG + 1, _BIG + 5]),
    "large floats": np.array([float(_BIG), float(_BIG + 2)]),
    "a large float": np.array([float(_BIG)]),
    "largest ints": np.array([2**63, 2**64 - 1], np.uint64),
    "largest as floats": np.array([2.0**63, 2.0**64]),
    "negative ints": np.array([-(2**63), -1]),
    "texts of days": _DAYS,
    "texts of times": ["2024-01-01 00:00:00", "2024-06-01 00:00:00"],
    "texts of lengths": ["1 days", "2 days"],
    "nanoseconds": _TIMES.astype("datetime64[ns]").astype("int64").to_numpy(),
}
"""Those that a file of AnnData can hold."""

COLUMNS = {
    **IN_FILES,
    "nullable float": pd.array([0.0, 1.0, 2.0], dtype="Float64"),
    "objects of ints": np.array([0, 1, 2], object),
    "objects of floats": np.array([0.0, 1.0, 2.0], object),
    "objects of bools": np.array([False, True], object),
    "datetime64[ns]": _TIMES.astype("datetime64[ns]"),
    "datetime64[s]": np.array(_DAYS, "datetime64[s]"),
    "categories of times": pd.Categorical(_TIMES),
    "objects of times": np.array(list(_TIMES), object),
    "timedelta64[ns]": np.array([86400, 172800], "timedelta64[s]").astype("timedelta64[ns]"),
    "timedelta64[s]": np.array([86400, 172800], "timedelta64[s]"),
}


def cells(name: str, repeats: int = 4) -> pd.Series:
    """A column of some cells: its values, one after the other, several times."""
    return pd.concat([pd.Series(COLUMNS[name])] * repeats, ignore_index=True)
