"""Training from disk, against training from memory."""

import runs
from measure import MIB, reference, run, scvi
from tables import column, distinct, series, spread, table

TITLE = "Out of core"
ABOUT = """\
scvi alone, training with counts that stay on disk (`--in-memory never`) against counts in memory (`--in-memory always`), in alternating runs on the same simulated counts. Speed: 1,000,000 x 2,000, batches of 1,024; the file as anndata writes it, plain or compressed by gzip; the first epoch is apart, for it writes the copy of `--cache`. What is learned: 100,000 cells, a tenth set aside, the ELBO of the cells set aside (nats a cell, higher is better, mean of ten draws) after 10 epochs with KL warm-up over half of them; in memory all cells are shuffled, from disk blocks of neighbouring cells are drawn into a buffer and shuffled there; the file in random order, or sorted by cell type, which is the hardest for blocks."""
PROGRAMS = ("scvi",)

FULL = {"cells": 1_000_000, "genes": 2_000, "batch_size": 1024, "held_out": 100_000, "epochs": 10}
QUICK = {"cells": 2_000, "genes": 100, "batch_size": 64, "held_out": 1_000, "epochs": 2}
SEEDS = [0, 1, 2]
DRAWS = 10

MEMORY = ("--in-memory", "always")
DISK = ("--in-memory", "never")
SPEED = {
    "plain file, in memory": ("plain", MEMORY),
    "plain file, on disk, blocks": ("plain", (*DISK, "--shuffle", "blocks")),
    "gzip file, in memory": ("gzip", MEMORY),
    "gzip file, on disk, blocks": ("gzip", (*DISK, "--shuffle", "blocks")),
    "gzip file, cached, blocks": ("gzip", (*DISK, "--shuffle", "blocks", "--cache", "CACHE")),
}
"""Label, file and options; CACHE stands for a folder."""
BASE = "plain file, in memory"

ORDERS = ("random", "sorted")
SHUFFLES = {
    "in memory": MEMORY,
    "blocks, defaults": (*DISK, "--shuffle", "blocks"),
    **{
        f"blocks of {block:,}, buffer {size:,}": (
            *DISK,
            "--shuffle",
            "blocks",
            "--block-size",
            block,
            "--buffer-size",
            size,
        )
        for block, size in ((256, 16_384), (4_096, 4_096))
    },
}


def missing(options, part):
    words = run([str(options.scvi), "train", "--help"], 1).output
    absent = [x for x in ("--in-memory", "--shuffle", "--cache", "--block-size") if x not in words]
    return f"`scvi train` has no {', '.join(absent)}" if absent else None


def sizes(options):
    return QUICK if options.quick else FULL


def speed(options, log):
    size = sizes(options)
    source = runs.simulated(options, size["cells"], size["genes"])
    files = {form: rewritten(options, source, form) for form in ("plain", "gzip")}
    for i in range(options.rounds):
        for case, (form, words) in SPEED.items():
            key = {"case": case, "n_cells": size["cells"], "round": i}
            log.once(key, one_run, options, files[form], words, size["batch_size"], i)


def rewritten(options, source, form, order="random"):
    """The same cells as anndata writes them, made unless they are there."""
    output = source.with_name(f"{source.stem}_{form}_{order}.h5ad")
    if not output.exists():
        sort_by = "cell_type" if order == "sorted" else None
        arguments = {"data": str(source), "output": str(output), "sort_by": sort_by}
        reference("rewrite", options.threads, compress=form == "gzip", **arguments)
    return output


def one_run(options, data, words, batch_size, seed):
    words = [options.models if word == "CACHE" else word for word in words]
    return runs.train(options, data, *words, "--batch-size", batch_size, epochs=1, seed=seed)


