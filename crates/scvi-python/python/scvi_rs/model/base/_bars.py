"""How a progress bar is drawn: by tqdm or rich, or as text in a terminal, a notebook or a log."""

from __future__ import annotations

import html
import shutil
import sys
import time
from typing import Any, Protocol, TextIO

from scvi_rs._settings import settings

REDRAWN_EVERY = 0.1
"""Seconds between two drawings of a bar."""
_WIDTH = 20


class Bar(Protocol):
    """A bar on some display."""

    def update(self, done: int, total: int, description: str, figures: str) -> None:
        """Shows how far the work is."""

    def close(self) -> None:
        """Leaves the bar as it is."""


def bar_for(unit: str) -> Bar:
    """The bar for this process: of the library that ``settings.progress_bar_style`` names where it
    is installed, else text.

    Parameters
    ----------
    unit
        What is counted.
    """
    library = {"tqdm": _tqdm_bar, "rich": _rich_bar}[settings.progress_bar_style]
    return library(unit) or _text_bar(unit)


def _tqdm_bar(unit: str) -> Bar | None:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return _TqdmBar(tqdm, unit)


def _rich_bar(unit: str) -> Bar | None:
    try:
        from rich import progress
        from rich.console import Console
    except ImportError:
        return None
    return _RichBar(progress, Console(stderr=True))


def _text_bar(unit: str) -> Bar:
    # An IPython that is not imported is not running.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is not None:
        return _NotebookBar(unit)
    return _TerminalBar(unit, sys.stderr) if sys.stderr.isatty() else _LogLines(unit, sys.stderr)


class _TqdmBar:
    def __init__(self, tqdm: Any, unit: str) -> None:
        self._tqdm, self._unit = tqdm, unit
        self._bar: Any = None
        self._total = 0

    def update(self, done: int, total: int, description: str, figures: str) -> None:
        if self._bar is None:
            self._bar = self._tqdm(total=total, desc=description, unit=self._unit)
        elif total != self._total:
            # Work of several parts, each with a number of its own.
            self._bar.reset(total)
        self._total = total
        self._bar.set_description(description, refresh=False)
        self._bar.set_postfix_str(figures, refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()


class _RichBar:
    def __init__(self, progress: Any, console: Any) -> None:
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[figures]}"),
            console=console,
        )
        self._task: Any = None

    def update(self, done: int, total: int, description: str, figures: str) -> None:
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task(description, total=total, figures=figures)
        self._bar.update(
            self._task, completed=done, total=total, description=description, figures=figures
        )

    def close(self) -> None:
        if self._task is not None:
            self._bar.stop()


class _Text:
    """A bar as text, in tqdm's form: what stands before the bar and behind it, and the whole."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._start = time.monotonic()

    def parts(self, done: int, total: int, description: str, figures: str) -> tuple[str, str]:
        elapsed = time.monotonic() - self._start
        left = _clock(elapsed / done * (total - done)) if done else "?"
        rate = f"{done / elapsed:.2f}" if done and elapsed else "?"
        told = ", ".join(part for part in (f"{rate}{self._unit}/s", figures) if part)
        before = f"{description}: {int(_share(done, total) * 100):3d}%"
        return before, f"{done}/{total} [{_clock(elapsed)}<{left}, {told}]"

    def line(self, done: int, total: int, description: str, figures: str) -> str:
        before, after = self.parts(done, total, description, figures)
        filled = "█" * int(_share(done, total) * _WIDTH)
        return f"{before}|{filled:{_WIDTH}}| {after}"


def _share(done: int, total: int) -> float:
    return min(done / total, 1.0) if total else 1.0


class _TerminalBar:
    """One line of a terminal, drawn again and again."""

    def __init__(self, unit: str, stream: TextIO) -> None:
        self._text, self._stream = _Text(unit), stream
        self._drawn = 0

    def update(self, done: int, total: int, description: str, figures: str) -> None:
        line = self._text.line(done, total, description, figures)
        # A line that wraps could not be drawn over.
        line = line[: shutil.get_terminal_size().columns - 1]
        # Spaces cover what a longer line before left.
        self._stream.write(f"\r{line:<{self._drawn}}")
        self._stream.flush()
        self._drawn = len(line)

    def close(self) -> None:
        if self._drawn:
            self._stream.write("\n")
            self._stream.flush()


class _NotebookBar:
    """An output of a notebook's cell that changes."""

    def __init__(self, unit: str) -> None:
        self._text = _Text(unit)
        self._output: Any = None

    def update(self, done: int, total: int, description: str, figures: str) -> None:
        from IPython.display import display

        before, after = self._text.parts(done, total, description, figures)
        bar = f'<progress value="{done}" max="{total}"></progress>'
        data = {
            "text/plain": self._text.line(done, total, description, figures),
            "text/html": f"{html.escape(before)} {bar} {html.escape(after)}",
        }
        if self._output is None:
            self._output = display(data, raw=True, display_id=True)
        else:
            self._output.update(data, raw=True)

    def close(self) -> None:
        pass


class _LogLines:
    """A line at the end of each tenth of the work, for logs."""

    def __init__(self, unit: str, stream: TextIO) -> None:
        self._text, self._stream = _Text(unit), stream
        self._tenths = 0

    def update(self, done: int, total: int, description: str, figures: str) -> None:
        tenths = 10 * done // total if total else 10
        if tenths > self._tenths:
            self._tenths = tenths
            self._stream.write(self._text.line(done, total, description, figures) + "\n")
            self._stream.flush()

    def close(self) -> None:
        pass


def _clock(seconds: float) -> str:
    """Minutes and seconds, with hours before them where there are any."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
