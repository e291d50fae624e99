"""Compares get_normalized_expression in scvi-tools and `scvi normalize`, in time and peak memory.

    python3 benches/normalize.py [--rounds 3] [--cells 10000] [--large 200000]

A model is trained for one epoch, and converted for scvi-tools. Both decode one draw of every cell
at library size 1, from counts in memory; they take turns. Times are of the task alone for
scvi-tools, and for scvi of the whole command, which reads the input and writes a .npy beside. Then
scvi alone adds a layer to a file of --large cells, whose result is larger than the memory it is to
stay in: that peak is the last line.

Run it on an otherwise idle machine: other work slows the two programs by different factors.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import measure

MIB = 2**20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--genes", type=int, default=2_000)
    parser.add_argument("--large", type=int, default=200_000, help="0 leaves that part out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scvi", default=measure.ROOT / "target/release/scvi")
    parser.add_argument("--folder", default=None, help="where the files are made")
    return parser.parse_args()


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        compare(options, Path(folder))


def compare(options, folder):
    def scvi(*words):
        command = [options.scvi, *words, "--threads", options.threads, "--quiet"]
        return measure.run([str(word) for word in command], options.threads)

    data, model, save = folder / "data.h5ad", folder / "model", folder / "save"
    scvi("simulate", "--n-cells", options.cells, "--n-genes", options.genes, "--output", data)
    scvi("train", data, "--batch-key", "batch", "--max-epochs", 1, "--model", model)
    scvi("convert", "--model", model, "--to", "scvi-tools", "--output", save)
    ours, theirs = [], []
    for _ in range(options.rounds):
        run = measure.reference("normalize", options.threads, data=str(data), model=str(save))
        theirs.append((run.json(), run.peak_memory_bytes))
        output = folder / "result.npy"
        run = scvi("normalize", "--model", model, data, "--output", output, "--overwrite")
        ours.append((run.seconds, run.peak_memory_bytes))
    for name, runs in [("scvi-tools", theirs), ("scvi", ours)]:
        seconds = statistics.median(seconds for seconds, _ in runs)
        peak = max(peak for _, peak in runs) / MIB
        print(f"{name:12}{options.cells} cells: {seconds:.2f} s, peak {peak:.0f} MiB")
    ratios = [a[0] / b[0] for a, b in zip(theirs, ours)]
    print(f"ratio {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})")
    if options.large:
        large, output = folder / "large.h5ad", folder / "normalized.h5ad"
        scvi("simulate", "--n-cells", options.large, "--n-genes", options.genes, "--output", large)
        run = scvi("normalize", "--model", model, large, "--output", output)
        size = output.stat().st_size / MIB
        peak = run.peak_memory_bytes / MIB
        print(f"scvi, {options.large} cells to .h5ad ({size:.0f} MiB): "
              f"{run.seconds:.1f} s, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()
