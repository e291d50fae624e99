"""Compares how scvi-tools and scvi map a batch that a reference has never seen.

    python3 benches/mapping.py DATA.h5ad --batch-key K [--leave-out VALUE ...] [--epochs N]

For each batch left out, each program trains a reference on the others (with encode_covariates,
without which no training moves the query) and maps the batch left out, with weight decay 0. The
table shows

- accuracy: the share of query cells whose label is that of most of their 15 nearest neighbours
  among the reference's cells, in the latent space;
- moved: the largest change that mapping made to a reference cell's latent mean, and to its decoded
  expression with the decoder's batch normalisation frozen; 0 is bit-identical.
"""

import argparse
import functools
import statistics
import tempfile
from pathlib import Path

import measure


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--batch-key", required=True)
    parser.add_argument("--label-key", default="cell_type")
    parser.add_argument("--leave-out", nargs="+", help="batches to map in turn [default: all]")
    parser.add_argument("--epochs", type=int, default=100, help="of the reference, and of the query")
    parser.add_argument("--seed", type=int, default=0)
    measure.add_common_arguments(parser)
    return parser.parse_args()


def main():
    options = arguments()
    batches = options.leave_out or measure.reference(
        "values", options.threads, data=str(options.data), key=options.batch_key
    ).json()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for batch in batches:
            files = Files(Path(folder), batch)
            measure.reference(
                "leave_out",
                options.threads,
                data=str(options.data),
                key=options.batch_key,
                value=batch,
                reference=files["reference.h5ad"],
                query=files["query.h5ad"],
            )
            for program in measure.sides(options):
                side = map_with_scvi if program == "scvi" else map_with_scvi_tools
                lines.append({"program": program, "batch": batch} | side(options, files))
    print(measure.describe_run(options), end="\n\n")
    print(table(batches, lines))


class Files:
    """Names of files in a folder, those of one batch apart from the others'."""

    def __init__(self, folder, batch):
        self.folder = folder / batch.replace("/", "_")
        self.folder.mkdir()

    def __getitem__(self, name):
        return str(self.folder / name)


def map_with_scvi_tools(options, files):
    return measure.reference(
        "mapping",
        options.threads,
        reference=files["reference.h5ad"],
        query=files["query.h5ad"],
        batch_key=options.batch_key,
        label_key=options.label_key,
        epochs=options.epochs,
        seed=options.seed,
    ).json()


def map_with_scvi(options, files):
    scvi = functools.partial(measure.scvi, options)
    reference, query = files["reference.h5ad"], files["query.h5ad"]
    plan = ["--max-epochs", options.epochs, "--seed", options.seed]
    model = files["model"]
    keys = ["--batch-key", options.batch_key, "--encode-covariates"]
    run = scvi("train", reference, "--model", model, *keys, *plan)
    line = {"reference_seconds": run.report()["seconds"]}
    for name, switches in (("mapped", []), ("frozen", ["--freeze-batchnorm-decoder"])):
        map_words = ("map", "--reference", model, query, "--model", files[name])
        run = scvi(*map_words, *switches, *plan, "--output", files[f"{name}.npy"])
        line[f"{name}_seconds"] = run.report()["seconds"]
    for name in ("model", "mapped"):
        scvi("latent", "--model", files[name], reference, "--output", files[f"{name}_ref.npy"])
    for name in ("model", "frozen"):
        scvi("evaluate", "--model", files[name], reference, "--posterior-mean", "--per-cell",
             files[f"{name}.csv"])
    compared = measure.reference(
        "compare_mapping",
        options.threads,
        reference=reference,
        query=query,
        label_key=options.label_key,
        before=files["model_ref.npy"],
        after=files["mapped_ref.npy"],
        mapped=files["mapped.npy"],
    ).json()
    same = Path(files["model.csv"]).read_bytes() == Path(files["frozen.csv"]).read_bytes()
    return line | compared | {"decoded": "same" if same else "moved"}


def table(batches, lines):
    """A row for each batch left out, and the mean."""
    rows = [
        "| left out | accuracy of scvi-tools | of scvi | difference | latent moved by scvi-tools "
        "| by scvi | losses of reference cells in scvi |",
        "|---|---|---|---|---|---|---|",
    ]
    found = {(line["batch"], line["program"]): line for line in lines}
    for batch in batches:
        sides = [found.get((batch, program)) for program in ("scvi-tools", "scvi")]
        accuracies = [side and side["accuracy"] for side in sides]
        moved = [side and side["moved"] for side in sides]
        decoded = sides[1] and sides[1]["decoded"]
        rows.append(row(batch, accuracies, moved, decoded))
    programs = [[x for x in lines if x["program"] == p] for p in ("scvi-tools", "scvi")]
    means = [statistics.mean(x["accuracy"] for x in side) if side else None for side in programs]
    rows.append(row("mean", means, [None, None], None))
    return "\n".join(rows)


def row(title, accuracies, moved, decoded):
    difference = "" if None in accuracies else format(accuracies[1] - accuracies[0], "+.4f")
    numbers = ["" if value is None else format(value, ".4f") for value in accuracies]
    shifts = ["" if value is None else format(value, ".3g") for value in moved]
    return "| " + " | ".join([title, *numbers, difference, *shifts, decoded or ""]) + " |"


if __name__ == "__main__":
    main()
