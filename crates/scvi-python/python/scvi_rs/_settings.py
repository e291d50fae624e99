"""Settings of the package: ``scvi_rs.settings``."""

from __future__ import annotations

import logging
import random
import secrets
import threading
from operator import index
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from ._shown import public_names

logger = logging.getLogger("scvi_rs")

_MASK = (1 << 64) - 1
# Two threads never get the same seed.
_counting = threading.Lock()


def _mix(value: int) -> int:
    """SplitMix64's finaliser (Steele, Lea & Flood, OOPSLA 2014): a bijection of 64-bit numbers."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


class ScviConfig:
    """Settings that hold for the whole process.

    Parameters
    ----------
    verbosity
        Level of the package's log, ``logging.INFO`` by default.
    progress_bar_style
        ``"tqdm"`` or ``"rich"``: what draws progress bars where it is installed. Without it bars
        are text.
    batch_size
        Cells in a minibatch where a trained model reads data. Training has its own ``batch_size``.
    seed
        Where random numbers start; 0 by default, so that two runs of a script agree. ``None``
        draws a start that differs from process to process.
    warnings_stacklevel
        Frames between a warning and the line it is shown at.

    Notes
    -----
    The other settings of scvi-tools (``dl_num_workers``, ``logging_dir``, ...) are accepted, since
    scripts set them, and change nothing. A name that neither has is an :class:`AttributeError`.

    Examples
    --------
    >>> import scvi_rs
    >>> scvi_rs.settings.seed = 1
    >>> scvi_rs.settings.batch_size = 1024
    """

    _UNUSED: ClassVar[dict[str, Any]] = {
        "dl_num_workers": 0,
        "dl_persistent_workers": False,
        "jax_preallocate_gpu_memory": False,
        "mlflow_set_tracking_uri": "",
        "mlflow_set_experiment": "mlflow_experiment",
    }
    _NAMES: ClassVar[tuple[str, ...]] = (
        "batch_size",
        "logging_dir",
        "num_threads",
        "progress_bar_style",
        "seed",
        "verbosity",
        "warnings_stacklevel",
        *_UNUSED,
    )

    def __init__(
        self,
        verbosity: int = logging.INFO,
        progress_bar_style: Literal["rich", "tqdm"] = "tqdm",
        batch_size: int = 128,
        seed: int | None = 0,
        logging_dir: str | Path = "./scvi_log/",
        warnings_stacklevel: int = 2,
    ) -> None:
        for name, value in self._UNUSED.items():
            setattr(self, name, value)
        self.warnings_stacklevel = warnings_stacklevel
        self.batch_size = batch_size
        self.progress_bar_style = progress_bar_style
        self.logging_dir = logging_dir
        self.num_threads = None
        self.verbosity = verbosity
        self._set_seed(seed)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._NAMES or (name.startswith("_") and not name.startswith("__")):
            super().__setattr__(name, value)
        else:
            raise AttributeError(self._unknown(name))

    def __getattr__(self, name: str) -> Any:
        # Called only where ordinary look-up found nothing.
        raise AttributeError(self._unknown(name))

    def _unknown(self, name: str) -> str:
        return f"there is no setting '{name}'; known settings: {', '.join(sorted(self._NAMES))}"

    def __dir__(self) -> list[str]:
        return public_names(self)

    def __repr__(self) -> str:
        names = sorted(set(self._NAMES) - set(self._UNUSED))
        return f"settings({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    @property
    def batch_size(self) -> int:
        """Cells in a minibatch where a trained model reads data."""
        return self._batch_size

    @batch_size.setter
    def batch_size(self, batch_size: int) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        self._batch_size = int(batch_size)

    @property
    def num_threads(self) -> int | None:
        """Threads that the engine uses; ``None`` for one per core. Results do not depend on it."""
        return self._num_threads

    @num_threads.setter
    def num_threads(self, num: int | None) -> None:
        if num is not None and num < 1:
            raise ValueError(f"num_threads must be at least 1, or None, not {num}")
        self._num_threads = num

    @property
    def logging_dir(self) -> Path:
        """Directory for logs; accepted and unused."""
        return self._logging_dir

    @logging_dir.setter
    def logging_dir(self, logging_dir: str | Path) -> None:
        self._logging_dir = Path(logging_dir).resolve()

    @property
    def progress_bar_style(self) -> Literal["rich", "tqdm"]:
        """What draws progress bars where it is installed: ``"tqdm"`` or ``"rich"``."""
        return self._progress_bar_style

    @progress_bar_style.setter
    def progress_bar_style(self, style: Literal["rich", "tqdm"]) -> None:
        if style not in ("rich", "tqdm"):
            raise ValueError(f"progress_bar_style must be 'rich' or 'tqdm', not {style!r}")
        self._progress_bar_style = style

    @property
    def seed(self) -> int | None:
        """Where random numbers start.

        Setting it also seeds :mod:`random` and :mod:`numpy.random`, as in scvi-tools, and starts
        the numbers of :meth:`next_seed` afresh.
        """
        return self._seed

    @seed.setter
    def seed(self, seed: int | None) -> None:
        self._set_seed(seed)
        if self._seed is not None:
            random.seed(self._seed)
            np.random.seed(self._seed % 2**32)

    def _set_seed(self, seed: int | None) -> None:
        seed = None if seed is None else index(seed)
        if seed is not None and not 0 <= seed <= _MASK:
            raise ValueError(f"seed must be from 0 to 2**64 - 1, or None, not {seed}")
        self._seed = seed
        self._start = secrets.randbits(53) if seed is None else seed
        self._count = 0

    def next_seed(self) -> int:
        """Seed of the next random call.

        The first after :attr:`seed` was set is the seed itself; the ``k``-th is a fixed hash of
        the seed and ``k``, below 2**53. A sequence of calls is thus reproducible, and two calls in
        a row draw different numbers, as with scvi-tools' global generator.
        """
        with _counting:
            count, self._count = self._count, self._count + 1
        if count == 0:
            return self._start
        return _mix((_mix(self._start) + count * 0x9E3779B97F4A7C15) & _MASK) >> 11

    @property
    def verbosity(self) -> int | str:
        """Level of the log ``"scvi_rs"``, a number or a name of :mod:`logging`."""
        return self._verbosity

    @verbosity.setter
    def verbosity(self, level: int | str) -> None:
        logger.setLevel(level)
        self._verbosity = level
        if not logger.handlers:
            self.reset_logging_handler()

    def reset_logging_handler(self) -> None:
        """Sends the log to standard error again, after it was changed or redirected."""
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)

    @property
    def warnings_stacklevel(self) -> int:
        """Frames between a warning and the line it is shown at."""
        return self._warnings_stacklevel

    @warnings_stacklevel.setter
    def warnings_stacklevel(self, stacklevel: int) -> None:
        self._warnings_stacklevel = stacklevel


settings = ScviConfig()
