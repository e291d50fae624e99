"""What the Rust tests cannot ask themselves: does scvi-tools load the SCANVI that we wrote?

    python check_scanvi.py FOLDER

FOLDER holds what was made of saves of SCANVI in reference/saves. Each must load, give the same
probabilities and latent means as the original, and train on.
"""

import logging
import sys
import warnings
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[3] / "reference"
sys.path.insert(0, str(REFERENCE))
sys.dont_write_bytecode = True

import numpy as np
import saved_models as models
import scvi
import torch

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)
# Saves of old releases hold numpy's arrays, which torch refuses unless it is told otherwise.
load = torch.load
torch.load = lambda *args, **kwargs: load(*args, **(kwargs | {"weights_only": False}))

data = models.draw()
written = Path(sys.argv[1])
for name in sorted(folder.name for folder in written.iterdir()):
    row = next(r for r in models.SCANVI_SAVES if name.endswith(r["name"]))
    original, copy = (
        scvi.model.SCANVI.load(folder / name, models.make_adata(data, row))
        for folder in (REFERENCE / "saves", written)
    )
    assert copy.is_trained == original.is_trained
    np.testing.assert_array_equal(copy.predict(soft=True), original.predict(soft=True))
    np.testing.assert_array_equal(copy.predict(), original.predict())
    if copy.is_trained:
        np.testing.assert_array_equal(
            copy.get_latent_representation(), original.get_latent_representation()
        )
    models.fit(copy)
    print(f"{name}: same")
