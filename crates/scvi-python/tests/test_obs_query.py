"""Queries over obs: the command's language selects what pandas selects, or refuses.

Random queries over columns of every type that a file holds are answered by pandas, from what anndata
reads, and by the engine, from the same file. Where the engine answers it is with the same cells.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import warnings
from collections import Counter
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from anndata.io import write_elem
from support import command

N_CELLS = 48
N_QUERIES = 1000
PROGRAM = Path(command() or "scvi").parent / "examples" / "obs_query"
pytestmark = pytest.mark.skipif(
    not PROGRAM.is_file(), reason="no obs_query: cargo build -p scvi-io --example obs_query"
)

# Values of each kind of column; constants of queries are drawn from them too.
TEXTS = [
    "",
    "a",
    "b",
    "B",
    "ab",
    "day2",
    "day10",
    "10",
    "é",
    "日本",
    "it's",
    'say "x"',
    "x\\y",
    "\t",
]
INTEGERS = [0, 1, 2, 3, 10, 15, 100, -1, -128, 127]
LARGE = [2**53, 2**53 + 1, -(2**53) - 1, 2**62, 2**63 - 1, -(2**63)]
FLOATS = [0.0, -0.0, 0.1, 0.5, 1.0, 2.0, 2.5, 10.0, -1.0, 1e16, 16777216.0, float("inf"), -1e-7]

# Words that a slip may put into a query.
WORDS = [
    *[
        "and",
        "or",
        "not",
        "in",
        "is",
        "&",
        "|",
        "~",
        "(",
        ")",
        "[",
        "]",
        ",",
        "=",
        "==",
        "!=",
        "<",
        ">=",
    ],
    *[
        "-",
        "+",
        "*",
        ".",
        "@",
        "#",
        ";",
        ":",
        "{",
        "None",
        "True",
        "inf",
        "1",
        "2.5",
        "01",
        "0x1",
        "1_0",
    ],
    *[
        "'a'",
        "b'a'",
        "r'a'",
        "f'a'",
        "'",
        "`",
        "\\",
        "i8",
        "flag",
        "text",
        "stage",
        "`odd flag`",
        "()",
    ],
]


def obs(seed: int = 0) -> pd.DataFrame:
    """A column of every type, with missing values where the type has them."""
    rng = np.random.default_rng(seed)

    def pick(values: list, missing: float = 0.0) -> list:
        chosen = [values[k] for k in rng.integers(len(values), size=N_CELLS)]
        return [None if rng.random() < missing else value for value in chosen]

    def categories(values: list, dtype: object, *, ordered: bool = False) -> pd.Categorical:
        kept = pd.Index(np.array(values, dtype=dtype))
        codes = rng.integers(-1, len(kept), size=N_CELLS)
        return pd.Categorical.from_codes(codes, kept, ordered=ordered)

    return pd.DataFrame(
        {
            "i8": np.array(pick(INTEGERS), "i1"),
            "i16": np.array(pick(INTEGERS), "i2"),
            "i32": np.array(pick(INTEGERS), "i4"),
            "i64": np.array(pick(INTEGERS + LARGE), "i8"),
            "u8": np.array(pick([abs(n) for n in INTEGERS]), "u1"),
            "u16": np.array(pick([abs(n) for n in INTEGERS]), "u2"),
            "u64": np.array(pick([0, 1, 2, 2**53, 2**53 + 1, 2**63 - 1]), "u8"),
            "f32": np.array(pick([*FLOATS, np.nan]), "f4"),
            "f64": np.array(pick([*FLOATS, np.nan]), "f8"),
            "flag": np.array(pick([True, False])),
            "odd flag": np.array(pick([True, False])),
            "text": np.array(pick(TEXTS), dtype=object),
            "other_text": np.array(pick(TEXTS), dtype=object),
            "null_int": pd.array(pick(INTEGERS, 0.3), "Int64"),
            "null_u8": pd.array(pick([0, 1, 2, 3], 0.3), "UInt8"),
            "null_large": pd.array(pick([1, *LARGE], 0.3), "Int64"),
            "null_flag": pd.array(pick([True, False], 0.3), "boolean"),
            "null_text": pd.array(pick(TEXTS, 0.3), "string"),
            "cat": categories(["b", "a", "day2", "day10", "it's"], object),
            "same_cat": categories(["day10", "a", "b", "it's", "day2"], object),
            "stage": categories(["day2", "day10", "day1", "unused"], object, ordered=True),
            "last_stage": categories(["day2", "day10", "day1", "unused"], object, ordered=True),
            "plate": categories([10, 2, 100, 3], np.int64),
            "rank": categories([3, 1, 2], np.int32, ordered=True),
            "dose": categories([0.5, 0.1, 2.0], np.float64),
            "dose32": categories([0.5, 0.1, 2.0], np.float32),
            "level": categories([2.5, 0.1, 1.0], np.float64, ordered=True),
            "cat_flag": categories([False, True], bool),
            "n genes-x": np.array(pick(INTEGERS), "i8"),
            "größe": np.array(pick(FLOATS), "f8"),
        },
        index=[f"cell{k}" for k in range(N_CELLS)],
    )


def write(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Writes an AnnData with these columns as they are; what anndata reads of them."""
    anndata.AnnData(np.ones((len(frame), 2), np.float32)).write_h5ad(path)
    with anndata.settings.override(allow_write_nullable_strings=True), h5py.File(path, "a") as file:
        del file["obs"]
        write_elem(file, "obs", frame)
    read = anndata.read_h5ad(path).obs
    assert [str(dtype) for dtype in read.dtypes] == [str(dtype) for dtype in frame.dtypes]
    return read


