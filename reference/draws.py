"""Draws what goes into a fixture: a minibatch, weights, and the noise of eleven passes.

Everything is drawn in single precision and widened, so that a single precision engine starts
from exactly the same numbers as the double precision reference.
"""

import numpy as np
import torch
from scvi import REGISTRY_KEYS
from torch import nn

STEPS = 10
"""Optimiser steps in a fixture; the noise has one more row, for the single pass."""


def minibatch(row, rng):
    """The tensors of one minibatch under the short names used in the fixture files."""
    config, n_cells = row["config"], row["n_cells"]
    tensors = {
        "x": counts(rng, n_cells, config["n_input"], row.get("largest_count", 400)),
        "batch_index": codes(rng, n_cells, config.get("n_batch", 0)),
    }
    if config.get("n_labels", 0) > 1:
        tensors["labels"] = codes(rng, n_cells, config["n_labels"])
    if config.get("n_continuous_cov"):
        shape = (n_cells, config["n_continuous_cov"])
        tensors["cont_covs"] = rng.standard_normal(shape, dtype=np.float32)
    if config.get("n_cats_per_cov"):
        columns = [codes(rng, n_cells, n) for n in config["n_cats_per_cov"]]
        tensors["cat_covs"] = np.stack(columns, axis=1)
    if config.get("use_size_factor_key"):
        tensors["size_factor"] = np.exp(rng.standard_normal(n_cells, dtype=np.float32))
    return tensors


def labelled_minibatch(row, rng):
    """The second minibatch of SCANVAE, whose cells all have a label; no likelihood is taken of it."""
    tensors = minibatch(row | {"n_cells": row["n_labelled"]}, rng)
    return {name: array for name, array in tensors.items() if name != "size_factor"}


