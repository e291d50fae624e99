"""Compares what scvi-tools and scvi learn from the same data.

    python3 benches/quality.py DATA.h5ad [--batch-key K] [--epochs N] [--seeds 0 1 2]

A fixed tenth of the cells is set aside. Each program trains on the rest, once a seed, with
scvi-tools' defaults and the same number of epochs; then the table shows, in nats a cell:

- the held-out ELBO, the mean of ten posterior draws (higher is better);
- how well 15 nearest neighbours in the latent space of all cells predict the label.

With --whole, training is on all cells with every default, and only the second is shown.
--results names a JSON-lines file: runs found there are not repeated, new ones are appended.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import measure

DRAWS = 10


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--batch-key")
    parser.add_argument("--label-key", default="cell_type")
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--results", type=Path)
    measure.add_common_arguments(parser)
    return parser.parse_args()


def main():
    options = arguments()
    results = Results(options.results)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        train, test = parts(options, Path(folder))
        for seed in options.seeds:
            for program in measure.sides(options):
                key = {
                    "program": program,
                    "data": options.data.stem,
                    "batch_key": options.batch_key,
                    "seed": seed,
                    "whole": options.whole,
                }
                if not options.whole:
                    key["epochs"] = options.epochs
                line = results.find(key)
                if line is None:
                    line = one_run(options, key, train, test, Path(folder))
                    results.add(line)
                lines.append(line)
    print(measure.describe_run(options), end="\n\n")
    print(table(options, lines))


class Results:
    """Finished runs, kept in a JSON-lines file if one is named."""

    def __init__(self, path):
        self.path, self.lines = path, []
        if path and path.exists():
            self.lines = [json.loads(line) for line in path.read_text().splitlines()]

    def find(self, key):
        """The last line that has all of `key`."""
        found = [line for line in self.lines if key.items() <= line.items()]
        return found[-1] if found else None

    def add(self, line):
        self.lines.append(line)
        if self.path:
            with self.path.open("a") as file:
                file.write(json.dumps(line) + "\n")


def parts(options, folder):
    """The files to train on and to test on."""
    if options.whole:
        return options.data, None
    train, test = folder / "train.h5ad", folder / "test.h5ad"
    measure.reference(
        "split", options.threads, data=str(options.data), train=str(train), test=str(test)
    )
    return train, test


def one_run(options, key, train, test, folder):
    """Train one program with one seed, and describe the result."""
    latent = folder / "latent.npy"
    side = train_scvi if key["program"] == "scvi" else train_scvi_tools
    line = key | side(options, key["seed"], train, test, latent)
    if "elbo_draws" in line:
        line["elbo"] = statistics.mean(line["elbo_draws"])
    line["knn_accuracy"] = measure.reference(
        "accuracy",
        options.threads,
        data=str(options.data),
        latent=str(latent),
        label_key=options.label_key,
    ).json()
    return line | {"threads": options.threads}


def train_scvi_tools(options, seed, train, test, latent):
    """One run of scvi-tools."""
    run = measure.reference(
        "quality",
        options.threads,
        data=str(options.data),
        train=str(train),
        test=test and str(test),
        batch_key=options.batch_key,
        epochs=options.epochs,
        seed=seed,
        latent=str(latent),
    )
    return run.json() | {"peak_memory_bytes": run.peak_memory_bytes}


def train_scvi(options, seed, train, test, latent):
    """One run of scvi: train, evaluate, latent."""
    model = latent.parent / f"model_{seed}"
    words = [train, "--model", model, "--seed", seed]
    if test:
        words += ["--train-size", "1", "--max-epochs", options.epochs]
    if options.batch_key:
        words += ["--batch-key", options.batch_key]
    run = measure.scvi(options, "train", *words)
    summary = run.report()
    line = {
        "version": measure.run([options.scvi, "--version"], 1).output.strip(),
        "seconds": summary["seconds"],
        "epochs": summary["epochs"],
        "peak_memory_bytes": run.peak_memory_bytes,
    }
    if test:
        line["elbo_draws"] = held_out_elbo(options, model, test)
    measure.scvi(options, "latent", "--model", model, options.data, "--output", latent)
    return line


def held_out_elbo(options, model, test):
    """The mean ELBO of cells, once a draw."""
    words = ("evaluate", "--model", model, test, "--seed")
    return [measure.scvi(options, *words, draw).report()["elbo"] for draw in range(DRAWS)]


def table(options, lines):
    """The markdown table of all runs: a row a measure and seed, then mean and spread."""
    measures = [("accuracy", "knn_accuracy", ".4f")]
    if not options.whole:
        measures.insert(0, ("held-out ELBO", "elbo", ".2f"))
    rows = ["| measure | seed | scvi-tools | scvi | difference |", "|---|---|---|---|---|"]
    for title, field, form in measures:
        values = {
            program: [line[field] for line in lines if line["program"] == program]
            for program in ("scvi-tools", "scvi")
        }
        for i, seed in enumerate(options.seeds):
            rows.append(row(title, seed, [v[i : i + 1] for v in values.values()], form))
        rows.append(row(title, "mean", list(values.values()), form))
        spreads = [format(statistics.stdev(v), form) if v[1:] else "" for v in values.values()]
        rows.append(f"| {title} | sd | {spreads[0]} | {spreads[1]} | |")
    return "\n".join(rows)


def row(title, label, sides, form):
    """One row: the mean of each side, and scvi less scvi-tools where both are there."""
    means = [statistics.mean(side) if side else None for side in sides]
    texts = ["" if mean is None else format(mean, form) for mean in means]
    difference = "" if None in means else format(means[1] - means[0], "+" + form)
    return f"| {title} | {label} | {texts[0]} | {texts[1]} | {difference} |"


if __name__ == "__main__":
    main()
