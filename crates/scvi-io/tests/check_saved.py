"""What the Rust tests cannot ask themselves: does scvi-tools load what we wrote?

    python check_saved.py FOLDER

FOLDER holds what was made of each model of reference/saves. Each must load, and give the same
latent means, history and split as the original.
"""

import logging
import sys
import warnings
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[3] / "reference"
sys.path.insert(0, str(REFERENCE))
sys.dont_write_bytecode = True

import numpy as np
import pandas as pd
import saved_models as models
import scvi
import torch

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)


def latent(model):
    scvi.settings.seed = 0
    return model.get_latent_representation()


def same_registry(a, b):
    if isinstance(a, dict):
        assert a.keys() == b.keys(), f"{a.keys()} {b.keys()}"
        for key in a:
            same_registry(a[key], b[key])
    else:
        np.testing.assert_array_equal(a, b)


def train(model):
    plan = dict(max_epochs=1, accelerator="cpu", enable_progress_bar=False)
    model.train(**plan, logger=scvi.train._logger.SimpleLogger())


def map_query(reference, cls, row):
    """Maps cells of a batch that the model has not seen, and trains on.

    The reference is a folder; a prefix can be given with a loaded model only. scvi-tools offers
    this of SCVI, not of LinearSCVI.
    """
    assert hasattr(cls, "load_query_data") == (cls is scvi.model.SCVI)
    if cls is scvi.model.SCVI:
        query = models.make_adata(data, row)
        first = query.obs["batch"].cat.categories[0]
        new = "batch new" if isinstance(first, str) else first - pd.Timedelta(1, "D")
        query.obs["batch"] = query.obs["batch"].cat.rename_categories({first: new})
        model = cls.load_query_data(query, reference)
        train(model)
        assert np.isfinite(model.get_latent_representation()).all()


def row_of(name):
    """The row of a folder; those of other releases have them in front: scvi_1.0.4_linear."""
    row = name.split("_", 2)[2] if name.startswith("scvi_") else name
    return next(r for r in models.SAVES if r["name"] == row)


data = models.draw()
written = Path(sys.argv[1])
for name in sorted(folder.name for folder in written.iterdir()):
    row = row_of(name)
    prefix = row.get("prefix")
    cls = scvi.model.LinearSCVI if row.get("linear") else scvi.model.SCVI
    original, copy = (
        cls.load(folder / name, models.make_adata(data, row), prefix=prefix)
        for folder in (REFERENCE / "saves", written)
    )
    if copy.is_trained:
        np.testing.assert_array_equal(latent(copy), latent(original))
    # A loaded model has set up its data anew; what lies in the files is compared as such.
    same_registry(*(
        torch.load(folder / name / f"{prefix or ''}model.pt", weights_only=False)["attr_dict"]["registry_"]
        for folder in (REFERENCE / "saves", written)
    ))
    assert copy.init_params_ == original.init_params_, copy.init_params_
    assert copy.is_trained == original.is_trained
    assert (copy.history or {}).keys() == (original.history or {}).keys()
    for key, table in (original.history or {}).items():
        pd.testing.assert_frame_equal(copy.history[key], table.astype("float64"))
    for split in ("train_indices", "validation_indices", "test_indices"):
        np.testing.assert_array_equal(getattr(copy, split), getattr(original, split))
    # Further training concatenates the history.
    train(copy)
    map_query(copy if prefix else str(written / name), cls, row)
    print(f"{name}: same")
