#!/usr/bin/env python3
"""Runs scvi-tools' own tests, unmodified, against scvi_rs.

    python3 crates/scvi-python/tests/scvi_tools/run.py
    python3 crates/scvi-python/tests/scvi_tools/run.py model/test_scvi.py -k sparse
    python3 crates/scvi-python/tests/scvi_tools/run.py --against scvi-tools

The tests come from the source distribution of scvi-tools on PyPI, and import ``scvi``, which is
made another name of ``scvi_rs`` (alias.py). They need torch, scanpy and others: an interpreter
that has scvi-tools has these (reference/environment.py finds or makes one). scvi_rs is taken from
this tree if its extension module was built there, as ``maturin develop`` does, and from the
interpreter's packages if not.

applies.toml lists the tests that cannot apply, with the reason; every other one has to pass.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
sys.path.insert(0, str(ROOT / "reference"))
import environment
from report import VARIABLE as REPORT

SHA256 = "c3d2e6e4cd7d41fccdaeead63c72a4d9a1681bb51f2ace107461217a182eb6e2"
"""Of the source distribution."""

SOURCE = f"scvi_tools-{environment.VERSION}"
DOWNLOADS = ROOT / "target" / "scvi-tools"
NEEDED = {
    "pytest": "pytest",
    "torch": "torch",
    "lightning": "lightning",
    "scanpy": "scanpy",
    "mudata": "mudata",
    "sparse": "sparse",
    "sklearn": "scikit-learn",
    "distutils": "setuptools",
}
"""What the tests import, and the package that has it."""

PROBE = "import importlib.util as u\nfor name in {}:\n    if not u.find_spec(name): print(name)"
"""Prints those of some modules that an interpreter lacks."""

PASSES = ([], ["--optional"])
"""scvi-tools skips optional tests without that option, and all others with it."""


class Unavailable(Exception):
    """Something that the tests need is not there."""


@dataclass
class Listed:
    """A test that cannot apply, or several: ``*`` stands for anything, and a name without
    parameters for all of them."""

    pattern: str
    kind: str
    why: str

    def matches(self, test: str) -> bool:
        parts = (re.escape(part) for part in self.pattern.split("*"))
        return re.fullmatch(f"{'.*'.join(parts)}(\\[.*\\])?", test) is not None


@dataclass
class Selection:
    """What applies.toml says."""

    files: list[str]
    kinds: dict[str, str]
    listed: list[Listed]
    elsewhere: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Selection:
        if sys.version_info < (3, 11):
            raise Unavailable("Python 3.11 or later is needed to read applies.toml")
        import tomllib

        text = tomllib.loads(path.read_text())
        listed = [Listed(pattern, *entry) for pattern, entry in text["cannot"].items()]
        unknown = {entry.kind for entry in listed} - text["kinds"].keys()
        if unknown:
            sys.exit(f"{path}: no such kind of reason: {', '.join(unknown)}")
        return cls(text["files"], text["kinds"], listed, text["elsewhere"])

    def reason(self, test: str) -> Listed | None:
        return next((entry for entry in self.listed if entry.matches(test)), None)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs scvi-tools' own tests against scvi_rs.")
    parser.add_argument("files", nargs="*", help="files of tests; all of applies.toml if none")
    parser.add_argument("-k", metavar="EXPRESSION", help="only tests that pytest selects by this")
    parser.add_argument("--sdist", type=Path, help="scvi-tools' source distribution, or its folder")
    parser.add_argument("--python", help="interpreter that has scvi-tools")
    parser.add_argument("--against", choices=["scvi-rs", "scvi-tools"], default="scvi-rs")
    parser.add_argument("--verbose", action="store_true", help="show pytest's output")
    parser.add_argument(
        "--if-possible", action="store_true", help="succeed where the tests cannot be had"
    )
    return parser.parse_args()


def source(given: Path | None, work: Path) -> Path:
    """Folder of the source distribution."""
    if given is not None and given.is_dir():
        return given
    archive = given or DOWNLOADS / f"{SOURCE}.tar.gz"
    if given is None and not archive.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary"]
        pip += ["scvi-tools", "--dest", str(DOWNLOADS), f"scvi-tools=={environment.VERSION}"]
        if subprocess.run(pip, check=False).returncode != 0 or not archive.exists():
            raise Unavailable("pip cannot download scvi-tools' source; name it with --sdist")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        raise Unavailable(f"{archive} is not the source of scvi-tools {environment.VERSION}")
    with tarfile.open(archive) as tar:
        tar.extractall(work, filter="data")
    return work / SOURCE


def interpreter(given: str | None) -> str:
    """An interpreter that has what the tests import."""
    try:
        python = given or environment.interpreter()
        command = [python, "-c", PROBE.format(list(NEEDED))]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(f"there is no interpreter with scvi-tools: {error}") from error
    missing = [NEEDED[module] for module in done.stdout.split()]
    if missing and Path(python).is_relative_to(environment.ENVIRONMENT):
        pip = [python, "-m", "pip", "install", "--quiet", *missing]
        missing = missing if subprocess.run(pip, check=False).returncode else []
    if missing:
        raise Unavailable(f"{python} lacks {', '.join(missing)}")
    return python


def run(python: str, folder: Path, files: list[str], args: argparse.Namespace, work: Path) -> dict:
    """Outcome and detail of every test, by its name."""
    tests = work / "tests"
    shutil.copytree(folder / "tests", tests, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(folder / "pyproject.toml", work)
    paths = [str(HERE)]
    package = HERE.parents[1] / "python"
    if list(package.glob(f"scvi_rs/_core*{EXTENSION_SUFFIXES[-1]}")):
        paths.append(str(package))
    results = work / "results.jsonl"
    variables = {
        **os.environ,
        REPORT: str(results),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # scvi-tools 1.4.2 uses rich.pretty, and leaves it to others to import it.
    plugins = ["report", "rich.pretty" if args.against == "scvi-tools" else "alias"]
    command = [python, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"]
    command += ["--continue-on-collection-errors", *(f"-p{plugin}" for plugin in plugins)]
    command += ["-k", args.k] if args.k else []
    outcomes: dict[str, dict] = {}
    for number, options in enumerate(PASSES):
        results.touch()
        done = subprocess.run(
            [*command, *options, f"--basetemp={work / f'tmp{number}'}", *files],
            cwd=work,
            env=variables,
            check=False,
            text=True,
            stdout=None if args.verbose else subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        # All passed, some failed, none selected.
        if done.returncode not in (0, 1, 5):
            sys.exit(f"{done.stdout or ''}\npytest ended with {done.returncode}")
        for line in results.read_text().splitlines():
            result = json.loads(line)
            known = outcomes.get(result["test"], {"outcome": "skipped"})
            # A failure while it is set up or torn down outweighs that it passed.
            if known["outcome"] == "skipped" or result["outcome"] == "failed":
                outcomes[result["test"]] = result
        results.unlink()
    return outcomes


def summary(outcomes: dict, selection: Selection, whole: bool, against: str) -> int:
    """Prints what became of the tests; returns the exit status."""
    entries = {test: selection.reason(test) for test in outcomes}
    cannot = Counter(entry.kind for entry in entries.values() if entry is not None)
    count = Counter(result["outcome"] for test, result in outcomes.items() if entries[test] is None)
    failed = [
        test
        for test, result in outcomes.items()
        if entries[test] is None and result["outcome"] != "passed"
    ]
    for test in failed:
        print(f"\n{test}: {outcomes[test]['outcome']}\n{outcomes[test]['detail'][-1500:]}")
    needless = [
        test
        for test, result in outcomes.items()
        if entries[test] is not None and result["outcome"] == "passed" and against == "scvi-rs"
    ]
    if needless:
        print("\nListed in applies.toml, and passed after all:")
        print(*(f"  {test} ({entries[test].why})" for test in needless), sep="\n")
    unknown = [
        entry.pattern for entry in selection.listed if whole and entry not in entries.values()
    ]
    if unknown:
        print("\nListed in applies.toml, and no test:", *unknown, sep="\n  ")
    print(f"\nscvi-tools {environment.VERSION}'s tests against {against}")
    rows = [("passed", count["passed"]), ("cannot apply", cannot.total())]
    rows += [(f"  {selection.kinds[kind]}", n) for kind, n in cannot.most_common()]
    rows += [("failed, or not run", len(failed))]
    if whole:
        rows += [("files of which no test can apply", len(selection.elsewhere))]
    width = max(len(name) for name, _ in rows)
    print(*(f"{name:<{width}}  {n:>4}" for name, n in rows), sep="\n")
    return 1 if failed or unknown else 0


def main() -> int:
    args = arguments()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name).resolve()
        try:
            selection = Selection.read(HERE / "applies.toml")
            python = interpreter(args.python)
            folder = source(args.sdist, work)
        except Unavailable as error:
            print(f"scvi-tools' tests were not run: {error}", file=sys.stderr)
            return 0 if args.if_possible else 2
        files = [f"tests/{file}" for file in args.files or selection.files]
        outcomes = run(python, folder, files, args, work)
    return summary(outcomes, selection, not (args.files or args.k), args.against)


if __name__ == "__main__":
    sys.exit(main())
