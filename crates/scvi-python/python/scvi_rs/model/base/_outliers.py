"""Which points lie far out, by a covariance that far points do not move."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtr, gammaincinv

# Share of the points that are taken for outliers, whether they lie far out or not.
_CONTAMINATION = 0.1
# Share of normal points that the final covariance is taken of.
_REWEIGHTED = 0.975
# Points that the search starts on, at most; random halves it starts from; those that go on.
_SUBSET = 1500
_STARTS = 60
_KEPT = 10
_FIRST_STEPS = 2
_MAX_STEPS = 30


def inliers(points: np.ndarray, seed: int) -> np.ndarray | None:
    """Whether each point is among the nine tenths of the least Mahalanobis distance: ``(n,)``.

    Mean and covariance are the minimum covariance determinant's (Rousseeuw and Van Driessen 1999),
    made consistent for normal points, and then those of the points within its 97.5 % ellipsoid, as
    in scikit-learn's ``EllipticEnvelope`` with its defaults.

    Parameters
    ----------
    points
        Points of shape ``(n, p)``.
    seed
        Decides the random halves that the search starts from.

    Returns
    -------
    ``None`` where there is no such covariance: with ``p + 1`` points or fewer, and where the points
    lie in a plane.
    """
    points = np.asarray(points, dtype=np.float64)
    # On a simplex the last coordinate is one less the others.
    if points.shape[1] > 1 and np.allclose(points.sum(axis=1), 1):
        points = points[:, :-1]
    n, p = points.shape
    if n <= p + 1:
        return None
    try:
        raw = _distances(points, _nearest_half(points, np.random.default_rng(seed)))
        share = _support(n, p) / n
        consistency = share / chdtr(p + 2, _chi2_quantile(share, p)) if share < 1 else 1.0
        near = points[raw < consistency * _chi2_quantile(_REWEIGHTED, p)]
        distances = _distances(points, near)
    except np.linalg.LinAlgError:
        return None
    return -distances >= np.quantile(-distances, _CONTAMINATION)


def _support(n: int, p: int) -> int:
    """Points of which the covariance is taken: the least number that no smaller one outvotes."""
    return min(n, (n + p + 2) // 2)


def _nearest_half(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The half whose covariance has the least determinant that the search finds.

    It starts from random halves of some of the points, and goes on with the best of them.
    """
    some = points
    if len(points) > _SUBSET:
        some = points[rng.choice(len(points), _SUBSET, replace=False)]
    support = _support(*some.shape)
    halves = (some[rng.permutation(len(some))[:support]] for _ in range(_STARTS))
    first = sorted((_concentrate(some, half, _FIRST_STEPS) for half in halves), key=_ln_determinant)
    best = min(
        (_concentrate(some, half, _MAX_STEPS) for half in first[:_KEPT]), key=_ln_determinant
    )
    return _concentrate(points, best, _MAX_STEPS)


def _concentrate(points: np.ndarray, half: np.ndarray, steps: int) -> np.ndarray:
    """Takes the points nearest to a half's mean, again and again, as long as that lessens the
    determinant, which it never raises."""
    support, least = _support(*points.shape), np.inf
    for _ in range(steps):
        order = np.argsort(_distances(points, half), kind="stable")
        nearer = points[order[:support]]
        determinant = _ln_determinant(nearer)
        if determinant >= least:
            break
        half, least = nearer, determinant
    return half


def _distances(points: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Squared Mahalanobis distances of points from the mean of some, by their covariance.

    Raises
    ------
    LinAlgError
        If those lie in a plane.
    """
    covariance = _covariance(some)
    spread = np.linalg.eigvalsh(covariance)
    if not spread[0] > spread[-1] * len(spread) * np.finfo(np.float64).eps:
        raise np.linalg.LinAlgError("the points lie in a plane")
    lengths = np.linalg.solve(np.linalg.cholesky(covariance), (points - some.mean(axis=0)).T)
    return (lengths**2).sum(axis=0)


def _ln_determinant(some: np.ndarray) -> float:
    return float(np.linalg.slogdet(_covariance(some))[1])


def _covariance(some: np.ndarray) -> np.ndarray:
    return np.atleast_2d(np.cov(some, rowvar=False, bias=True))


def _chi2_quantile(q: float, df: int) -> float:
    """Quantile of the chi-squared distribution; scipy.stats takes half a second to import."""
    return 2 * gammaincinv(df / 2, q)
