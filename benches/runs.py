"""What several sections do: simulate counts, and train on them with one program or the other."""

import statistics

import measure

DENSITY = 0.08


def simulated(options, n_cells, n_genes, density=DENSITY, seed=0):
    """A file of simulated counts, made unless it is there."""
    output = options.data / f"simulated_{n_cells}x{n_genes}_{density}_{seed}.h5ad"
    if not output.exists():
        words = ("--n-cells", n_cells, "--n-genes", n_genes, "--density", density, "--seed", seed)
        measure.scvi(options, "simulate", "--output", output, *words)
    return output


def train(options, data, *words, epochs, seed=0, threads=None):
    """Train with our program on all cells, one epoch longer than is timed, with further options.

    Seconds are of the training loop alone: the median epoch, without the first, which pays for
    warming up and, by what is left of the total, is known exactly where one epoch is timed. Peak
    memory is of the whole process.
    """
    model = options.models / "model"
    words = ("--model", model, "--train-size", 1, "--seed", seed, *words)
    words += ("--max-epochs", epochs + 1, "--checkpoint-every-minutes", 0)
    run = measure.scvi(options, "train", data, *words, threads=threads)
    report = run.report()
    return timed(run, report["seconds_per_epoch"]) | {
        "first_epoch_seconds": report["seconds"] - epochs * report["seconds_per_epoch"],
        "elbo_train": report["elbo_train"],
    }


def train_scvi_tools(options, data, *, epochs, batch_size, seed):
    """The same with scvi-tools, whose first epoch is not timed either."""
    run = measure.reference(
        "speed",
        options.threads,
        data=str(data),
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
    )
    return timed(run, statistics.median(run.json()["epoch_seconds"]))


def timed(run, seconds_per_epoch):
    """A record of a training run."""
    return {
        "seconds_per_epoch": seconds_per_epoch,
        "process_seconds": run.seconds,
        "peak_memory_bytes": run.peak_memory_bytes,
    }
