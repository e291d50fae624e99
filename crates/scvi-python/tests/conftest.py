"""Fixtures of all tests."""

from __future__ import annotations

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
