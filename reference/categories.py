"""Writes which categories scvi-tools takes for equal, for every pair of types of columns.

    python3 reference/categories.py            write crates/scvi-python/tests/category_pairs.json
    python3 reference/categories.py --check    compare with what is there, write nothing

For each column that a model is set up with and each column that it meets later: the codes of the
cells, or null where scvi-tools raises, or adds a category that the model has no weights for (it does
so where the only unknown one is 0, False or an empty text).
"""

import json
import sys
import warnings
from pathlib import Path

import environment

environment.enter()

import numpy as np
from anndata import AnnData
from scvi.data.fields import CategoricalObsField

TESTS = Path(__file__).resolve().parents[1] / "crates" / "scvi-python" / "tests"
sys.path.insert(0, str(TESTS))
from category_columns import COLUMNS, cells


def data(name):
    column = cells(name)
    adata = AnnData(np.ones((len(column), 2), np.float32))
    adata.obs["c"] = column.to_numpy() if column.dtype == object else column.array
    return adata


def codes(known, name):
    """Codes of the cells of a column by the categories of a registry."""
    adata = data(name)
    try:
        state = CategoricalObsField("batch", "c").transfer_field(known, adata)
    except (ValueError, TypeError):
        return None
    if len(state["categorical_mapping"]) > len(known["categorical_mapping"]):
        return None
    return adata.obs["_scvi_batch"].tolist()[: len(COLUMNS[name])]


def table():
    rows = {}
    for known in COLUMNS:
        state = CategoricalObsField("batch", "c").register_field(data(known))
        rows[known] = {found: codes(state, found) for found in COLUMNS}
    return rows


def main():
    warnings.simplefilter("ignore")
    # A line a column that the model was set up with, of those columns that it takes.
    lines = [
        f"{json.dumps(known)}: {json.dumps({k: v for k, v in row.items() if v is not None})}"
        for known, row in table().items()
    ]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    path = TESTS / "category_pairs.json"
    if "--check" not in sys.argv:
        path.write_text(text)
    elif path.read_text() != text:
        sys.exit(f"{path} is not what scvi-tools says")


if __name__ == "__main__":
    main()
