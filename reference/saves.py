"""Writes the saves: tiny models trained by scvi-tools, and what they compute.

    python3 reference/saves.py

Each folder of reference/saves holds a model as scvi-tools saves it, model.pt, and
expected.safetensors, for our tests to compare with. The data they share are in
reference/saves/input.safetensors. README.md lists the tensors; pickles.py writes the folders that
are not written here.

Makes an environment with scvi-tools on first use (see environment.py).
"""

import shutil
import sys
from pathlib import Path

import environment

FOLDER = Path(__file__).resolve().parent / "saves"


def main(arguments):
    if arguments:
        sys.exit(__doc__)
    data = models.draw()
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "input.safetensors").write_bytes(tensor_file.to_bytes(data))
    for row in models.SAVES:
        model, adata = models.train(row, data)
        folder = FOLDER / row["name"]
        shutil.rmtree(folder, ignore_errors=True)
        model.save(folder, prefix=row.get("prefix"))
        tensors = models.expected(model, adata) | models.carried(model)
        (folder / "expected.safetensors").write_bytes(tensor_file.to_bytes(tensors))
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(f"{row['name']}: {size / 1024:.0f} KiB", file=sys.stderr)


if __name__ == "__main__":
    environment.enter()
    import logging
    import warnings

    import saved_models as models
    import tensor_file
    import torch

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    main(sys.argv[1:])
