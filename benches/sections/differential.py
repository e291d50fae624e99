"""Differential expression, against scvi-tools."""

import runs
from measure import MIB, reference, scvi, sides
from tables import PROGRAMS, against, column, distinct, select, series, spread, table

TITLE = "Differential expression"
ABOUT = """\
One and the same model of pbmc3k (2,700 cells x 32,738 genes, 10x Genomics; `--pbmc3k`), trained for 15 epochs and converted for scvi-tools. Every group is compared with the rest, in vanilla mode over all genes: seconds are of the task alone, without imports, reading and writing. Then pairs of groups are compared in change mode, and both programs' scores correlated over genes; both are estimates from 5,000 samples. Last, scvi alone on simulated cells: what their number costs."""

EPOCHS = 15
PAIRS = [("B", "NK"), ("CD14+ Mono", "Memory CD4 T")]
CELLS = [20_000, 200_000]
GENES = 2_000
QUICK_CELLS = [300, 1_000]
QUICK_GENES = 100


def missing(options, part):
    if part != "sizes" and not (options.pbmc3k and options.pbmc3k.exists()):
        return f"{options.pbmc3k or 'pbmc3k'} is not there (--pbmc3k PATH)"
    return None


def one_against_rest(options, log):
    where = models(options)
    groups = {
        "group1": reference("values", 1, data=str(options.pbmc3k), key=options.groupby).json()
    }
    if options.quick:
        groups["group1"] = groups["group1"][:1]
    for i in range(options.rounds):
        for program in sides(options):
            key = {"groups": len(groups["group1"]), "program": program, "round": i}
            log.once(key, compare, options, program, where, groups)


def pairs(options, log):
    where = models(options)
    for a, b in PAIRS[:1] if options.quick else PAIRS:
        key = {"pair": f"{a}, {b}"}
        log.once(key, agreement, options, where, {"group1": [a], "group2": b, "mode": "change"})


def models(options):
    """A model of pbmc3k by program."""
    model, save = options.models / "pbmc3k_model", options.models / "pbmc3k_save"
    epochs = 1 if options.quick else EPOCHS
    scvi(options, "train", options.pbmc3k, "--model", model, "--max-epochs", epochs)
    scvi(options, "convert", "--model", model, "--to", "scvi-tools", "--output", save)
    return {"scvi": model, "scvi-tools": save}


def compare(options, program, where, words):
    """One run of a program, its table under its name."""
    output = options.models / f"{program}.csv"
    if program == "scvi":
        run = ours(options, where["scvi"], options.pbmc3k, output, options.groupby, words)
        seconds = run.report()["seconds"]
    else:
        arguments = {"data": str(options.pbmc3k), "model": str(where[program]), "seed": 0}
        arguments |= {"groupby": options.groupby, "options": words, "output": str(output)}
        run = reference("differential", options.threads, **arguments)
        seconds = run.json()["seconds"]
    return {
        "seconds": seconds,
        "process_seconds": run.seconds,
        "peak_memory_bytes": run.peak_memory_bytes,
    }


def ours(options, model, data, output, groupby, words):
    """`scvi de` with scvi-tools' arguments."""
    typed = []
    for name, value in words.items():
        typed += [f"--{name}", *(value if isinstance(value, list) else [value])]
    return scvi(
        options, "de", "--model", model, data, "--output", output, "--groupby", groupby, *typed
    )


def agreement(options, where, words):
    """How far the two programs' estimates agree."""
    for program in PROGRAMS:
        compare(options, program, where, words)
    paths = (str(options.models / f"{program}.csv") for program in ("scvi", "scvi-tools"))
    return reference("agreement", options.threads, **dict(zip(("ours", "theirs"), paths))).json()


def sizes(options, log):
    """Of ten times as many cells, the same model's seconds."""
    cells, genes = (QUICK_CELLS, QUICK_GENES) if options.quick else (CELLS, GENES)
    model = options.models / "simulated_model"
    words = ("--model", model, "--max-epochs", 1, "--batch-key", "batch")
    scvi(options, "train", runs.simulated(options, cells[0], genes), *words)
    for n_cells in cells:
        data = runs.simulated(options, n_cells, genes)
        for i in range(options.rounds):
            log.once({"n_cells": n_cells, "round": i}, simulated_cells, options, model, data)


def simulated_cells(options, model, data):
    run = ours(options, model, data, options.models / "simulated.csv", "cell_type", {})
    return {
        "seconds": run.report()["seconds"],
        "process_seconds": run.seconds,
        "peak_memory_bytes": run.peak_memory_bytes,
    }


PARTS = {"one_against_rest": one_against_rest, "pairs": pairs, "sizes": sizes}

MEASURES = [
    ("task, seconds", "seconds", ".3g", 1),
    ("process, seconds", "process_seconds", ".3g", 1),
    ("peak memory, MiB", "peak_memory_bytes", ",.0f", 1 / MIB),
]


def tables(parts):
    if found := parts.get("one_against_rest"):
        heads = [f"one against rest, {found[0]['groups']} groups", *PROGRAMS, "scvi-tools / scvi"]
        yield from table(heads, [[m[0], *against(found, *m[1:])] for m in MEASURES])
        yield ""
    if found := parts.get("pairs"):
        heads = ["pair", "genes", "r of proba_de", "proba_de over 0.9", "r of their lfc_mean"]
        forms = {"genes": ",", "proba_de": ".4f", "sure": ",", "lfc_mean": ".4f"}
        yield from table(
            heads, [[r["pair"], *(format(r[f], form) for f, form in forms.items())] for r in found]
        )
        yield ""
    if found := parts.get("sizes"):
        rows = [
            [
                f"{n:,}",
                *(spread(column(found, f, n_cells=n), form, by) for _, f, form, by in MEASURES),
            ]
            for n in distinct(found, "n_cells")
        ]
        yield from table(["simulated cells", *(m[0] for m in MEASURES)], rows)


def figures(parts):
    found = parts.get("one_against_rest")
    if not found:
        return []
    panels = []
    for title, field, _, scale in (MEASURES[0], MEASURES[2]):
        shown = [
            series(p, [("one against rest", [v * scale for v in column(found, field, program=p)])])
            for p in PROGRAMS
            if select(found, program=p)
        ]
        panels.append({"kind": "dots", "x": title, "series": shown})
    return [{"name": "differential", "title": "Differential expression", "panels": panels}]
