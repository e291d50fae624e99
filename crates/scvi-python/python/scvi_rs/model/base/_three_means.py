"""A mixture of three normal distributions over one number."""

from __future__ import annotations

import numpy as np

# Where k-means starts: its outer centres lie at these quantiles and their mirror images. The best
# of all starts is kept, so that neither the bulk of the values nor their tails decide alone.
_STARTS = (0.0, 0.01, 0.05, 1 / 6)
_MAX_STEPS = 100
# Change of the mean log-likelihood at which the fit has converged.
_TOLERANCE = 1e-3
# Added to every variance, as scikit-learn's `reg_covar`.
_MIN_VAR = 1e-6
# Mean share of responsibilities that every component keeps, so that none can vanish.
_TINY = 10 * np.finfo(np.float64).eps


def three_means(values: np.ndarray) -> np.ndarray:
    """Means of the mixture that fits values best, in rising order: ``(3,)``.

    Expectation maximisation from the clusters of k-means, as scikit-learn's
    ``GaussianMixture(n_components=3)`` with its defaults, but from fixed starts: the same values
    give the same means. The engine's own estimate goes the same way.

    Parameters
    ----------
    values
        Numbers of shape ``(n,)``, at least one.

    Raises
    ------
    ValueError
        If there are none, or some are not finite.
    """
    values = np.sort(np.asarray(values, dtype=np.float64))
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"a mixture needs finite numbers; of {values.size} some are not")
    shares = _clusters(values)  # (n, 3)
    before = -np.inf
    for _ in range(_MAX_STEPS):
        counts = shares.sum(axis=0) + _TINY
        means = values @ shares / counts
        far = (values[:, None] - means) ** 2
        variances = (shares * far).sum(axis=0) / counts + _MIN_VAR
        logs = np.log(counts / values.size) - 0.5 * (
            np.log(2 * np.pi * variances) + far / variances
        )
        totals = np.logaddexp.reduce(logs, axis=1)
        shares = np.exp(logs - totals[:, None])
        if abs(totals.mean() - before) < _TOLERANCE:
            break
        before = totals.mean()
    return np.sort(means)


def _clusters(values: np.ndarray) -> np.ndarray:
    """Clusters of sorted values, of each start's those of least squares: 0 or 1, ``(n, 3)``."""
    best, least = np.zeros(0), np.inf
    for start in _STARTS:
        places = np.array([start, 0.5, 1 - start]) * (values.size - 1)
        clusters, squares = _k_means(values, values[np.floor(places + 0.5).astype(int)])
        if squares < least:
            best, least = clusters, squares
    return best


def _k_means(values: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, float]:
    """Clusters that no further step changes much, and the squares that they leave."""
    left = np.inf
    for _ in range(_MAX_STEPS):
        far = (values[:, None] - centres) ** 2
        clusters = np.eye(3)[far.argmin(axis=1)]
        squares = far.min(axis=1).sum()
        if squares >= left * (1 - 1e-9):
            break
        left = squares
        counts = clusters.sum(axis=0)
        centres = np.where(counts > 0, values @ clusters / np.maximum(counts, 1), centres)
    return clusters, float(squares)
