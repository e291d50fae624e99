"""Training, against scvi-tools."""

import runs
from measure import MIB, sides
from tables import PROGRAMS, against, both, table

TITLE = "Training"
ABOUT = """\
Both programs train the default model (ZINB, 128 hidden units, 10 latent) on all cells of the same simulated counts (8 % of them not zero), in alternating runs. Seconds per epoch are of the training loop alone, without start-up and without the first epoch. The last column is scvi-tools' figure over ours: above 1, ours is smaller."""

CASES = [(10_000, 2_000, 128), (3_000, 10_000, 128), (10_000, 2_000, 1024)]
"""Cells, genes, batch size."""
QUICK = [(300, 100, 128), (200, 300, 128), (300, 100, 64)]
EPOCHS = 3


def missing(options, part):
    return None


def speed(options, log):
    for n_cells, n_genes, batch_size in QUICK if options.quick else CASES:
        data = runs.simulated(options, n_cells, n_genes)
        for i in range(options.rounds):
            for program in sides(options):
                key = {"n_cells": n_cells, "n_genes": n_genes, "batch_size": batch_size}
                key |= {"program": program, "round": i}
                log.once(key, one_run, options, program, data, batch_size, i)


def one_run(options, program, data, batch_size, seed):
    if program == "scvi":
        return runs.train(options, data, "--batch-size", batch_size, epochs=EPOCHS, seed=seed)
    return runs.train_scvi_tools(options, data, epochs=EPOCHS, batch_size=batch_size, seed=seed)


PARTS = {"speed": speed}


def cases(records):
    """Label and key of each combination of sizes."""
    fields = ("n_cells", "n_genes", "batch_size")
    keys = dict.fromkeys(tuple(record[field] for field in fields) for record in records)
    for cells, genes, batch in keys:
        key = dict(zip(fields, (cells, genes, batch), strict=True))
        yield f"{cells:,} x {genes:,}, batches of {batch:,}", key


def tables(parts):
    found = parts.get("speed", [])
    rows = []
    for label, key in cases(found):
        seconds = against(found, "seconds_per_epoch", ".3g", **key)
        memory = against(found, "peak_memory_bytes", ",.0f", 1 / MIB, **key)
        rows += [[label, "seconds per epoch", *seconds], ["", "peak memory, MiB", *memory]]
    if rows:
        yield from table(["cells x genes", "", *PROGRAMS, "scvi-tools / scvi"], rows)


def figures(parts):
    found = parts.get("speed", [])
    keys = list(cases(found))
    panels = [
        {"kind": "dots", "x": title, "series": both(found, field, keys, scale)}
        for title, field, scale in (
            ("seconds per epoch", "seconds_per_epoch", 1),
            ("peak memory, MiB", "peak_memory_bytes", 1 / MIB),
        )
    ]
    return [{"name": "training", "title": "Training", "panels": panels}] if found else []