def counts(rng, n_cells, n_genes, largest):
    """Counts with 60-90 % zeros, some genes never seen, a few large values, no empty cell."""
    level = np.exp(rng.normal(-1.8, 1.4, n_genes))
    depth = np.exp(rng.normal(0, 0.5, (n_cells, 1)))
    x = rng.poisson(level * depth * rng.gamma(0.8, 1.25, (n_cells, n_genes)))
    for cell in range(0, n_cells, 4):
        x[cell, rng.integers(n_genes)] = rng.integers(largest // 4, largest + 1)
    x[:, ::11] = 0
    x[x.sum(axis=1) == 0, 1] = 1
    zeros = np.mean(x == 0)
    assert 0.55 < zeros < 0.92, f"{zeros:.2f} of the counts are zero"
    return x.astype(np.float32)


def codes(rng, n_cells, n_categories):
    """Category codes in random order and unequal numbers; every category occurs."""
    if n_categories < 2:
        return np.zeros(n_cells, dtype=np.int64)
    drawn = np.minimum(rng.geometric(0.4, n_cells - n_categories) - 1, n_categories - 1)
    return rng.permutation(np.concatenate([np.arange(n_categories), drawn])).astype(np.int64)


def module_inputs(tensors):
    """The minibatch as the module takes it: double precision, registry keys, column vectors."""
    keys = {
        "x": REGISTRY_KEYS.X_KEY,
        "batch_index": REGISTRY_KEYS.BATCH_KEY,
        "labels": REGISTRY_KEYS.LABELS_KEY,
        "cont_covs": REGISTRY_KEYS.CONT_COVS_KEY,
        "cat_covs": REGISTRY_KEYS.CAT_COVS_KEY,
        "size_factor": REGISTRY_KEYS.SIZE_FACTOR_KEY,
    }
    inputs = {REGISTRY_KEYS.LABELS_KEY: torch.zeros(len(tensors["x"]), 1, dtype=torch.int64)}
    for name, array in tensors.items():
        tensor = torch.from_numpy(array)
        tensor = tensor.double() if tensor.is_floating_point() else tensor
        inputs[keys[name]] = tensor if tensor.ndim == 2 else tensor.unsqueeze(1)
    return inputs


@torch.no_grad()
def weights(module, row, rng):
    """Move every parameter away from torch's initial values, so that each term shows."""
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        noise = torch.from_numpy(rng.standard_normal(parameter.shape, dtype=np.float32))
        owner = module.get_submodule(name.rpartition(".")[0])
        if name == "px_r":
            parameter.copy_(theta_logs(row, rng, parameter.shape) if "theta" in row else noise)
        elif isinstance(owner, nn.BatchNorm1d):
            parameter.copy_(0.2 * noise + (1 if name.endswith("weight") else 0))
        else:
            parameter.add_(0.1 * noise)
        if name.startswith(("decoder.px_scale_decoder", "decoder.px_dropout_decoder")):
            parameter.mul_(row.get("head_scale", 1.0))


def theta_logs(row, rng, shape):
    """Logarithms spread evenly between those of the two values in row["theta"], shuffled."""
    low, high = np.log(row["theta"])
    logs = np.linspace(low, high, int(np.prod(shape)), dtype=np.float32)
    return torch.from_numpy(rng.permutation(logs).reshape(shape))


@torch.no_grad()
def running_statistics(module, rng, forward):
    """Set the batch norm buffers near, but not at, the statistics of the pass `forward`."""
    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm1d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    forward()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        mean, var = norm.running_mean, norm.running_var
        mean += 0.3 * var.sqrt() * torch.from_numpy(rng.standard_normal(mean.shape))
        var *= torch.exp(0.3 * torch.from_numpy(rng.standard_normal(var.shape)))
        norm.running_mean, norm.running_var = mean.float().double(), var.float().double()


@torch.no_grad()
def single_precision(module):
    """Round what a pass changed in double precision: embeddings of limited norm."""
    for layer in module.modules():
        if isinstance(layer, nn.Embedding):
            layer.weight.copy_(layer.weight.float().double())


def noise(module, n_cells, rng):
    """Standard normal draws and dropout keep masks, one row per pass, by name in the fixture."""
    rows = STEPS + 1
    drawn = {"z": rng.standard_normal((rows, n_cells, module.n_latent), dtype=np.float32)}
    encoders = ["z_encoder."]
    if not module.use_observed_lib_size:
        drawn["library"] = rng.standard_normal((rows, n_cells, 1), dtype=np.float32)
        encoders.append("l_encoder.")
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Dropout) and name.startswith(tuple(encoders)):
            keep = rng.random((rows, n_cells, module.n_hidden)) >= layer.p
            drawn[f"dropout/{name}"] = keep.astype(np.uint8)
    return drawn


def second_level_noise(module, row, rng):
    """The same of what SCANVAE adds: a row a label and cell, label by label, and labelled cells."""
    rows, n_labelled = STEPS + 1, row.get("n_labelled", 0)
    repeated = module.n_labels * row["n_cells"]
    drawn = {"z2": rng.standard_normal((rows, repeated, module.n_latent), dtype=np.float32)}
    drawn["labelled/z"] = np.zeros((rows, n_labelled, module.n_latent), dtype=np.float32)
    sizes = {
        "dropout/encoder_z2_z1.": repeated,
        "dropout/classifier.": row["n_cells"],
        "labelled/dropout/z_encoder.": n_labelled,
        "labelled/dropout/classifier.": n_labelled,
    }
    for prefix, n_cells in sizes.items():
        start, _, owner = prefix.rpartition("dropout/")
        for name, layer in module.named_modules():
            if n_cells and isinstance(layer, nn.Dropout) and name.startswith(owner):
                width = module.get_submodule(f"{name.rpartition('.')[0]}.0").out_features
                keep = rng.random((rows, n_cells, width)) >= layer.p
                drawn[f"{start}dropout/{name}"] = keep.astype(np.uint8)
    return drawn if n_labelled else {k: v for k, v in drawn.items() if k != "labelled/z"}
