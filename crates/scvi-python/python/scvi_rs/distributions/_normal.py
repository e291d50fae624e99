"""The normal distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._base import Distribution, broadcast


class Normal(Distribution):
    """The normal distribution: ``ln p(x) = -(x - loc)²/(2 scale²) - ln scale - ln(2π)/2``.

    Parameters
    ----------
    mu
        Mean, kept as ``loc``.
    scale
        Standard deviation, above 0.
    validate_args
        Accepted; parameters are always checked.
    normal_mu
        Normalised mean expression, for :meth:`get_normalized`.

    Raises
    ------
    ValueError
        If a parameter is out of its range; it says which and where.

    Examples
    --------
    >>> Normal(np.zeros(2), 1.0).log_prob(0.0).round(3)
    array([-0.919, -0.919])
    """

    _family = "normal"
    _parameters = ("loc", "scale")

    def __init__(
        self,
        mu: ArrayLike,
        scale: ArrayLike,
        validate_args: bool | None = None,
        normal_mu: ArrayLike | None = None,
    ) -> None:
        self.loc, self.scale = broadcast(mu, scale)
        self.normal_mu = self._check(normal_mu)

    @property
    def mode(self) -> np.ndarray:
        """The most probable value."""
        return self.loc

    def _normalized(self) -> np.ndarray | None:
        return self.normal_mu


def kl_divergence(p: Normal, q: Normal) -> np.ndarray:
    """KL(p ‖ q) of normal distributions, number by number, in nats.

    Parameters
    ----------
    p, q
        The distributions.

    Returns
    -------
    ``ln(s_q/s_p) + (s_p² + (m_p - m_q)²)/(2 s_q²) - 1/2``.

    Examples
    --------
    >>> kl_divergence(Normal(1.0, 1.0), Normal(0.0, 1.0))
    array(0.5)
    """
    ratio = (p.scale / q.scale) ** 2
    return np.asarray(0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - np.log(ratio)))
