"""Progress bars: tqdm's where it is installed, a plain line on a terminal where not."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any


class ProgressBar:
    """A bar from 0 to a total.

    Parameters
    ----------
    description
        What is going on.
    unit
        What is counted.
    shown
        Whether there is a bar at all.
    """

    def __init__(self, description: str, unit: str, shown: bool = True) -> None:
        self._description = description
        self._unit = unit
        self._bar: Any = None
        self._tqdm = _tqdm() if shown else None
        self._line = shown and self._tqdm is None and sys.stderr.isatty()

    def __call__(self, done: int, total: int, **figures: float) -> None:
        """Moves the bar."""
        if self._tqdm is not None:
            if self._bar is None:
                self._bar = self._tqdm(total=total, desc=self._description, unit=self._unit)
            self._bar.set_postfix({name: f"{value:.4g}" for name, value in figures.items()}, False)
            self._bar.update(done - self._bar.n)
        elif self._line:
            told = " ".join(f"{name}={value:.4g}" for name, value in figures.items())
            line = f"{self._description}: {done}/{total} {self._unit} {told}"
            sys.stderr.write(f"\r{line:<79}")
            sys.stderr.flush()

    def __enter__(self) -> ProgressBar:  # noqa: PYI034 (Self is of Python 3.11)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._line:
            sys.stderr.write("\n")


def _tqdm() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm
