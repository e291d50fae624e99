"""The Poisson distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._base import Distribution, are_counts, broadcast


class Poisson(Distribution):
    """Counts of mean and variance λ: ``ln p(x) = x ln λ - λ - ln x!``.

    Parameters
    ----------
    rate
        λ, 0 or more.
    validate_args
        Whether :meth:`log_prob` refuses what is no count; ``None`` is ``True``. Parameters are
        always checked.
    scale
        Normalised mean expression, for :meth:`get_normalized`.

    Raises
    ------
    ValueError
        If a parameter is out of its range; it says which and where.

    Examples
    --------
    >>> Poisson(np.array([2.0])).log_prob(0.0)
    array([-2.])
    """

    _family = "poisson"
    _parameters = ("rate",)

    def __init__(
        self,
        rate: ArrayLike,
        validate_args: bool | None = None,
        scale: ArrayLike | None = None,
    ) -> None:
        (self.rate,) = broadcast(rate)
        self._validates = validate_args is not False
        self.scale = self._check(scale)

    @property
    def mode(self) -> np.ndarray:
        """The most probable count."""
        return np.floor(self.rate)

    def log_prob(self, value: ArrayLike) -> np.ndarray:
        """Logarithm of the probability of counts, in nats.

        Raises
        ------
        ValueError
            If a value is no count, unless ``validate_args=False``.
        """
        if self._validates and not are_counts(value):
            raise ValueError("value must be whole numbers of 0 or more")
        return super().log_prob(value)