class Queries:
    """Draws queries; those of the same seed are the same."""

    def __init__(self, frame: pd.DataFrame, seed: int) -> None:
        self._random = random.Random(seed)
        self._columns = list(frame.columns)
        self._groups = {
            "text": ["text", "other_text", "null_text", "cat", "same_cat", "stage", "last_stage"],
            "flag": ["flag", "odd flag", "null_flag", "cat_flag"],
        }
        others = {name for group in self._groups.values() for name in group}
        self._groups["number"] = [name for name in self._columns if name not in others]

    def _one(self, *choices: object) -> object:
        return self._random.choice(choices)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _name(self, group: str | None = None) -> str:
        name = self._random.choice(self._groups[group] if group else self._columns)
        return name if name.isidentifier() and self._chance(0.9) else f"`{name}`"

    def _text(self) -> str:
        text = self._random.choice(TEXTS)
        if self._chance(0.1):
            return "'" + "".join(f"\\u{ord(c):04x}" for c in text) + "'"
        return repr(text) if self._chance(0.7) else json.dumps(text, ensure_ascii=False)

    def _number(self) -> str:
        shown = {
            0: lambda: repr(self._random.choice(INTEGERS)),
            1: lambda: repr(self._random.choice(FLOATS)),
            2: lambda: repr(self._random.choice(LARGE)),
            3: lambda: self._one("1e2", ".5", "2.", "+3", "--1", "-inf", "inf", "(2)", "1E-1"),
        }
        return shown[self._random.choices(range(4), [6, 4, 1, 1])[0]]()

    def _constant(self, group: str) -> str:
        if self._chance(0.06):
            group = self._one("text", "number", "flag")
        if group == "text":
            return self._text()
        return self._number() if group == "number" else self._one("True", "False")

    def _list(self, group: str) -> str:
        values = [self._constant(group) for _ in range(self._random.choice([0, 1, 1, 2, 3, 4]))]
        if len(values) != 1 and self._chance(0.2):
            return f"({', '.join(values)})"
        return f"[{', '.join(values)}{',' if values and self._chance(0.1) else ''}]"

    def _comparison(self) -> str:
        group = self._random.choices(["text", "number", "flag"], [4, 4, 1])[0]
        column, order = self._name(group), self._one("==", "!=", "<", "<=", ">", ">=")
        kind = self._random.choices(range(8), [8, 2, 3, 3, 1, 1, 2, 1])[0]
        if kind == 0:
            return f"{column} {order} {self._constant(group)}"
        if kind == 1:
            return f"{self._constant(group)} {order} {column}"
        if kind == 2:
            return f"{column} {self._one('in', 'not in')} {self._list(group)}"
        if kind == 3:
            return f"{column} {order} {self._name(group)}"
        if kind == 4:
            return f"{column} {self._one('==', '!=')} {self._list(group)}"
        if kind == 5:
            return f"{self._list(group)} {self._one('==', '!=', 'in', 'not in')} {column}"
        if kind == 6:
            other = self._one("<", "<=", ">", ">=", "==", "!=")
            return f"{self._constant(group)} {order} {column} {other} {self._constant(group)}"
        return f"{column} {order} {self._name()}"

    def query(self, depth: int = 3) -> str:
        """A query."""
        kind = self._random.choices(range(6), [4, 1, 3, 1, 1, 1])[0] if depth else 0
        if kind == 0:
            return self._comparison()
        if kind == 1:
            return self._name("flag")
        if kind == 2:
            words = self._one("and", "or", "&", "|", "and")
            return f"{self.query(depth - 1)} {words} {self.query(depth - 1)}"
        if kind == 3:
            return f"not {self.query(depth - 1)}"
        if kind == 4:
            return f"({self.query(depth - 1)})"
        inner = self._name("flag") if self._chance(0.4) else f"({self.query(depth - 1)})"
        return f"~{inner}"


