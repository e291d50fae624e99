"""How time and memory of training grow."""

import math
import statistics

import runs
from measure import MIB
from tables import column, distinct, select, series, spread, table

TITLE = "Growth"
ABOUT = """\
scvi alone: the median epoch of training with every default but for the quantity that grows, on simulated counts. The exponent is the slope of the straight line fitted to the logarithms of seconds and quantity: 1 is proportional, 0 is constant. Density is the one that was asked of `scvi simulate`."""
PROGRAMS = ("scvi",)

FULL = {
    "cells": [10_000, 30_000, 100_000, 300_000, 1_000_000],
    "genes": [1_000, 2_000, 5_000, 10_000, 20_000, 30_000],
    "density": [0.02, 0.05, 0.1, 0.2, 0.3],
    "batch_size": [64, 128, 256, 512, 1024, 2048],
}
QUICK = {
    "cells": [200, 400, 800],
    "genes": [50, 100, 200],
    "density": [0.02, 0.3],
    "batch_size": [64, 128],
}
SMALL = {"cells": 10_000, "genes": 2_000, "few_cells": 3_000}
QUICK_SMALL = {"cells": 400, "genes": 100, "few_cells": 200}
CELLS_IN_A_RUN = 400_000
"""Epochs are so many that a run sees this many cells: one or more, and five at the most."""


def missing(options, part):
    return None


def values(options, part):
    """What the quantity is in turn."""
    if part != "threads":
        return (QUICK if options.quick else FULL)[part]
    powers = [2**i for i in range(options.threads.bit_length())]
    return list(dict.fromkeys([n for n in powers if n <= options.threads] + [options.threads]))


def part(name):
    """The function that measures a part."""

    def measure(options, log):
        for value in values(options, name):
            for i in range(options.rounds):
                log.once({"value": value, "round": i}, point, options, name, value, i)

    return measure


def point(options, name, value, seed):
    """A training run with one quantity set."""
    small = QUICK_SMALL if options.quick else SMALL
    n_cells = value if name == "cells" else small["few_cells" if name == "genes" else "cells"]
    n_genes = value if name == "genes" else small["genes"]
    density = value if name == "density" else runs.DENSITY
    data = runs.simulated(options, n_cells, n_genes, density)
    words = ("--batch-size", value) if name == "batch_size" else ()
    threads = value if name == "threads" else None
    epochs = max(1, min(5, CELLS_IN_A_RUN // n_cells))
    record = runs.train(options, data, *words, epochs=epochs, seed=seed, threads=threads)
    return record | {"n_cells": n_cells, "n_genes": n_genes}


PARTS = {name: part(name) for name in ("cells", "genes", "density", "batch_size", "threads")}

TITLES = {
    "cells": "cells",
    "genes": "genes",
    "density": "share of counts that are not zero",
    "batch_size": "batch size, cells",
    "threads": "threads",
}


def size(found, name):
    """What does not grow."""
    cells, genes = f"{found[0]['n_cells']:,} cells", f"{found[0]['n_genes']:,} genes"
    return {"cells": genes, "genes": cells}.get(name, f"{cells}, {genes}")


def tables(parts):
    for name in PARTS:
        if found := parts.get(name):
            heads = [
                f"{TITLES[name]} ({size(found, name)})",
                "seconds per epoch",
                "µs per cell",
                "peak memory, MiB",
            ]
            yield from table(heads, [row(found, value) for value in distinct(found, "value")])
            yield f"\nExponent of seconds: {exponent(found):.2f}.\n"


def row(found, value):
    seconds = column(found, "seconds_per_epoch", value=value)
    n_cells = select(found, value=value)[0]["n_cells"]
    memory = column(found, "peak_memory_bytes", value=value)
    return [
        f"{value:,}",
        spread(seconds, ".3g"),
        spread(seconds, ".3g", 1e6 / n_cells),
        spread(memory, ",.0f", 1 / MIB),
    ]


def exponent(found):
    """The slope of ln seconds over ln value; 0 of a single value."""
    points = [
        (
            math.log(value),
            math.log(statistics.median(column(found, "seconds_per_epoch", value=value))),
        )
        for value in distinct(found, "value")
    ]
    return statistics.linear_regression(*zip(*points)).slope if points[1:] else 0.0


def figures(parts):
    every = []
    for name, plot in (("growth_cells", ["cells"]), ("growth_genes", ["genes"])):
        panels = [p for x in plot if x in parts for p in (panel(parts, x), memory(parts, x))]
        every.append({"name": name, "title": f"Growth with {plot[0]}", "panels": panels})
    rest = [panel(parts, name) for name in ("density", "batch_size", "threads") if name in parts]
    every.append({"name": "growth_settings", "title": "Growth with other settings", "panels": rest})
    return [figure for figure in every if figure["panels"]]


def panel(parts, name):
    """Seconds over the quantity, and the line that its first point and proportionality draw."""
    found = parts[name]
    shown = series("scvi", points(found, "seconds_per_epoch", 1))
    sign = -1 if name == "threads" else 1
    line = [shown["y"][0] * (x / shown["x"][0]) ** sign for x in shown["x"]]
    guide = {"label": "1 / threads" if sign < 0 else "proportional", "x": shown["x"], "y": line}
    guides = [] if name == "batch_size" else [guide]
    words = {"x": TITLES[name], "y": "seconds per epoch", "title": size(found, name)}
    return {"kind": "lines", "log": True, "series": [shown], "guides": guides} | words


def memory(parts, name):
    found = parts[name]
    shown = series("scvi", points(found, "peak_memory_bytes", 1 / MIB))
    words = {"x": TITLES[name], "y": "peak memory, MiB", "title": size(found, name)}
    return {"kind": "lines", "log": True, "series": [shown], "guides": []} | words


def points(found, field, scale):
    return [
        (value, [v * scale for v in column(found, field, value=value)])
        for value in distinct(found, "value")
    ]
