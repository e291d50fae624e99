"""What a trained model is asked for, against scvi-tools."""

import runs
from measure import MIB, reference, scvi, sides
from tables import PROGRAMS, against, both, column, distinct, select, spread, table

TITLE = "Inference"
ABOUT = """\
One and the same model, trained for an epoch and converted for scvi-tools, does each task for all cells. Seconds are of the task alone, without imports, and without reading the model and the cells. For scvi-tools it is the second call in its process, so that warming up does not count. Where our command does not report the task's own time, that of the whole process, with reading and writing, stands for it, marked \\*. Results that are one number are shown: both programs draw, so that they agree but for chance. scvi-tools' ELBO is one call; our command evaluates ELBO, reconstruction and KL at once, and adds the marginal likelihood to them."""
PROGRAMS_OF = PROGRAMS

FULL = {"cells": 10_000, "genes": 2_000, "mc_samples": 100, "large": 200_000}
QUICK = {"cells": 300, "genes": 100, "mc_samples": 3, "large": 1_000}
TASKS = {
    "latent": "latent representation",
    "elbo": "ELBO",
    "marginal_ll": "marginal likelihood, {mc_samples} draws",
    "normalized": "normalised expression",
    "sample": "posterior predictive sample",
}


def sizes(options):
    return QUICK if options.quick else FULL


def missing(options, part):
    return None


def tasks(options, log):
    size = sizes(options)
    data = runs.simulated(options, size["cells"], size["genes"])
    model, save = trained(options, data)
    scvi(options, "convert", "--model", model, "--to", "scvi-tools", "--output", save)
    for task, title in TASKS.items():
        for i in range(options.rounds):
            for program in sides(options):
                key = {"task": task, "title": title.format(**size)}
                key |= {"program": program, "round": i}
                side, where = (ours, model) if program == "scvi" else (theirs, save)
                log.once(key, side, options, task, data, where, i)


def trained(options, data):
    """A model of the data, and where its conversion goes."""
    model = options.models / "model"
    scvi(options, "train", data, "--model", model, "--max-epochs", 1)
    return model, options.models / "save"


def ours(options, task, data, model, seed):
    """One run of our command."""
    output = options.models / f"{task}.{'h5ad' if task == 'sample' else 'npy'}"
    verb, *words = {
        "latent": ("latent", "--output", output),
        "elbo": ("evaluate",),
        "marginal_ll": ("evaluate", "--n-mc-samples", sizes(options)["mc_samples"]),
        "normalized": ("normalize", "--output", output),
        "sample": ("sample", "--output", output),
    }[task]
    run = scvi(options, verb, "--model", model, data, "--seed", seed, *words)
    report = run.report()
    return measured(run, report.get("seconds"), report.get(task))


def theirs(options, task, data, save, seed):
    """One run of scvi-tools."""
    words = {"call": task, "data": str(data), "model": str(save), "seed": seed}
    words["n_mc_samples"] = sizes(options)["mc_samples"]
    run = reference("inference", options.threads, **words)
    answer = run.json()
    return measured(run, answer["seconds"], answer["value"])


def measured(run, seconds, value):
    """A record; the seconds of the whole process where the task's own are not known."""
    return {
        "seconds": run.seconds if seconds is None else seconds,
        "whole_process": seconds is None,
        "peak_memory_bytes": run.peak_memory_bytes,
        "value": value,
    }


def streaming(options, log):
    """A layer of normalised expression for a file that is larger than the memory it takes."""
    size = sizes(options)
    data = runs.simulated(options, size["large"], size["genes"])
    model, _ = trained(options, runs.simulated(options, size["cells"], size["genes"]))
    for i in range(options.rounds):
        key = {"n_cells": size["large"], "n_genes": size["genes"], "round": i}
        log.once(key, stream, options, model, data)


def stream(options, model, data):
    output = options.models / "normalized.h5ad"
    run = scvi(options, "normalize", "--model", model, data, "--output", output)
    record = {"process_seconds": run.seconds, "peak_memory_bytes": run.peak_memory_bytes}
    record["output_bytes"] = output.stat().st_size
    output.unlink()
    return record


PARTS = {"tasks": tasks, "streaming": streaming}


def tables(parts):
    found = parts.get("tasks", [])
    if found:
        heads = ["task", "", *PROGRAMS, "scvi-tools / scvi"]
        yield from table(
            heads, [row for task in distinct(found, "task") for row in rows(found, task)]
        )
    for record in parts.get("streaming", [])[:1]:
        runs_of = parts["streaming"]
        yield (
            f"\nscvi alone, normalised expression of {record['n_cells']:,} x {record['n_genes']:,} "
            f"added to an .h5ad, {record['output_bytes'] / MIB:,.0f} MiB in the end: "
            f"{spread(column(runs_of, 'process_seconds'), '.1f')} s of the whole process, peak "
            f"memory {spread(column(runs_of, 'peak_memory_bytes'), ',.0f', 1 / MIB)} MiB."
        )


def rows(found, task):
    """Of one task: seconds, memory, and the result if it is a number."""
    title = select(found, task=task)[0]["title"]
    seconds = against(found, "seconds", ".3g", task=task)
    if any(record["whole_process"] for record in select(found, task=task)):
        seconds[1] += " \\*"
    yield [title, "seconds", *seconds]
    yield ["", "peak memory, MiB", *against(found, "peak_memory_bytes", ",.0f", 1 / MIB, task=task)]
    if column(found, "value", task=task):
        results = [spread(column(found, "value", task=task, program=p), ".2f") for p in PROGRAMS]
        yield ["", "result, nats a cell", *results, ""]


def figures(parts):
    found = parts.get("tasks", [])
    keys = [
        (select(found, task=task)[0]["title"], {"task": task}) for task in distinct(found, "task")
    ]
    panels = [
        {"kind": "dots", "x": "seconds", "series": both(found, "seconds", keys)},
        {
            "kind": "dots",
            "x": "peak memory, MiB",
            "series": both(found, "peak_memory_bytes", keys, 1 / MIB),
        },
    ]
    return [{"name": "inference", "title": "Inference", "panels": panels}] if found else []
