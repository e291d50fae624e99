"""Writes the fixtures: what scvi-tools computes, for our tests to compare with.

    python3 reference/generate.py            write reference/fixtures
    python3 reference/generate.py --check    compare with what is there, write nothing

Makes an environment with scvi-tools on first use (see environment.py).
"""

import hashlib
import json
import platform
import sys
from pathlib import Path

import environment
from configurations import FIXTURES

FOLDER = Path(__file__).resolve().parent / "fixtures"


def entry(row, content, unused):
    """The manifest's description of one fixture."""
    config = row["config"]
    sizes = {"n_cells": row["n_cells"], "n_genes": config["n_input"]}
    sizes |= {k: config[k] for k in ("n_hidden", "n_latent", "n_batch") if k in config}
    return {
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


def versions():
    """Of everything that may move the numbers."""
    import numpy
    import scvi
    import torch

    return {
        "scvi-tools": scvi.__version__,
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
    }


def files():
    """Every file of the folder: name and content."""
    entries = []
    for row in FIXTURES:
        tensors, unused = oracle.run(row)
        content = tensor_file.to_bytes(tensors)
        entries.append(entry(row, content, unused))
        print(f"{row['name']}: {len(content) / 1024:.0f} KiB", file=sys.stderr)
        yield entries[-1]["file"], content
    manifest = {
        "command": "python3 reference/generate.py",
        "versions": versions(),
        "fixtures": entries,
    }
    yield "manifest.json", (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode()


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    FOLDER.mkdir(exist_ok=True)
    stale = {path.name for path in FOLDER.iterdir()}
    different = []
    for name, content in files():
        stale.discard(name)
        path = FOLDER / name
        if not arguments:
            path.write_bytes(content)
        elif not path.exists() or path.read_bytes() != content:
            different.append(name)
    if arguments:
        sys.exit(f"differ: {', '.join([*different, *stale])}" if different or stale else 0)
    for name in stale:
        (FOLDER / name).unlink()


if __name__ == "__main__":
    environment.enter()
    import oracle
    import tensor_file
    import torch

    torch.set_num_threads(1)
    main(sys.argv[1:])
