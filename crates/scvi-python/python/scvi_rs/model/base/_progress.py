"""Progress bars."""

from __future__ import annotations

import time
from types import TracebackType

from ._bars import REDRAWN_EVERY, Bar, bar_for


class ProgressBar:
    """A bar from 0 to a total, by tqdm or rich where they are installed and as text where not.

    Parameters
    ----------
    description
        What is going on.
    unit
        What is counted.
    shown
        Whether there is a bar at all.

    Notes
    -----
    In a terminal and in a notebook the bar is drawn in place; elsewhere, as in a log, there is a
    line for each tenth of the work. The last update before the bar is closed is always shown.
    """

    def __init__(self, description: str, unit: str, shown: bool = True) -> None:
        self._description = description
        self._bar: Bar | None = bar_for(unit) if shown else None
        self._drawn = float("-inf")
        self._waiting: tuple[int, int, str, str] | None = None

    def __call__(
        self, done: int, total: int, description: str | None = None, **figures: float
    ) -> None:
        """Moves the bar.

        Parameters
        ----------
        done, total
            How much of how much is done.
        description
            What is going on now; as when the bar was made if ``None``.
        **figures
            Numbers to show beside the bar, by name.
        """
        if self._bar is None:
            return
        told = ", ".join(f"{name}={value:.5g}" for name, value in figures.items())
        self._waiting = (done, total, description or self._description, told)
        now = time.monotonic()
        if done >= total or now - self._drawn >= REDRAWN_EVERY:
            self._draw()
            self._drawn = now

    def _draw(self) -> None:
        if self._bar is not None and self._waiting is not None:
            self._bar.update(*self._waiting)
            self._waiting = None

    def __enter__(self) -> ProgressBar:  # noqa: PYI034 (Self is of Python 3.11)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._draw()
        if self._bar is not None:
            self._bar.close()
