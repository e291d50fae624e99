"""Runs the benchmarks, keeps their results, and writes docs/benchmarks.md with its plots.

    python3 benches/suite.py [--only SECTION[.PART] ...] [--rounds 3] [--pbmc3k PATH]
    python3 benches/suite.py --quick            # tiny sizes: a test of the suite, in minutes
    python3 benches/suite.py --render-only      # docs/benchmarks.md and plots from stored results

Each section is a module of benches/sections. What it measured is stored measurement by
measurement in benches/results/SECTION.json, from which tables and plots are made; --resume goes
on with a run that was cut off. Programs that are compared take turns, so that a change of the
machine's speed meets both. Run it on an otherwise idle machine.

With --quick everything goes to benches/out, and nothing that is measured means anything.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import measure
import report
from results import Log, stored
from sections import SECTIONS

BENCHES = measure.ROOT / "benches"
LIMITS = measure.ROOT / "target" / "release" / "examples" / "machine_limits"


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="SECTION[.PART]", help=names_of_all())
    parser.add_argument("--rounds", type=int, help="of every measurement [default: 3; quick: 1]")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, results to benches/out")
    parser.add_argument("--pbmc3k", type=Path, metavar="PATH", help="pbmc3k as .h5ad, raw counts")
    parser.add_argument("--groupby", default="cell_type", help="its column of cell types")
    parser.add_argument("--resume", action="store_true", help="keep what is measured already")
    parser.add_argument("--render-only", action="store_true", help="run nothing")
    parser.add_argument("--folder", type=Path, help="keep data here [default: temporary]")
    parser.add_argument("--output", type=Path, help="[default: docs/benchmarks.md]")
    measure.add_common_arguments(parser)
    parser.add_argument("--limits", type=Path, default=LIMITS, help="the built machine_limits")
    options = parser.parse_args()
    home = BENCHES / "out" if options.quick else BENCHES
    options.results, options.plots = home / "results", home / "plots"
    pages = home if options.quick else measure.ROOT / "docs"
    options.output = options.output or pages / "benchmarks.md"
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


def names_of_all():
    return "; ".join(f"{name}: {', '.join(section.PARTS)}" for name, section in SECTIONS.items())


def main():
    options = arguments()
    chosen = choose(options.only)
    if not options.render_only:
        measure.sides(options)
        if options.folder:
            options.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
            options.models = Path(temporary)
            options.data = options.folder or Path(temporary)
            for name, part in chosen:
                run(options, name, part)
    found = {name: stored(options.results, name) for name in SECTIONS}
    report.write(options, found)


def choose(only):
    """Pairs of a section's name and a part's, in the order of the suite."""
    every = [(name, part) for name, section in SECTIONS.items() for part in section.PARTS]
    wanted = only or list(SECTIONS)
    for word in wanted:
        if not any(word in (name, f"{name}.{part}") for name, part in every):
            sys.exit(f"no section or part is called {word}\nhint: {names_of_all()}")
    return [pair for pair in every if pair[0] in wanted or ".".join(pair) in wanted]


def run(options, name, part):
    """Measure one part of a section, unless it cannot be."""
    section = SECTIONS[name]
    reason = section.missing(options, part)
    if reason:
        print(f"skipped {name}.{part}: {reason}", file=sys.stderr)
        return
    programs = (options.program,) if options.program else section.PROGRAMS
    about = measure.describe_setting(options, programs)
    log = Log(options.results, name, part, about, given(options), resume=options.resume)
    section.PARTS[part](options, log)


def given(options):
    """The options that bear on results, as one would type them to repeat a run."""
    words = f"--rounds {options.rounds} --threads {options.threads}"
    words += " --quick" if options.quick else ""
    words += f" --program {options.program}" if options.program else ""
    return words + (f" --pbmc3k {options.pbmc3k.name}" if options.pbmc3k else "")


if __name__ == "__main__":
    main()
