"""Lists in messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scvi_rs import _core


def listed(values: Iterable[Any]) -> str:
    """Names for a message: all of a short list, the first ten of a long one.

    Parameters
    ----------
    values
        Whatever ``str`` names.
    """
    return _core.listed([str(value) for value in values])
