"""Compares training from Python with training by the command, and shows what memory a model adds.

    python3 benches/python_package.py --python VENV/bin/python [--rounds 3] [--epochs 5]

VENV is an environment with the package installed from a release build (`pip install .`).

- Speed: both train on the same simulated file with every default, in alternating runs; each round gives one
  ratio of the median times between the ends of epochs, without the first.
- Memory: Python makes a sparse matrix of 1 GB (600,000 cells x 2,000 genes, 208 counts a cell),
  trains an epoch on a fiftieth of the cells, and computes the latent representation of all of
  them. What counts is by how much the peak rises from the moment the data stand.
- Import: the time that `import scvi_rs` takes once numpy, scipy, pandas and anndata are imported.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import measure

TRAIN = """
import json, sys, time
import anndata
import scvi_rs

path, epochs, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
scvi_rs.settings.num_threads = threads
adata = anndata.read_h5ad(path)
scvi_rs.model.SCVI.setup_anndata(adata, batch_key="batch")
model = scvi_rs.model.SCVI(adata)
engine, ends = model._core, []


class Timed:
    # The engine, with a note of when each epoch ended.

    def __getattr__(self, name):
        return getattr(engine, name)

    def train(self, data, plan, progress, on_step):
        def at_end(record):
            ends.append(time.perf_counter())
            progress(record)

        engine.train(data, plan, at_end, on_step)


model._core = Timed()
model.train(epochs + 1, train_size=1.0, enable_progress_bar=False)
print(json.dumps([b - a for a, b in zip(ends, ends[1:])]))
"""

MEMORY = """
import json, resource, sys, warnings
import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
import scvi_rs

warnings.simplefilter("ignore")
cells, per_cell, genes = 600_000, 208, 2000
random = np.random.default_rng(0)
indptr = np.arange(cells + 1, dtype=np.int64) * per_cell
indices, data = np.empty(cells * per_cell, np.int32), np.empty(cells * per_cell, np.float32)
for start in range(0, cells, 10_000):
    some = slice(start * per_cell, (start + 10_000) * per_cell)
    places = random.integers(0, 9, size=(10_000, per_cell)) + 9 * np.arange(per_cell)
    indices[some] = places.ravel()
    data[some] = random.integers(1, 6, size=10_000 * per_cell)
adata = AnnData(sparse.csr_matrix((data, indices, indptr), shape=(cells, genes)))
adata.obs["batch"] = pd.Categorical.from_codes(random.integers(0, 2, cells), ["a", "b"])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
scvi_rs.model.SCVI.setup_anndata(adata, batch_key="batch")
model = scvi_rs.model.SCVI(adata)
model.train(1, train_size=0.02, enable_progress_bar=False)
model.get_latent_representation()
print(json.dumps([indptr.nbytes + indices.nbytes + data.nbytes, peak() - before]))
"""

IMPORT = """
import json, time
import anndata, numpy, pandas, scipy.sparse
start = time.perf_counter()
import scvi_rs
print(json.dumps(time.perf_counter() - start))
"""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", required=True, help="Python with the package installed")
    parser.add_argument("--sizes", nargs="+", default=["10000x2000", "3000x10000"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5, help="timed epochs in a run")
    measure.add_common_arguments(parser)
    options = parser.parse_args()
    options.program = "scvi"
    print(measure.describe_run(options), end="\n\n")
    print("| cells x genes | command, s per epoch | Python | Python / command |\n|---|---|---|---|")
    for size in options.sizes:
        print(speed(options, *map(int, size.split("x"))), flush=True)
    size, added = python(options, MEMORY).json()
    print(f"\nmemory: a matrix of {size / 1e9:.2f} GB, and {added / size:.1%} of that on top")
    times = [python(options, IMPORT).json() for _ in range(5)]
    print(f"import: {statistics.median(times):.2f} s")


def speed(options, n_cells, n_genes):
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.h5ad"
        size = ("--n-cells", n_cells, "--n-genes", n_genes, "--density", 0.08)
        measure.scvi(options, "simulate", "--output", data, *size)
        times = {"command": [], "python": []}
        for _ in range(options.rounds):
            times["command"].append(by_command(options, data, Path(folder) / "model"))
            arguments = [str(data), str(options.epochs), str(options.threads)]
            times["python"].append(statistics.median(python(options, TRAIN, *arguments).json()))
    ratios = sorted(p / c for p, c in zip(times["python"], times["command"]))
    command, own = (statistics.median(times[side]) for side in ("command", "python"))
    return (
        f"| {n_cells:,} x {n_genes:,} | {command:.3f} | {own:.3f} | "
        f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |"
    )


def by_command(options, data, model):
    words = [data, "--model", model, "--batch-key", "batch", "--train-size", 1.0]
    run = measure.scvi(options, "train", *words, "--max-epochs", options.epochs + 1)
    return run.report()["seconds_per_epoch"]


def python(options, script, *arguments):
    return measure.run([options.python, "-c", script, *arguments], options.threads)


if __name__ == "__main__":
    main()
