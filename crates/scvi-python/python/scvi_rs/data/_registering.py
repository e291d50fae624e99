"""One registration at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])

# Registering changes AnnData objects, which several models and threads may share.
_lock = threading.RLock()


def registering(method: Method) -> Method:
    """Makes threads wait for one another in what may register an AnnData object."""

    @wraps(method)
    def locked(*args: Any, **kwargs: Any) -> Any:
        with _lock:
            return method(*args, **kwargs)

    return locked  # type: ignore[return-value]
