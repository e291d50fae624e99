"""Writes what scvi-tools decodes with its saves: normalised expression and the like.

    python3 reference/expression.py

Models and data are those of reference/saves (saves.py). For the first cells of each, in double
precision at the mean of the posterior:

- `NAME/one`, `/number`, `/latent`: get_normalized_expression with library_size 1, 10,000, "latent";
- `/batch`, `/batches`: with transform_batch one of the batches, the first two; `/genes`: of GENES;
- `/mean`, `/dispersions`, `/dropout`: get_likelihood_parameters;
- `/library_size`: get_latent_library_size; `/batch_representation`: get_batch_representation.

And what it estimates by drawing: `/drawn` with `/drawn_error`, its standard error, and of a
logistic-normal model `/z` with `/z_error`. All in reference/saves/expression.safetensors.
"""

import copy
import sys
from pathlib import Path
from unittest.mock import patch

import environment

FOLDER = Path(__file__).resolve().parent / "saves"
NAMES = [
    "default", "size_factor", "latent_library", "embedding", "linear", "logistic_normal", "normal",
    "gene_cell", "covariates", "poisson",
]
DRAWN = ["default", "latent_library", "logistic_normal"]
GENES = ["gene 2", "gene 7"]
DRAWS, SHOWN = 2000, 5


def zeros(shape, dtype, device):
    return torch.zeros(shape, dtype=dtype, device=device)


def in_double(model, adata):
    """The model in double precision, whose every draw is the mean."""
    model = copy.deepcopy(model)
    model.module.double().eval()
    (tensors,) = model._make_data_loader(adata, batch_size=adata.n_obs)
    inputs = {k: v.double() if v.is_floating_point() else v for k, v in tensors.items()}
    model._make_data_loader = lambda **_: [inputs]
    return model


def decoded(model, adata, row):
    def get(**options):
        return model.get_normalized_expression(adata, return_numpy=True, **options)

    values = {
        "one": get(), "number": get(library_size=1e4), "latent": get(library_size="latent"),
        "genes": get(gene_list=GENES[::-1]),
    }
    if "batch_key" in row.get("setup", {}):
        batches = list(adata.obs["batch"].cat.categories)
        values["batch"] = get(transform_batch=batches[1])
        values["batches"] = get(transform_batch=batches[:2])
    if model.module.gene_likelihood in ("zinb", "nb"):
        values |= model.get_likelihood_parameters(adata, give_mean=True)
    if not model.module.use_observed_lib_size:
        values["library_size"] = model.get_latent_library_size(adata)
    return values


def drawn(model, adata):
    """Means and their standard errors."""
    torch.manual_seed(0)
    draws = model.get_normalized_expression(
        adata, n_samples=DRAWS, return_mean=False, library_size="latent"
    )
    values = {"drawn": draws.mean(0), "drawn_error": draws.std(0, ddof=1) / DRAWS**0.5}
    if model.module.latent_distribution == "ln":
        z = np.stack([model.get_latent_representation(adata, mc_samples=500) for _ in range(20)])
        values |= {"z": z.mean(0), "z_error": z.std(0, ddof=1) / 20**0.5}
    return values


def main():
    data = models.draw()
    assert tensor_file.to_bytes(data) == (FOLDER / "input.safetensors").read_bytes()
    rows = {row["name"]: row for row in models.SAVES}
    tensors = {}
    for name in NAMES:
        row = rows[name]
        adata = models.make_adata(data, row)
        kind = scvi.model.LinearSCVI if row.get("linear") else scvi.model.SCVI
        model = kind.load(FOLDER / name, adata)
        with patch("torch.distributions.normal._standard_normal", zeros), oracle.double_one_hot():
            values = decoded(in_double(model, adata), adata, row)
        if name == "embedding":
            values["batch_representation"] = model.get_batch_representation(adata)
        if name in DRAWN:
            values |= drawn(model, adata)
        for key, value in values.items():
            tensors[f"{name}/{key}"] = np.asarray(value[:SHOWN], dtype="f8")
        print(f"{name}: {', '.join(values)}", file=sys.stderr)
    (FOLDER / "expression.safetensors").write_bytes(tensor_file.to_bytes(tensors))


if __name__ == "__main__":
    environment.enter()
    import logging
    import warnings

    import numpy as np
    import oracle
    import saved_models as models
    import scvi
    import tensor_file
    import torch

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    main()
