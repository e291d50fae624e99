"""Compares the speed and the peak memory of training in scvi-tools and scvi.

    python3 benches/compare.py [--rounds 3] [--epochs 5]

Both train on the same simulated counts with every default (ZINB, 128 hidden units, 10 latent,
minibatches of 128 cells), all cells, no validation. They take turns, so that a change of the
machine's speed meets both; each round gives one ratio, and the table shows medians with the
smallest and the largest value.

- Time per epoch is the training loop alone, without start-up, imports or reading the file. For
  scvi-tools it is the median time between the ends of successive epochs, so the first epoch is
  left out. For scvi it is the median of the column `seconds` of history.csv, likewise without
  the first, or else `seconds_per_epoch` of `train --json`.
- Peak memory is that of the whole process, as the kernel reports it when the process ends.

Run it on an otherwise idle machine: other work slows the two programs by different factors.
"""

import argparse
import csv
import json
import statistics
import tempfile
from pathlib import Path

import measure

SIZES = ["10000x2000", "3000x10000"]
MIB = 2**20


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="CELLSxGENES")
    parser.add_argument("--density", type=float, default=0.08)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5, help="timed epochs in a run")
    parser.add_argument("--batch-size", type=int, default=128)
    measure.add_common_arguments(parser)
    return parser.parse_args()


def main():
    options = arguments()
    print(measure.describe_run(options), end="\n\n")
    print("| cells x genes | measure | scvi-tools | scvi | scvi-tools / scvi |")
    print("|---|---|---|---|---|")
    for size in options.sizes:
        n_cells, n_genes = map(int, size.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "data.h5ad"
            simulate(options, data, n_cells, n_genes)
            runs = rounds(options, data)
        for line in table(f"{n_cells:,} x {n_genes:,}", n_cells, runs):
            print(line, flush=True)


def simulate(options, output, n_cells, n_genes):
    """Write the counts with `scvi simulate` where it is, else with numpy."""
    if options.scvi.exists():
        words = [options.scvi, "simulate", "--output", output, "--n-cells", n_cells]
        words += ["--n-genes", n_genes, "--density", options.density, "--seed", 0]
        measure.run([str(word) for word in words], options.threads)
    else:
        sizes = {"n_cells": n_cells, "n_genes": n_genes, "density": options.density}
        measure.reference("simulate", options.threads, output=str(output), seed=0, **sizes)


def rounds(options, data):
    """Pairs of (seconds per epoch, peak bytes) by program, one a round."""
    side = {"scvi-tools": train_scvi_tools, "scvi": train_scvi}
    runs = {program: [] for program in measure.sides(options)}
    for seed in range(options.rounds):
        for program in runs:
            runs[program].append(side[program](options, data, seed))
    return runs


def train_scvi_tools(options, data, seed):
    """One run of scvi-tools."""
    run = measure.reference(
        "speed",
        options.threads,
        data=str(data),
        epochs=options.epochs,
        batch_size=options.batch_size,
        seed=seed,
    )
    return statistics.median(run.json()["epoch_seconds"]), run.peak_memory_bytes


def train_scvi(options, data, seed):
    """One run of scvi, with one more epoch than is timed."""
    model = data.parent / f"model_{seed}"
    words = [options.scvi, "train", data, "--model", model, "--train-size", 1, "--seed", seed]
    words += ["--max-epochs", options.epochs + 1, "--batch-size", options.batch_size]
    words += ["--threads", options.threads, "--json"]
    run = measure.run([str(word) for word in words], options.threads)
    seconds = epoch_seconds(model / "history.csv") or [json.loads(run.output)["seconds_per_epoch"]]
    return statistics.median(seconds), run.peak_memory_bytes


def epoch_seconds(history):
    """Seconds of every epoch but the first, or nothing where the file does not tell."""
    if not history.exists():
        return []
    with history.open() as file:
        rows = list(csv.DictReader(file))
    return [float(row["seconds"]) for row in rows[1:] if row.get("seconds")]


def table(size, n_cells, runs):
    """The rows of one data set."""
    seconds = {program: [run[0] for run in found] for program, found in runs.items()}
    speeds = {program: [n_cells / s for s in found] for program, found in seconds.items()}
    memory = {program: [run[1] / MIB for run in found] for program, found in runs.items()}
    yield row(size, "seconds per epoch", seconds, ".3f", ratio=True)
    yield row(size, "cells per second", speeds, ",.0f", ratio=False)
    yield row(size, "peak memory, MiB", memory, ",.0f", ratio=True)


def row(size, title, sides, form, *, ratio):
    """One row: each side's spread, and if wanted that of the ratio within a round."""
    texts = [spread(sides.get(program, []), form) for program in ("scvi-tools", "scvi")]
    pairs = zip(sides.get("scvi-tools", []), sides.get("scvi", []), strict=False)
    ratios = spread([a / b for a, b in pairs], ".2f") if ratio else ""
    return f"| {size} | {title} | {texts[0]} | {texts[1]} | {ratios} |"


def spread(values, form):
    """Median (smallest-largest)."""
    if not values:
        return ""
    median, low, high = (format(f(values), form) for f in (statistics.median, min, max))
    return f"{median} ({low}-{high})"


if __name__ == "__main__":
    main()
