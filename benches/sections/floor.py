"""What share of the computed floor a training step reaches."""

import runs
from measure import run
from tables import column, distinct, select, spread, table

TITLE = "The floor"
ABOUT = """\
How fast a training step could be on this machine, and how fast it is: one minibatch of 128 cells, ZINB, 128 hidden units, 10 latent, f32, the default model. The floor is

    FLOP / FMA peak + bytes / bandwidth + elements x elementwise / threads

with the machine's limits measured in the same run, on as many threads, by `crates/scvi-kernels/examples/machine_limits.rs`:

- FLOP of the matrix products: forward, input gradient and weight gradient of two heads (genes x hidden) and of the dense hidden layers, forward and weight gradient of the sparse first layer (2 x counts x hidden each);
- bytes: every weight is read forward; with its gradient, it and two moments of Adam are read and written (28 bytes a weight). Of each cell and gene, the scale's logit waits for the softmax's sum, and its gradient for the gradient's: written and read twice (16 bytes). Bandwidth is that of reading two arrays and writing one, together as large as the step's weights and moments, so that caches help as they help the step;
- elementwise: of each cell and gene two exponentials, a logarithm and a division, in short vector loops within the first-level cache.

A step is the median epoch over its number of minibatches. The peak of the heads' products is what the matrix product library reaches at their shapes, one thread beside the other. The FLOP are those of products that skip nothing. With AVX-512 the heads' three products leave out what belongs to zeros of the hidden layer, nearly half of its values, so that a step can come below this floor's share for products; the floor is left as it was, for shares to be comparable."""
PROGRAMS = ("scvi",)

FULL = {"genes": [2_000, 10_000], "steps": 100}
QUICK = {"genes": [300], "steps": 5}
CELLS, HIDDEN, LATENT = 128, 128, 10
EPOCHS = 3


def missing(options, part):
    if options.limits.exists():
        return None
    return "no machine_limits: cargo build --release -p scvi-kernels --example machine_limits"


def step(options, log):
    size = QUICK if options.quick else FULL
    for genes in size["genes"]:
        data = runs.simulated(options, size["steps"] * CELLS, genes)
        for threads in dict.fromkeys([1, options.threads]):
            for i in range(options.rounds):
                key = {"n_genes": genes, "threads": threads, "round": i}
                log.once(key, one_step, options, data, genes, threads, size["steps"], i)


def one_step(options, data, genes, threads, steps, seed):
    """The machine's limits, then a step's time."""
    limits = run([str(options.limits), str(threads), str(genes)], threads).json()
    trained = runs.train(options, data, epochs=EPOCHS, seed=seed, threads=threads)
    return limits | {"step_seconds": trained["seconds_per_epoch"] / steps} | floor(limits, genes)


def floor(limits, genes):
    """Seconds of each part of the floor."""
    threads, elements = limits["threads"], CELLS * genes
    weights = 3 * genes * HIDDEN
    moved = 28 * weights + 16 * elements
    return {
        "products_seconds": flop(genes) / (limits["fma_gflops"] * 1e9),
        "memory_seconds": moved / (limits["bandwidth_gb_per_s"] * 1e9),
        "elementwise_seconds": elements * limits["elementwise_ns"] * 1e-9 / threads,
    }


def flop(genes, density=runs.DENSITY):
    """Multiplications and additions of one step's matrix products."""
    heads = 3 * 2 * 2 * CELLS * genes * HIDDEN
    # mean and variance of z, and the decoder's hidden layer
    hidden = 3 * 3 * 2 * CELLS * HIDDEN * LATENT
    sparse = 2 * 2 * density * CELLS * genes * HIDDEN
    return heads + hidden + sparse


PARTS = {"step": step}
LIMITS = [
    ("FMA peak, GFLOP/s", "fma_gflops", ".0f", 1),
    ("products of the heads' shapes, GFLOP/s", "gemm_gflops", ".0f", 1),
    ("bandwidth, GB/s", "bandwidth_gb_per_s", ".0f", 1),
    ("elementwise, ns per element and thread", "elementwise_ns", ".2f", 1),
]
FLOOR = [
    ("matrix products", "products_seconds", ".2f", 1e3),
    ("memory", "memory_seconds", ".2f", 1e3),
    ("elementwise", "elementwise_seconds", ".2f", 1e3),
]


def cases(found):
    for genes in distinct(found, "n_genes"):
        for threads in distinct(found, "threads"):
            yield {"n_genes": genes, "threads": threads}


def label(key):
    return f"{key['n_genes']:,} genes, {key['threads']} thread{'s' * (key['threads'] > 1)}"


def tables(parts):
    if found := parts.get("step"):
        keys = list(cases(found))
        heads = ["one step", *map(label, keys)]
        lines = LIMITS + [(f"floor: {title}, ms", *rest) for title, *rest in FLOOR]
        rows = [
            [title, *(spread(column(found, field, **key), form, scale) for key in keys)]
            for title, field, form, scale in lines
        ]
        rows.append(["floor, ms", *(spread(floors(found, key), ".2f", 1e3) for key in keys)])
        measured = (spread(column(found, "step_seconds", **key), ".2f", 1e3) for key in keys)
        rows.append(["measured, ms", *measured])
        rows.append(
            ["share of the floor reached", *(spread(shares(found, key), ".0%") for key in keys)]
        )
        yield from table(heads, rows)


def floors(found, key):
    return [sum(record[field] for _, field, *_ in FLOOR) for record in select(found, **key)]


def shares(found, key):
    """Floor over measured time, round by round."""
    return [a / b for a, b in zip(floors(found, key), column(found, "step_seconds", **key))]


def figures(parts):
    found = parts.get("step")
    if not found:
        return []
    bars = []
    for key in cases(found):
        record = min(select(found, **key), key=lambda record: record["step_seconds"])
        floor_parts = [[title, 1e3 * record[field]] for title, field, *_ in FLOOR]
        bars.append({"label": f"{label(key)}: floor", "parts": floor_parts})
        measured = [["measured", 1e3 * record["step_seconds"]]]
        bars.append({"label": "measured", "parts": measured})
    panel = {"kind": "stack", "x": "ms per step (fastest round)", "bars": bars}
    return [{"name": "floor", "title": "A step and its floor", "panels": [panel]}]