def by_pandas(frame: pd.DataFrame, query: str) -> list[int] | Exception:
    """Rows that a query selects, or what pandas raises."""
    numbered = frame.assign(row_of_the_file=np.arange(len(frame)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return numbered.query(query, engine="python")["row_of_the_file"].tolist()
    except Exception as error:  # noqa: BLE001 (pandas raises of many kinds)
        return error


def by_engine(path: Path, queries: list[str]) -> list[list[int] | str]:
    """The same by the engine, or its message."""
    text = "\n".join(queries) + "\n"
    call = [str(PROGRAM), str(path)]
    told = subprocess.run(call, input=text, capture_output=True, text=True, check=True).stdout
    answers = [json.loads(line) for line in told.splitlines()]
    return [answer.get("cells", answer.get("error")) for answer in answers]


def kind_of(refusal: str) -> str:
    """A message without names and values."""
    return re.sub(r"character \d+: |'[^']*'|\(.*\)|\".*\"|-?\d[\d.e+]*|-?inf", "", refusal)


def compared(path: Path, frame: pd.DataFrame, queries: list[str]) -> Counter:
    """What becomes of queries; fails where an answer is not that of pandas."""
    outcomes, refusals = Counter(), Counter()
    for query, ours in zip(queries, by_engine(path, queries), strict=True):
        theirs = by_pandas(frame, query)
        if isinstance(ours, list):
            assert ours == theirs, query
            outcomes["the same cells"] += 1
        else:
            refusals[kind_of(ours)] += 1
            outcomes["refused by both" if isinstance(theirs, Exception) else "refused here"] += 1
    print(outcomes, *refusals.most_common(), sep="\n")
    return outcomes


def test_random_queries(tmp_path):
    path = tmp_path / "cells.h5ad"
    frame, draw = write(path, obs()), Queries(obs(), seed=1)
    outcomes = compared(path, frame, [draw.query() for _ in range(N_QUERIES)])
    assert outcomes["the same cells"] > N_QUERIES / 2, outcomes
    assert outcomes["refused here"] < N_QUERIES / 10, outcomes


def test_what_pandas_cannot_read_is_refused(tmp_path):
    path = tmp_path / "cells.h5ad"
    frame, draw, pick = write(path, obs(1)), Queries(obs(1), seed=2), random.Random(2)

    def misspelt() -> str:
        words = draw.query(depth=2).split(" ")
        for _ in range(pick.choice([1, 1, 2])):
            place = pick.randrange(len(words) + 1)
            words[place : place + pick.choice([0, 1])] = pick.choice([[], [pick.choice(WORDS)]])
        return " ".join(words)

    outcomes = compared(path, frame, [misspelt() for _ in range(N_QUERIES)])
    assert min(outcomes["the same cells"], outcomes["refused by both"]) > N_QUERIES / 10, outcomes


def test_the_index_and_names_in_backticks(tmp_path):
    path = tmp_path / "cells.h5ad"
    frame = write(path, obs().rename_axis("barcode"))
    queries = ["index == 'cell3'", "barcode in ['cell3', 'cell5']", "index > 'cell40'"]
    queries += ["`n genes-x` > 2", "`i8` == 1", "`index` != 'cell3'", "cat_flag", "flag"]
    assert compared(path, frame, queries) == Counter({"the same cells": len(queries)})
