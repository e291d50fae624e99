"""What every distribution over arrays does: it asks the engine about each number."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from scvi_rs import _core
from scvi_rs._settings import settings


def broadcast(*parameters: ArrayLike) -> list[np.ndarray]:
    """Parameters as arrays of one shape and one type, float32 or float64.

    The type is numpy's for the arrays among them: a plain number takes that of the others. Nothing
    is repeated in memory.
    """
    kinds = [p if isinstance(p, (int, float)) else np.asarray(p).dtype for p in parameters]
    dtype = np.float32 if np.result_type(np.float16, *kinds) in ("f2", "f4") else np.float64
    if all(isinstance(p, (int, float)) for p in parameters):
        dtype = np.float64
    return list(np.broadcast_arrays(*(np.asarray(p, dtype) for p in parameters)))


def _compact(array: np.ndarray) -> np.ndarray:
    """The numbers of an array, without its repetitions along the first axes: a flat list."""
    while array.ndim and array.shape[0] and (array.strides[0] == 0 or array.shape[0] == 1):
        array = array[0]
    return np.ascontiguousarray(array).reshape(-1)


class Distribution:
    """Independent distributions of numbers, one for each place of an array."""

    _family: ClassVar[str]
    _parameters: ClassVar[tuple[str, ...]]
    event_shape: ClassVar[tuple[int, ...]] = ()

    def _first(self) -> np.ndarray:
        return getattr(self, self._parameters[0])

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Shape of the parameters."""
        return self._first().shape

    @property
    def dtype(self) -> np.dtype:
        """Type of the parameters, and of every result."""
        return self._first().dtype

    def _ask(
        self, question: str, shape: tuple[int, ...], *values: np.ndarray, seed: int = 0
    ) -> np.ndarray:
        """Asks the engine about every number of a shape that ends as ``batch_shape`` does."""
        arrays = [*(getattr(self, name) for name in self._parameters), *values]
        n = int(np.prod(shape, dtype=int))
        if n == 0:
            return np.empty(shape, self.dtype)
        if shape[len(shape) - len(self.batch_shape) :] != self.batch_shape:
            # The value stretches the parameters.
            arrays = [np.broadcast_to(array, shape) for array in arrays]
        lists = [_compact(array) for array in arrays]
        return _core.distribution(question, self._family, lists, n, seed=seed).reshape(shape)

    def _check(self, scale: ArrayLike | None) -> np.ndarray | None:
        """Makes sure that the parameters are legal; returns the scale in their type and shape."""
        if scale is None:
            self._ask("mean", self.batch_shape)
            return None
        scale = np.broadcast_to(np.asarray(scale, self.dtype), self.batch_shape)
        self._ask("scale", self.batch_shape, scale)
        return scale

    @property
    def mean(self) -> np.ndarray:
        """Expected value."""
        return self._ask("mean", self.batch_shape)

    @property
    def variance(self) -> np.ndarray:
        """Expected squared distance from the mean."""
        return self._ask("variance", self.batch_shape)

    @property
    def stddev(self) -> np.ndarray:
        """Standard deviation."""
        return np.sqrt(self.variance)

    def log_prob(self, value: ArrayLike) -> np.ndarray:
        """Logarithm of the probability, or density, of values, in nats.

        Parameters
        ----------
        value
            Values, of a shape that goes with the parameters'.

        Returns
        -------
        An array of the type of the parameters, in the shape that both have together.
        """
        value = np.asarray(value, self.dtype)
        shape = np.broadcast_shapes(value.shape, self.batch_shape)
        return self._ask("log_prob", shape, np.broadcast_to(value, shape))

    def sample(
        self, sample_shape: int | tuple[int, ...] = (), seed: int | None = None
    ) -> np.ndarray:
        """Draws.

        Parameters
        ----------
        sample_shape
            Shape of independent draws of the whole.
        seed
            Of the draws; the next of ``settings`` if ``None``.

        Returns
        -------
        An array of shape (*sample_shape, *batch_shape).
        """
        shape = np.empty(sample_shape or (), np.bool_).shape
        seed = settings.next_seed() if seed is None else seed
        return self._ask("sample", shape + self.batch_shape, seed=seed)

    def get_normalized(self, key: str) -> Any:
        """Expression under the names of scvi-tools.

        Parameters
        ----------
        key
            ``"mu"`` for the mean before zero inflation, ``"scale"`` for what was given as the
            normalised mean, ``None`` where nothing was.

        Raises
        ------
        ValueError
            If the key is another.
        """
        if key not in ("mu", "scale"):
            raise ValueError(f"normalized key {key} not recognized; choose 'mu' or 'scale'")
        return self._first() if key == "mu" else self._normalized()

    def _normalized(self) -> np.ndarray | None:
        return self.scale

    def __repr__(self) -> str:
        shown = (
            f"{name}: {value.item() if value.size == 1 else value.shape}"
            for name, value in ((name, getattr(self, name)) for name in self._parameters)
        )
        return f"{type(self).__name__}({', '.join(shown)})"


def are_counts(value: ArrayLike) -> bool:
    """Whether every number is whole and not negative."""
    value = np.asarray(value)
    return bool(((value >= 0) & (value == np.floor(value))).all())
