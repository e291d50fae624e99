"""Writes what scvi-tools makes of a query: the surgery on a reference model, and ten steps after it.

    python3 reference/queries.py    write fixtures_queries/

Tensors have the names of the other fixtures (README.md); `param/` is the model that
`SCVI.load_query_data` made, `reference/` the reference's state dict, and `adam10/` what ten steps
with weight decay 0 leave, on a minibatch with cells of known and of new categories.
"""

import json
import sys
from pathlib import Path

import environment

FOLDER = Path(__file__).resolve().parent / "fixtures_queries"
SIZES = dict(n_input=21, n_hidden=9, n_latent=4)
ROWS = [
    dict(
        name="defaults",
        seed=101,
        reference=dict(n_batch=2),
        config=dict(**SIZES, n_batch=4),
    ),
    dict(
        name="encode_covariates_layers2",
        seed=102,
        reference=dict(n_batch=2),
        config=dict(**SIZES, n_batch=3, n_layers=2, encode_covariates=True),
    ),
    dict(
        name="shallow_last_covariate",
        seed=103,
        reference=dict(n_batch=2, n_cats_per_cov=[2, 2]),
        config=dict(
            **SIZES,
            n_batch=2,
            n_layers=2,
            n_cats_per_cov=[2, 3],
            n_continuous_cov=1,
            encode_covariates=True,
            deeply_inject_covariates=False,
            gene_likelihood="nb",
        ),
    ),
    dict(
        name="other_switches",
        seed=104,
        reference=dict(n_batch=2),
        freeze=dict(
            freeze_expression=False,
            freeze_decoder_first_layer=False,
            freeze_batchnorm_encoder=False,
            freeze_batchnorm_decoder=True,
        ),
        config=dict(**SIZES, n_batch=3, n_layers=2),
    ),
    dict(
        name="latent_library",
        seed=105,
        reference=dict(n_batch=2),
        config=dict(**SIZES, n_batch=3, use_observed_lib_size=False),
    ),
    dict(
        name="unfrozen",
        seed=106,
        reference=dict(n_batch=2),
        freeze=dict(unfrozen=True),
        config=dict(**SIZES, n_batch=3, encode_covariates=True),
    ),
]
"""`config` is the grown module's, `reference` what differs in the reference's."""

FROM_DATA = ("n_input", "n_batch", "n_cats_per_cov", "n_continuous_cov")
"""Arguments that SCVI takes from its data."""


def annotated(batch):
    """Cells of a minibatch as an AnnData with a column for each covariate."""
    cells = anndata.AnnData(sparse.csr_matrix(batch["x"]))
    cells.obs["batch"] = [f"b{code}" for code in batch["batch_index"]]
    for i, column in enumerate(batch.get("cat_covs", np.zeros((0, 0))).T):
        cells.obs[f"cat{i}"] = [f"c{code}" for code in column]
    for i, column in enumerate(batch.get("cont_covs", np.zeros((0, 0))).T):
        cells.obs[f"cont{i}"] = column
    return cells


def reference_model(row, rng):
    """A model of scvi-tools on cells of the reference's categories, its weights drawn."""
    config = row["config"] | row["reference"]
    cells = annotated(draws.minibatch({"config": config, "n_cells": 24}, rng))
    SCVI.setup_anndata(
        cells,
        batch_key="batch",
        categorical_covariate_keys=[k for k in cells.obs if k.startswith("cat")] or None,
        continuous_covariate_keys=[k for k in cells.obs if k.startswith("cont")] or None,
    )
    torch.manual_seed(row["seed"])
    model = SCVI(cells, **{k: v for k, v in config.items() if k not in FROM_DATA})
    draws.weights(model.module, row, rng)
    with torch.no_grad():
        for name, buffer in model.module.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                noise = torch.from_numpy(rng.standard_normal(buffer.shape, dtype=np.float32))
                buffer.copy_(noise if name.endswith("mean") else torch.exp(0.5 * noise))
    return model


def config_of(config, module):
    """The module's arguments, with the priors that it took from its cells."""
    if module.use_observed_lib_size:
        return config
    priors = {k: getattr(module, k) for k in ("library_log_means", "library_log_vars")}
    return config | {k: v.flatten().tolist() for k, v in priors.items()}


def run(row):
    """The tensors of a fixture, and its description."""
    rng = np.random.default_rng(row["seed"])
    model = reference_model(row, rng)
    batch = draws.minibatch({"config": row["config"], "n_cells": 17}, rng)
    query = SCVI.load_query_data(annotated(batch), model, **row.get("freeze", {}))
    module = query.module.double()
    drawn = draws.noise(module, 17, rng)
    tensors = {f"input/{name}": array for name, array in batch.items()}
    tensors |= {f"noise/{name}": array for name, array in drawn.items()}
    known = model.module.double()
    tensors |= {f"reference/{k}": oracle.single(v) for k, v in oracle.state(known).items()}
    tensors |= {f"param/{k}": oracle.single(v) for k, v in oracle.state(module).items()}
    module.train()
    plan = TrainingPlan(module, weight_decay=0.0)
    optimizer = plan.configure_optimizers()["optimizer"]
    noise, inputs = oracle.Noise(drawn), draws.module_inputs(batch)
    with oracle.injected(module, noise):
        for step in range(1, draws.STEPS + 1):
            optimizer.zero_grad()
            oracle.forward(module, inputs, noise, step)[2].loss.backward()
            optimizer.step()
    tensors |= {f"adam10/{k}": oracle.double(v) for k, v in oracle.state(module).items()}
    return tensors, {
        "name": row["name"],
        "file": f"{row['name']}.safetensors",
        "config": config_of(row["config"], module),
        "reference": config_of(row["config"] | row["reference"], known),
        "freeze": row.get("freeze", {}),
        "kl_weight": oracle.KL_WEIGHT,
    }


def main():
    FOLDER.mkdir(exist_ok=True)
    entries = []
    for row in ROWS:
        tensors, entry = run(row)
        content = tensor_file.to_bytes(tensors)
        (FOLDER / entry["file"]).write_bytes(content)
        print(f"{row['name']}: {len(content) / 1024:.0f} KiB", file=sys.stderr)
        entries.append(entry)
    manifest = {"command": "python3 reference/queries.py", "fixtures": entries}
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    environment.enter()
    import warnings

    import anndata
    import draws
    import numpy as np
    import oracle
    import tensor_file
    import torch
    from scipy import sparse
    from scvi.model import SCVI
    from scvi.train import TrainingPlan

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    main()
