"""Folders of fixtures: written, or compared with what is there."""

import hashlib
import json
import platform
import sys

import numpy
import oracle
import scvi
import tensor_file
import torch


def entry(row, content, unused):
    """The manifest's description of one fixture."""
    config = row["config"]
    sizes = {"n_cells": row["n_cells"], "n_genes": config["n_input"]}
    sizes |= {k: config[k] for k in ("n_hidden", "n_latent", "n_batch") if k in config}
    described = {
        "name": row["name"],
        "file": f"{row['name']}.safetensors",
        "sha256": hashlib.sha256(content).hexdigest(),
        "seed": row["seed"],
        "kl_weight": oracle.KL_WEIGHT,
        "config": config,
        "transform_batch": row.get("transform_batch"),
        "sizes": sizes,
        "unused": sorted(unused),
    }
    if "n_labelled" in row:
        sizes["n_labelled"] = row["n_labelled"]
        described["classification_ratio"] = oracle.CLASSIFICATION_RATIO
    return described


def versions():
    """Of everything that may move the numbers."""
    return {
        "scvi-tools": scvi.__version__,
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
    }


def files(rows, command):
    """Every file of a folder: name and content."""
    entries = []
    for row in rows:
        tensors, unused = oracle.run(row)
        content = tensor_file.to_bytes(tensors)
        entries.append(entry(row, content, unused))
        print(f"{row['name']}: {len(content) / 1024:.0f} KiB", file=sys.stderr)
        yield entries[-1]["file"], content
    manifest = {"command": command, "versions": versions(), "fixtures": entries}
    yield "manifest.json", (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode()


def write_or_check(folder, rows, command, check):
    """Write a folder of fixtures, or compare it."""
    folder.mkdir(exist_ok=True)
    stale = {path.name for path in folder.iterdir()}
    different = []
    for name, content in files(rows, command):
        stale.discard(name)
        path = folder / name
        if not check:
            path.write_bytes(content)
        elif not path.exists() or path.read_bytes() != content:
            different.append(name)
    if check:
        sys.exit(f"differ: {', '.join([*different, *stale])}" if different or stale else 0)
    for name in stale:
        (folder / name).unlink()
