"""Runs every command and every piece of Python in README.md and docs/, on small data.

    python docs/checks/snippets.py [PAGE ...]

A page is run from its first block to its last, in a folder of its own: ``sh`` in bash, ``python``
in one interpreter, and ``console`` as commands (``$ ...``) whose output must be what follows them;
a line ``...`` stands for any lines. A comment before a block says otherwise:

    <!-- files: counts.h5ad model -->    puts these of small_data.FILES into the folder
    <!-- not run: why -->                leaves the next block out; it is listed at the end

Where a command leaves ``--max-epochs`` at its default, EPOCHS are trained instead.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import small_data

ROOT = Path(__file__).resolve().parents[2]
SCVI = os.environ.get("SCVI_COMMAND", str(ROOT / "target" / "debug" / "scvi"))
EPOCHS = 10
COMMAND = f"""#!/bin/sh
case "$1 $*" in
    *--help*|*--max-epochs*|*--resume*) exec {SCVI} "$@" ;;
    train\\ *|map\\ *) exec {SCVI} "$@" --max-epochs {EPOCHS} ;;
    *) exec {SCVI} "$@" ;;
esac
"""
TOKEN = re.compile(
    r"^<!-- (files|not run): (.*?) -->$|^( *)```(\S*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL
)
INTERPRETER = """
import json, sys, traceback
names = {"__name__": "__main__"}
answer = sys.stdout
sys.stdout = sys.stderr
for line in sys.stdin:
    try:
        exec(compile(json.loads(line), "<page>", "exec"), names)
        print(json.dumps(""), file=answer, flush=True)
    except BaseException:
        print(json.dumps(traceback.format_exc()), file=answer, flush=True)
"""


class Failure(Exception):
    """A block that does not do what the page says."""


@dataclass
class Page:
    """A page that is being run."""

    path: Path
    folder: Path
    data: Path
    interpreter: subprocess.Popen | None = None

    def environment(self) -> dict[str, str]:
        paths = [
            str(self.data.parent / "bin"),
            str(Path(sys.executable).parent),
            os.environ["PATH"],
        ]
        return os.environ | {"PATH": os.pathsep.join(paths), "MPLBACKEND": "Agg", "COLUMNS": "100"}

    def put(self, names: str) -> None:
        for name in names.split():
            if name not in small_data.FILES:
                raise Failure(f"no such small data: {name}; there are {small_data.FILES}")
            source, target = self.data / name, self.folder / name
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copy(source, target)

    def bash(self, script: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder, env=self.environment(), text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False,
        )  # fmt: skip

    def run_sh(self, code: str) -> None:
        done = self.bash(code)
        if done.returncode != 0:
            raise Failure(f"exit code {done.returncode}:\n{code}\n{done.stdout}")

    def run_python(self, code: str) -> None:
        if self.interpreter is None:
            self.interpreter = subprocess.Popen(
                [sys.executable, "-c", INTERPRETER],
                cwd=self.folder, env=self.environment(), text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        self.interpreter.stdin.write(json.dumps(code) + "\n")
        self.interpreter.stdin.flush()
        answer = self.interpreter.stdout.readline()
        if not answer or json.loads(answer):
            raise Failure(f"{code}\n{json.loads(answer) if answer else 'the interpreter died'}")

    def run_console(self, code: str) -> None:
        for command, expected in re.findall(r"^\$ (.*\n)((?:(?!\$ ).*\n)*)", code, re.MULTILINE):
            printed = self.bash(command).stdout.rstrip()
            pieces = re.split(r"^\.\.\.$", expected.rstrip(), flags=re.MULTILINE)
            if not re.fullmatch(".*".join(map(re.escape, pieces)), printed, re.DOTALL):
                raise Failure(f"$ {command}expected:\n{expected}\nprinted:\n{printed}")

    def run(self) -> list[str]:
        """Runs all blocks; says which were left out."""
        left_out, reason = [], None
        for token in TOKEN.finditer(self.path.read_text()):
            kind, argument, indent, language, code = token.groups()
            if kind == "files":
                self.put(argument)
                continue
            if kind == "not run":
                reason = argument
                continue
            run = getattr(self, f"run_{language}", None)
            if reason is not None:
                left_out.append(f"{code.strip().splitlines()[0]}: {reason}")
            elif run is not None:
                run(re.sub(f"^{indent}", "", code, flags=re.MULTILINE))
            reason = None
        return left_out


def pages() -> list[Path]:
    # The command reference shows each help's own examples, which tests of the command run.
    written = sorted((ROOT / "docs").rglob("*.md"))
    return [ROOT / "README.md", *(path for path in written if path.parent.name != "commands")]


def main() -> int:
    chosen = [Path(name).resolve() for name in sys.argv[1:]] or pages()
    failed, left_out = 0, []
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        data.mkdir()
        small_data.write(data, SCVI)
        command = Path(scratch) / "bin" / "scvi"
        command.parent.mkdir()
        command.write_text(COMMAND)
        command.chmod(0o755)
        for path in chosen:
            name = path.relative_to(ROOT)
            folder = Path(scratch) / str(name).replace("/", "_")
            folder.mkdir()
            page, begin = Page(path, folder, data), time.monotonic()
            try:
                left_out += [f"{name}: {block}" for block in page.run()]
                print(f"{name}: {time.monotonic() - begin:.1f} s", flush=True)
            except (Failure, subprocess.TimeoutExpired) as fault:
                failed += 1
                print(f"{name}: FAILED\n{fault}", flush=True)
            finally:
                if page.interpreter is not None:
                    page.interpreter.kill()
    for block in left_out:
        print(f"skipped: {block}")
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
