"""Runs a program as a child process and measures it; tells what machine this is.

Standard library only, on purpose: the peak memory Linux reports for a child is never less than
what its parent held when it started it, so the parent must stay small.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MIB = 2**20
sys.path.insert(0, str(ROOT / "reference"))

import environment  # noqa: E402


@dataclass
class Run:
    """What a finished child process wrote to stdout, and what it took."""

    output: str
    seconds: float
    peak_memory_bytes: int

    def json(self):
        """The JSON value on the last line of the output, which libraries may write before."""
        return json.loads(self.output.strip().splitlines()[-1])

    def report(self):
        """The JSON document that the output is: what our command writes with --json."""
        return json.loads(self.output)


def run(command, threads):
    """Run `command` with at most `threads` threads; a failure ends this program too."""
    variables = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
    limits = {name: str(threads) for name in variables}
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=output, stderr=errors, env=os.environ | limits)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if child.returncode != 0:
            words = " ".join(map(str, command))
            sys.exit(f"{words}\nfailed with {child.returncode}:\n{errors.read()[-4000:]}")
        unit = 1 if sys.platform == "darwin" else 1024
        return Run(output.read(), seconds, usage.ru_maxrss * unit)


def reference(task, threads, **arguments):
    """Run a task of reference_side.py where scvi-tools is."""
    script = ROOT / "benches" / "reference_side.py"
    words = [environment.interpreter(), script, task, json.dumps(arguments | {"threads": threads})]
    return run([str(word) for word in words], threads)


def scvi(options, verb, *words, threads=None):
    """Run our command, which may replace what is there; its report is the output."""
    threads = threads or options.threads
    words = [options.scvi, verb, *words, "--threads", threads, "--overwrite", "--json", "--quiet"]
    return run([str(word) for word in words], threads)


def add_common_arguments(parser):
    """The options that every benchmark has."""
    parser.add_argument("--scvi", type=Path, default=ROOT / "target" / "release" / "scvi")
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--program", choices=["scvi-tools", "scvi"], help="run one side only")


def sides(arguments):
    """The programs to run, with a clear error if ours is wanted and not built."""
    wanted = [arguments.program] if arguments.program else ["scvi-tools", "scvi"]
    if "scvi" in wanted and not arguments.scvi.exists():
        sys.exit(f"{arguments.scvi} does not exist: cargo build --release, or name it by --scvi")
    return wanted


def describe_run(arguments):
    """Machine, versions and command, one a line, as a benchmark should state."""
    command = " ".join(["python3", os.path.relpath(sys.argv[0]), *sys.argv[1:]])
    return "\n".join([*describe_setting(arguments, sides(arguments)), f"command: {command}"])


def describe_setting(arguments, programs):
    """Lines that name the machine and the versions of programs."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    lines = [
        f"machine: {processor()}, {cores()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}",
        f"threads: {arguments.threads} for each program",
    ]
    if "scvi-tools" in programs:
        lines.append(f"scvi-tools: {reference('versions', arguments.threads).json()}")
    if "scvi" in programs:
        version = run([arguments.scvi, "--version"], 1).output.strip()
        lines.append(f"scvi: {version}, commit {commit()}")
    return lines


def cores():
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def processor():
    """The processor's model name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(x.partition(":")[2].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def commit():
    """The commit of the working tree, marked when files differ from it."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(words, capture_output=True, text=True).stdout.strip() or "unknown"
