"""The negative binomial distribution, and the one with more zeros."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike

from scvi_rs import _core
from scvi_rs._settings import settings

from ._base import Distribution, are_counts, broadcast


def _from_counts(
    total_count: ArrayLike, probs: ArrayLike | None, logits: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and inverse dispersion of successes before ``total_count`` failures."""
    family, other = ("nb_logits", logits) if logits is not None else ("nb_probs", probs)
    theta, other = broadcast(total_count, other)
    lists = [np.ascontiguousarray(array).reshape(-1) for array in (theta, other)]
    mu = _core.distribution("mean", family, lists, theta.size).reshape(theta.shape)
    return mu, theta


class NegativeBinomial(Distribution):
    """Counts of mean μ and variance μ + μ²/θ.

    Either ``mu`` and ``theta`` are given, or ``total_count`` with ``probs`` or ``logits``, and then
    ``mu = total_count * exp(logits)``, ``theta = total_count``. Its logarithms have scvi-tools'
    ε = 1e-8 added to their arguments.

    Parameters
    ----------
    total_count
        Failures until one stops counting successes, above 0.
    probs
        Probability of a success, from 0 to below 1.
    logits
        Its logits.
    mu
        μ, 0 or more.
    theta
        θ, the inverse dispersion, above 0.
    scale
        Normalised mean expression, for :meth:`get_normalized`; with ``total_count`` the share of μ
        in its sum over the last axis.
    validate_args
        Whether :meth:`log_prob` warns of what is no count. Parameters are always checked.

    Raises
    ------
    ValueError
        If not exactly one parameterisation is given, or a parameter is out of its range; it says
        which and where.

    Notes
    -----
    scvi-tools 1.4.2 takes ``ln(probs)`` for the logits of ``probs``; this is the probability.

    Examples
    --------
    >>> nb = NegativeBinomial(mu=np.array([1.0, 5.0]), theta=2.0)
    >>> nb.variance
    array([ 1.5, 17.5])
    """

    _family = "nb"
    _parameters = ("mu", "theta")

    def __init__(
        self,
        total_count: ArrayLike | None = None,
        probs: ArrayLike | None = None,
        logits: ArrayLike | None = None,
        mu: ArrayLike | None = None,
        theta: ArrayLike | None = None,
        scale: ArrayLike | None = None,
        validate_args: bool = False,
    ) -> None:
        self._validates = validate_args
        self.mu, self.theta, scale = self._given(total_count, probs, logits, mu, theta, scale)
        self.scale = self._check(scale)

    @staticmethod
    def _given(
        total_count: ArrayLike | None,
        probs: ArrayLike | None,
        logits: ArrayLike | None,
        mu: ArrayLike | None,
        theta: ArrayLike | None,
        scale: ArrayLike | None,
    ) -> tuple[np.ndarray, np.ndarray, ArrayLike | None]:
        by_mean = mu is not None and theta is not None
        by_count = total_count is not None and (probs is None) != (logits is None)
        one = (mu is None) and (theta is None) if by_count else (total_count is None and by_mean)
        if not one or (by_mean and not (probs is None and logits is None)):
            raise ValueError(
                "Please use one of the two possible parameterizations: mu and theta, or "
                "total_count with either probs or logits."
            )
        if by_mean:
            return *broadcast(mu, theta), scale
        mu, theta = _from_counts(total_count, probs, logits)
        total = mu.sum(-1, keepdims=True) if mu.ndim else mu
        return mu, theta, np.divide(mu, total, out=np.zeros_like(mu), where=total > 0)

    def log_prob(self, value: ArrayLike) -> np.ndarray:
        """Logarithm of the probability of counts, in nats.

        Γ functions carry it over to fractions, with a warning where arguments are validated; a
        negative number has probability 0.
        """
        if self._validates and not are_counts(value):
            warnings.warn(
                "The value argument must be within the support of the distribution",
                UserWarning,
                stacklevel=settings.warnings_stacklevel,
            )
        return super().log_prob(value)


class ZeroInflatedNegativeBinomial(NegativeBinomial):
    """A zero with probability σ(``zi_logits``), else a negative binomial count.

    Parameters
    ----------
    total_count, probs, logits, mu, theta, scale
        As of :class:`NegativeBinomial`.
    zi_logits
        Logits of zero inflation.
    validate_args
        Accepted: :meth:`log_prob` always warns of what is no count.

    Raises
    ------
    ValueError
        As for :class:`NegativeBinomial`, or if ``zi_logits`` is missing.

    Examples
    --------
    >>> zinb = ZeroInflatedNegativeBinomial(mu=4.0, theta=1.0, zi_logits=0.0)
    >>> zinb.mean
    array(2.)
    """

    _family = "zinb"
    _parameters = ("mu", "theta", "zi_logits")

    def __init__(
        self,
        total_count: ArrayLike | None = None,
        probs: ArrayLike | None = None,
        logits: ArrayLike | None = None,
        mu: ArrayLike | None = None,
        theta: ArrayLike | None = None,
        zi_logits: ArrayLike | None = None,
        scale: ArrayLike | None = None,
        validate_args: bool = False,
    ) -> None:
        if zi_logits is None:
            raise ValueError("zi_logits is missing; NegativeBinomial has no zero inflation")
        self._validates = True
        mu, theta, scale = self._given(total_count, probs, logits, mu, theta, scale)
        self.zi_logits, self.mu, self.theta = broadcast(zi_logits, mu, theta)
        self.scale = self._check(scale)

    @property
    def zi_probs(self) -> np.ndarray:
        """Probability of a zero beside the counts' own."""
        return self._ask("zi_probs", self.batch_shape)