def quality(options, log):
    size = sizes(options)
    source = runs.simulated(options, size["held_out"], size["genes"])
    train, test = (source.with_name(f"{source.stem}_{x}.h5ad") for x in ("train", "test"))
    if not train.exists():
        paths = {"data": str(source), "train": str(train), "test": str(test)}
        reference("split", options.threads, **paths)
    for seed in SEEDS[:1] if options.quick else SEEDS:
        for order in ORDERS:
            data = rewritten(options, train, "plain", order)
            for shuffle, words in SHUFFLES.items():
                key = {"shuffle": shuffle, "order": order, "seed": seed}
                log.once(key, held_out, options, data, test, words, seed)


def held_out(options, data, test, words, seed):
    """Train, and evaluate what was set aside."""
    model = options.models / "quality_model"
    plan = ("--train-size", 1, "--max-epochs", sizes(options)["epochs"], "--seed", seed)
    plan += ("--n-epochs-kl-warmup", "auto")
    trained = scvi(options, "train", data, "--model", model, *plan, *words).report()
    evaluate = ("evaluate", "--model", model, test, "--seed")
    elbo = [scvi(options, *evaluate, draw).report()["elbo"] for draw in range(DRAWS)]
    return {"elbo": sum(elbo) / DRAWS, "seconds_per_epoch": trained["seconds_per_epoch"]}


PARTS = {"speed": speed, "quality": quality}


def tables(parts):
    if found := parts.get("speed"):
        heads = ["", "cells per second", "of memory's", "first epoch, seconds", "peak memory, MiB"]
        yield from table(heads, [speed_row(found, case) for case in distinct(found, "case")])
        yield ""
    if found := parts.get("quality"):
        seeds = distinct(found, "seed")
        heads = ["shuffle", "order of the file", *(f"seed {s}" for s in seeds), "less in memory"]
        rows = [
            quality_row(found, shuffle, order, seeds)
            for shuffle in distinct(found, "shuffle")
            for order in distinct(found, "order")
        ]
        yield from table(heads, rows)


def rates(found, case):
    return [r["n_cells"] / r["seconds_per_epoch"] for r in found if r["case"] == case]


def speed_row(found, case):
    ratios = [a / b for a, b in zip(rates(found, case), rates(found, BASE))]
    return [
        case,
        spread(rates(found, case), ",.0f"),
        spread(ratios, ".2f"),
        spread(column(found, "first_epoch_seconds", case=case), ".3g"),
        spread(column(found, "peak_memory_bytes", case=case), ",.0f", 1 / MIB),
    ]


def quality_row(found, shuffle, order, seeds):
    key = {"shuffle": shuffle, "order": order}
    elbo = {seed: column(found, "elbo", **key, seed=seed) for seed in seeds}
    base = {"shuffle": "in memory", "order": order}
    memory = {seed: column(found, "elbo", **base, seed=seed) for seed in seeds}
    less = [a - b for seed in seeds for a, b in zip(elbo[seed], memory[seed])]
    return [shuffle, order, *(spread(v, ".2f") for v in elbo.values()), spread(less, "+.2f")]


def figures(parts):
    panels = []
    if found := parts.get("speed"):
        cases = distinct(found, "case")
        rate = series("scvi", [(case, rates(found, case)) for case in cases])
        sizes_ = [(c, [v / MIB for v in column(found, "peak_memory_bytes", case=c)]) for c in cases]
        panels = [
            {"kind": "dots", "x": "cells per second", "series": [rate]},
            {"kind": "dots", "x": "peak memory, MiB", "series": [series("scvi", sizes_)]},
        ]
    every = [{"name": "out_of_core_speed", "title": "Out of core: speed", "panels": panels}]
    if found := parts.get("quality"):
        shuffles, orders = distinct(found, "shuffle"), distinct(found, "order")
        points = {
            order: [(s, column(found, "elbo", order=order, shuffle=s)) for s in shuffles]
            for order in orders
        }
        shown = [series(f"file in {order} order", points[order]) for order in orders]
        panel = {"kind": "dots", "linear": True, "x": "held-out ELBO, nats a cell", "series": shown}
        title = "Out of core: held-out ELBO"
        every.append({"name": "out_of_core_quality", "title": title, "panels": [panel]})
    return [figure for figure in every if figure["panels"]]
