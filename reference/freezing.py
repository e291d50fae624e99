"""Writes which numbers scvi-tools trains on a query, for every combination of the switches.

    python3 reference/freezing.py           write fixtures_freezing.json
    python3 reference/freezing.py --check   compare with what is there

Each of `models` has the arguments of its SCVI and of its setup, and the categories that its query
adds. Its `tensors` say of each tensor which of its numbers training moves, a character for each
combination of the switches in the order of `itertools.product([False, True], repeat=6)`: `a` for
all of them, `c` for those in `columns`, `.` for none. A batch norm's running moments are named by
their layer. `dropout` says the same of the rate of each encoder: `a` where there is dropout.
"""

import argparse
import itertools
import json
import sys
from pathlib import Path

import environment

FILE = Path(__file__).resolve().parent / "fixtures_freezing.json"
SWITCHES = (
    "unfrozen",
    "freeze_dropout",
    "freeze_expression",
    "freeze_decoder_first_layer",
    "freeze_batchnorm_encoder",
    "freeze_batchnorm_decoder",
)
SIZES = dict(n_hidden=5, n_latent=3, dropout_rate=0.25)
COVARIATES = dict(
    categorical_covariate_keys=["donor"], continuous_covariate_keys=["age"], batch_key="batch"
)
MODELS = [
    dict(name="defaults"),
    dict(
        name="encode_covariates_layers2",
        model=dict(encode_covariates=True, n_layers=2),
        setup=COVARIATES,
        new=dict(batch=["b2"], donor=["d3", "d4"]),
    ),
    dict(
        name="shallow",
        model=dict(encode_covariates=True, n_layers=2, deeply_inject_covariates=False),
        setup=COVARIATES,
        new=dict(donor=["d3"]),
    ),
    dict(
        name="latent_library",
        model=dict(use_observed_lib_size=False, encode_covariates=True),
    ),
    dict(name="gene_batch", model=dict(dispersion="gene-batch")),
    dict(
        name="gene_label",
        model=dict(dispersion="gene-label"),
        setup=dict(batch_key="batch", labels_key="label"),
        new=dict(batch=["b2"], label=["l2"]),
    ),
    dict(
        name="embedding",
        model=dict(batch_representation="embedding", encode_covariates=True),
    ),
    dict(name="without_batch_norm", model=dict(use_batch_norm="none", use_layer_norm="both")),
    dict(name="one_batch", known=dict(batch=["b0"]), new=dict(batch=["b1"])),
    dict(name="nothing_new", model=dict(encode_covariates=True), new={}),
]
"""`known` and `new` are the categories of the reference, and those that the query adds."""

KNOWN = dict(batch=["b0", "b1"], donor=["d0", "d1", "d2"], label=["l0", "l1"])
DEFAULTS = dict(model={}, setup=dict(batch_key="batch"), known={}, new=dict(batch=["b2", "b3"]))


def cells(categories):
    """Cells in which every category occurs."""
    rng = np.random.default_rng(0)
    adata = anndata.AnnData(rng.poisson(3.0, (24, 6)).astype(np.float32))
    for column, names in categories.items():
        adata.obs[column] = [names[i % len(names)] for i in range(adata.n_obs)]
    adata.obs["age"] = rng.normal(size=adata.n_obs)
    return adata


def reached(parameter):
    """Which numbers a gradient reaches: "all", some columns, or None."""
    if not parameter.requires_grad:
        return None
    parameter.sum().backward()
    moved = parameter.grad.numpy() != 0
    if moved.all() or not moved.any():
        return "all" if moved.all() else None
    columns = moved.any(axis=0)
    assert moved.ndim == 2 and (moved == columns).all(), "neither all nor whole columns"
    return np.flatnonzero(columns).tolist()


def answer(module):
    """What a query's training moves: of each tensor, and by name the encoders with dropout."""
    tensors = {name: reached(parameter) for name, parameter in module.named_parameters()}
    encoders = {}
    for name, layer in module.named_modules():
        if isinstance(layer, torch.nn.BatchNorm1d):
            tensors[f"{name}.running"] = "all" if layer.momentum > 0 else None
        elif isinstance(layer, torch.nn.Dropout) and "encoder" in name.split(".")[0]:
            encoders[name.split(".")[0]] = "all" if layer.p > 0 else None
    return tensors, encoders


def line(answers):
    """The answers of all combinations for one tensor, and the columns where some name them."""
    columns = [found for found in answers if isinstance(found, list)]
    assert all(found == columns[0] for found in columns), "other columns for other switches"
    marks = {None: ".", "all": "a"}
    text = "".join("c" if isinstance(found, list) else marks[found] for found in answers)
    return {"trained": text} | ({"columns": columns[0]} if columns else {})


def table(row):
    """The answers for every combination of the switches."""
    row = DEFAULTS | row
    known = KNOWN | row["known"]
    reference_cells = cells(known)
    SCVI.setup_anndata(reference_cells, **row["setup"])
    reference = SCVI(reference_cells, **SIZES, **row["model"])
    grown = {column: names + row["new"].get(column, []) for column, names in known.items()}
    answers = []
    for values in itertools.product([False, True], repeat=len(SWITCHES)):
        switches = dict(zip(SWITCHES, values, strict=True))
        model = SCVI.load_query_data(cells(grown), reference, **switches)
        answers.append(answer(model.module))
    first_tensors, first_encoders = answers[0]
    return {
        **{key: row[key] for key in ("name", "model", "setup")},
        "known": known,
        "new": row["new"],
        "tensors": {
            name: line([tensors[name] for tensors, _ in answers]) for name in first_tensors
        },
        "dropout": {
            name: line([encoders[name] for _, encoders in answers])["trained"]
            for name in first_encoders
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with what is there")
    args = parser.parse_args()
    document = {
        "command": "python3 reference/freezing.py",
        "sizes": SIZES,
        "switches": SWITCHES,
        "models": [table(row) for row in MODELS],
    }
    text = json.dumps(document, indent=1) + "\n"
    if not args.check:
        FILE.write_text(text)
    elif FILE.read_text() != text:
        sys.exit(f"{FILE.name} is not what scvi-tools gives: {document['command']} writes it anew")


if __name__ == "__main__":
    environment.enter()
    import logging
    import warnings

    import anndata
    import numpy as np
    import torch
    from scvi.model import SCVI

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    main()
