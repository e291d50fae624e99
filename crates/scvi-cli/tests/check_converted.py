"""What the Rust tests cannot ask themselves: does scvi-tools open the models that we trained?

    python check_converted.py FOLDER

FOLDER holds data.h5ad, and of each model a save, s0, and the latent means we found, s0.npy.
"""

import logging
import sys
import warnings
from pathlib import Path

sys.dont_write_bytecode = True

import anndata
import numpy as np
import scvi
import torch

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)
PLAN = dict(max_epochs=1, accelerator="cpu", enable_progress_bar=False)

folder = Path(sys.argv[1])
for latent in sorted(folder.glob("s*.npy")):
    save = latent.with_suffix("")
    model = scvi.model.SCVI.load(save, anndata.read_h5ad(folder / "data.h5ad"))
    np.testing.assert_allclose(model.get_latent_representation(), np.load(latent), atol=1e-5)
    assert model.is_trained and len(model.train_indices) == 54, model.train_indices
    assert len(model.history["elbo_validation"]) == 2
    assert np.isfinite(model.get_elbo().item())
    # Further training goes on with the history; mapping a query starts from the registry.
    model.train(logger=scvi.train._logger.SimpleLogger(), **PLAN)
    assert len(model.history["elbo_train"]) == 3
    query = anndata.read_h5ad(folder / "data.h5ad")
    query.obs["batch"] = "new"
    mapped = scvi.model.SCVI.load_query_data(query, str(save))
    mapped.train(logger=scvi.train._logger.SimpleLogger(), plan_kwargs=dict(weight_decay=0.0), **PLAN)
    print(f"{save.name}: same")
