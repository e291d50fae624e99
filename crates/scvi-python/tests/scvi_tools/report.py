"""A plugin of pytest that writes what became of each test, a line of JSON each."""

from __future__ import annotations

import json
import os
from typing import Any

VARIABLE = "SCVI_TESTS_REPORT"
"""Names the file."""


def _write(nodeid: str, outcome: str, detail: str = "") -> None:
    with open(os.environ[VARIABLE], "a", encoding="utf-8") as file:
        line = {"test": nodeid.removeprefix("tests/"), "outcome": outcome, "detail": detail}
        file.write(json.dumps(line) + "\n")


def pytest_collectreport(report: Any) -> None:
    """Tells of files that cannot be collected."""
    if report.failed:
        _write(report.nodeid, "failed", report.longreprtext)


def pytest_runtest_logreport(report: Any) -> None:
    """Tells of every phase that says something: an end, a failure or a skip."""
    if report.failed or report.skipped:
        _write(report.nodeid, report.outcome, report.longreprtext)
    elif report.when == "call":
        _write(report.nodeid, "passed")
