"""Writes docs/benchmarks.md and its plots from stored results."""

import json
import os
import sys
import tempfile
from pathlib import Path

import environment
import measure
from sections import SECTIONS

INTRODUCTION = """\
# Benchmarks

How fast scvi-rs is, what memory it takes, how both grow, and how close it comes to what the machine can do. `scvi` is the command of this repository; `scvi-tools` is release {version} from PyPI, on the CPU. Both run on the same files with the same options; where two programs are compared they take turns, so that a change of the machine's speed meets both, and a ratio is that of the two runs of one round. Figures are medians of rounds, with the smallest and the largest in brackets. Peak memory is that of the whole process as the kernel reports it, which is never less than the 20 MiB of the suite that starts it. Results, line by line: `benches/results`.

`python3 benches/suite.py` makes this page: it runs everything, stores what it measured and draws the plots. Each section says how to repeat it alone.
"""

QUICK = "**Sizes of `--quick`: this page tests the suite, and its figures mean nothing.**\n"


def write(options, found):
    """The page, and the plots of all sections that have results."""
    drawn = draw(options, found)
    lines = [INTRODUCTION.format(version=environment.VERSION)]
    if options.quick:
        lines.append(QUICK)
    for number, (name, section) in enumerate(SECTIONS.items(), 1):
        lines.append(f"## {number}. {section.TITLE}\n\n{section.ABOUT}")
        lines += section_lines(options, name, section, found[name], drawn)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n".join(lines))
    print(f"wrote {os.path.relpath(options.output)}", file=sys.stderr)


def section_lines(options, name, section, parts, drawn):
    """How it was measured, tables, plots, and what is missing."""
    for about, of in settings(parts):
        only = name if len(of) == len(section.PARTS) else " ".join(f"{name}.{x}" for x in of)
        words = f"python3 benches/suite.py --only {only} {parts[of[0]]['options']}"
        yield "\n```\n" + "\n".join([*about, f"command: {words}"]) + "\n```"
    yield ""
    yield from section.tables(records(parts))
    for figure in section.figures(records(parts)):
        path = os.path.relpath(drawn[figure["name"]], options.output.parent)
        yield f"\n![{figure['title']}]({path})"
    missing = [f"`{name}.{part}`" for part in section.PARTS if part not in parts]
    if missing:
        yield f"\nNot measured here: {', '.join(missing)}."
    yield ""


def records(parts):
    """The measurements by part."""
    return {name: part["records"] for name, part in parts.items()}


def settings(parts):
    """What parts say of machine, versions and options, with the names of those that say the same."""
    found = {}
    for name, part in parts.items():
        found.setdefault((*part["about"], part["options"]), []).append(name)
    return [(about[:-1], names) for about, names in found.items()]


def draw(options, found):
    """Let the reference interpreter, which has matplotlib, draw; the plots' paths by name."""
    figures = [
        figure
        for name, section in SECTIONS.items()
        for figure in section.figures(records(found[name]))
    ]
    script = measure.ROOT / "benches" / "draw.py"
    options.plots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "figures.json"
        source.write_text(json.dumps(figures))
        words = [environment.interpreter(), script, source, options.plots]
        measure.run([str(word) for word in words], 1)
    return {figure["name"]: options.plots / f"{figure['name']}.svg" for figure in figures}
