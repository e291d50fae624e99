"""Fixtures of all tests."""

from __future__ import annotations

import signal
import threading

import pytest
from anndata import AnnData
from support import counts

import scvi_rs


@pytest.fixture
def adata() -> AnnData:
    return counts()


@pytest.fixture(autouse=True)
def seeded():
    scvi_rs.settings.seed = 0
    yield
    scvi_rs.settings.num_threads = None


@pytest.fixture
def ctrl_c():
    """Presses Ctrl-C after some seconds; also where the process was started to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timers = []

    def press(seconds: float) -> None:
        timers.append(threading.Timer(seconds, signal.raise_signal, [signal.SIGINT]))
        timers[-1].start()

    yield press
    for timer in timers:
        timer.cancel()
    signal.signal(signal.SIGINT, before)
