"""Finds, or makes, a Python interpreter that has scvi-tools, the program we compare with."""

import importlib.metadata
import os
import subprocess
import sys
import venv
from pathlib import Path

VERSION = "1.4.2"
"""The release of scvi-tools whose numbers are the reference."""

VARIABLE = "SCVI_REFERENCE_PYTHON"
"""Names an existing interpreter that has that release, to be used instead of our own."""

ENVIRONMENT = Path(__file__).resolve().parent / "env"


def here():
    """Whether the running interpreter has the reference release."""
    try:
        return importlib.metadata.version("scvi-tools") == VERSION
    except importlib.metadata.PackageNotFoundError:
        return False


def interpreter():
    """Path of an interpreter that has the reference release; makes an environment if need be."""
    if VARIABLE in os.environ:
        return os.environ[VARIABLE]
    if here():
        return sys.executable
    python = ENVIRONMENT / "bin" / "python"
    complete = ENVIRONMENT / "complete"
    if not complete.exists():
        print(f"installing scvi-tools {VERSION} into {ENVIRONMENT}", file=sys.stderr)
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", f"scvi-tools=={VERSION}"], check=True
        )
        complete.touch()
    return str(python)


def enter():
    """Continue in an interpreter that has the reference release: call before importing scvi."""
    if here():
        return
    python = interpreter()
    if Path(python).absolute() == Path(sys.executable).absolute():
        sys.exit(f"{python} does not have scvi-tools {VERSION}")
    os.execv(python, [python, *sys.argv])
