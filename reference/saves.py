"""Writes the saves: tiny models trained by scvi-tools, and what they compute.

    python3 reference/saves.py
    PYTHON reference/saves.py NAME...    the rows named, with the release of scvi-tools that PYTHON has

Each folder of reference/saves holds a model as scvi-tools saves it, model.pt, and
expected.safetensors, for our tests to compare with. The data they share are in
reference/saves/input.safetensors. README.md lists the tensors; pickles.py writes the folders that
are not written here.

Makes an environment with scvi-tools on first use (see environment.py). Rows of another release go
to folders with its name, scvi_1.0.4_linear. Those there are: covariates, latent_library, linear and
scanvi_batch of 1.0.4, 1.1.6.post2, 1.2.2.post2, 1.3.3, 1.5.1, and scanvi_covariates of 1.0.4.
"""

import shutil
import sys
from pathlib import Path

import environment

FOLDER = Path(__file__).resolve().parent / "saves"


def main(names):
    data = models.draw()
    FOLDER.mkdir(exist_ok=True)
    if not names:
        (FOLDER / "input.safetensors").write_bytes(tensor_file.to_bytes(data))
    other = scvi.__version__ != environment.VERSION
    prefix = f"scvi_{scvi.__version__}_" if other else ""
    for row in [*models.SAVES, *models.SCANVI_SAVES]:
        if names and row["name"] not in names:
            continue
        model, adata = models.train(row, data)
        folder = FOLDER / (prefix + row["name"])
        shutil.rmtree(folder, ignore_errors=True)
        model.save(folder, prefix=row.get("prefix"))
        tensors = models.expected(model, adata) | models.carried(model)
        (folder / "expected.safetensors").write_bytes(tensor_file.to_bytes(tensors))
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(f"{folder.name}: {size / 1024:.0f} KiB", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        environment.enter()
    import logging
    import warnings

    import saved_models as models
    import scvi
    import tensor_file
    import torch

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    main(sys.argv[1:])
