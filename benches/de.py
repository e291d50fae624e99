"""Compares differential expression in scvi-tools and scvi, of one and the same model.

    python3 benches/de.py DATA.h5ad --groupby cell_type [--pairs A:B ...]

scvi trains a model briefly and writes it as a save of scvi-tools; both then compare groups:

- every group against the rest, in vanilla mode over all genes: seconds of the task alone, without
  imports, reading and writing, and those and the peak memory of the whole process;
- pairs of groups in change mode: how well proba_de, and lfc_mean where proba_de is over 0.9,
  correlate over genes. Both are estimates from 5000 samples;
- scvi alone, on 20,000 and 200,000 simulated cells: what the number of cells costs.

Run it on an otherwise idle machine.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import measure

MIB = 2**20
SIZES = (20_000, 200_000)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="raw counts, .h5ad")
    parser.add_argument("--groupby", required=True)
    parser.add_argument("--pairs", nargs="*", default=[], metavar="A:B")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--genes", type=int, default=2000, help="of the simulated cells")
    parser.add_argument("--no-sizes", action="store_true", help="leave the simulated cells out")
    measure.add_common_arguments(parser)
    return parser.parse_args()


def main():
    options = arguments()
    print(measure.describe_run(options), end="\n\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, save = folder / "model", folder / "save"
        scvi(options, "train", options.data, "--model", model, "--max-epochs", options.epochs)
        scvi(options, "convert", "--model", model, "--to", "scvi-tools", "--output", save)
        one_against_rest(options, folder)
        pairs(options, folder)
    if not options.no_sizes:
        with tempfile.TemporaryDirectory() as name:
            sizes(options, Path(name))


def scvi(options, verb, *words):
    """Runs our command and gives the run."""
    words = [options.scvi, verb, *words, "--threads", options.threads, "--overwrite", "--json"]
    return measure.run([str(word) for word in words], options.threads)


def ours(options, model, data, output, *words):
    return scvi(options, "de", "--model", model, data, "--output", output, *words)


def theirs(options, folder, output, **words):
    arguments = {"data": str(options.data), "model": str(folder / "save"), "seed": 0}
    arguments |= {"groupby": options.groupby, "options": words, "output": str(output)}
    return measure.reference("differential", options.threads, **arguments)


def one_against_rest(options, folder):
    """Seconds and memory over all groups, the programs in turns."""
    found = {program: [] for program in measure.sides(options)}
    for _ in range(options.rounds):
        for program, runs in found.items():
            output = folder / f"{program}.csv"
            if program == "scvi":
                words = ("--groupby", options.groupby)
                run = ours(options, folder / "model", options.data, output, *words)
                task = json.loads(run.output)["seconds"]
            else:
                run = theirs(options, folder, output)
                task = run.json()["seconds"]
            runs.append((task, run.seconds, run.peak_memory_bytes / MIB))
    print("| one against rest | task, seconds | process, seconds | peak memory, MiB |")
    print("|---|---|---|---|")
    for program, runs in found.items():
        task, whole, memory = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"| {program} | {task:.1f} | {whole:.1f} | {memory:,.0f} |", flush=True)


def pairs(options, folder):
    """How far the two programs' estimates agree."""
    if len(measure.sides(options)) < 2 or not options.pairs:
        return
    print("\n| pair | genes | r of proba_de | proba_de over 0.9 | r of their lfc_mean |")
    print("|---|---|---|---|---|")
    for pair in options.pairs:
        a, b = pair.split(":")
        outputs = [folder / f"pair_{program}.csv" for program in ("scvi", "scvi-tools")]
        words = ("--groupby", options.groupby, "--group1", a, "--group2", b, "--mode", "change")
        ours(options, folder / "model", options.data, outputs[0], *words)
        theirs(options, folder, outputs[1], group1=a, group2=b, mode="change")
        paths = {"ours": str(outputs[0]), "theirs": str(outputs[1])}
        r = measure.reference("agreement", options.threads, **paths).json()
        print(
            f"| {a}, {b} | {r['genes']:,} | {r['proba_de']:.4f} | {r['sure']:,} "
            f"| {r['lfc_mean']:.4f} |",
            flush=True,
        )


def sizes(options, folder):
    """Of ten times as many cells, the same model's seconds."""
    print("\n| simulated cells | task, seconds | command, seconds | peak memory, MiB |")
    print("|---|---|---|---|")
    model = folder / "model"
    for n_cells in SIZES:
        data = folder / f"{n_cells}.h5ad"
        counts = ("--n-cells", n_cells, "--n-genes", options.genes)
        scvi(options, "simulate", "--output", data, *counts)
        if not model.exists():
            scvi(options, "train", data, "--model", model, "--max-epochs", 1, "--batch-key", "batch")
        words = ("--groupby", "cell_type")
        run = ours(options, model, data, folder / "table.csv", *words)
        task = json.loads(run.output)["seconds"]
        memory = run.peak_memory_bytes / MIB
        print(f"| {n_cells:,} | {task:.2f} | {run.seconds:.2f} | {memory:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
