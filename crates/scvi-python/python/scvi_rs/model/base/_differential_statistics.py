"""Statistics of samples of an effect, a column a gene."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ._three_means import three_means

# Least pseudocount, and what a group without genes of little expression counts for.
_LEAST_PSEUDOCOUNT = 1e-10


def estimate_delta(lfc_means: np.ndarray, coef: float = 0.6, min_thres: float = 0.1) -> float:
    """The least fold change that counts, from the mean fold change of each gene.

    ``coef`` times the mean distance from zero of the lowest and the highest component of a mixture
    of three normal distributions, and at least ``min_thres``. The same means give the same result.

    Parameters
    ----------
    lfc_means
        Mean fold changes of shape ``(n_genes,)``.
    coef
        That share.
    min_thres
        Least result.

    Raises
    ------
    ValueError
        If there is more than one dimension, or a mean that is not finite.
    """
    lfc_means = np.asarray(lfc_means)
    if lfc_means.ndim != 1:
        raise ValueError(f"lfc_means has shape {lfc_means.shape}; expected 1 dimension, (n_genes,)")
    if not np.isfinite(lfc_means).all():
        raise ValueError(
            "delta=None needs finite mean fold changes; give delta, or pseudocounts above 0"
        )
    low, _, high = three_means(lfc_means)
    return max(min_thres, coef * float(abs(low) + abs(high)) / 2)


def estimate_pseudocounts_offset(
    scales_a: np.ndarray,
    scales_b: np.ndarray,
    where_zero_a: np.ndarray,
    where_zero_b: np.ndarray,
    quantile: float = 0.9,
) -> float:
    """The pseudocount of fold changes, from genes of little expression.

    The larger of both groups' quantiles, over these genes, of the largest sample of each, divided
    by the number of genes. It draws the fold changes of genes that are hardly seen towards zero.

    Parameters
    ----------
    scales_a, scales_b
        Samples of expression of shape ``(n_samples, n_genes)``.
    where_zero_a, where_zero_b
        Which genes are of little expression, of shape ``(n_genes,)``.
    quantile
        The quantile.

    Raises
    ------
    ValueError
        If the numbers of genes differ.
    """
    largest = [np.max(scales, axis=0) for scales in (scales_a, scales_b)]
    masks = [np.asarray(mask, dtype=bool) for mask in (where_zero_a, where_zero_b)]
    shapes = [array.shape for array in (*largest, *masks)]
    if len(set(shapes)) != 1:
        raise ValueError(f"Dimension mismatch between scales and masks: {shapes}")
    offsets = [
        np.quantile(scales[mask], quantile) if mask.any() else _LEAST_PSEUDOCOUNT
        for scales, mask in zip(largest, masks, strict=True)
    ]
    return max(_LEAST_PSEUDOCOUNT, float(max(offsets)) / len(largest[0]))


def credible_intervals(ary: np.ndarray, confidence_level: float = 0.94) -> np.ndarray:
    """The narrowest interval that holds a share of the samples.

    It is the interval of highest density where the density has one mode. Of several equally
    narrow ones it is the first.

    Parameters
    ----------
    ary
        Samples of shape ``(n_samples,)`` or ``(n_samples, n_features)``.
    confidence_level
        That share, from 0 to 1, 1 excluded.

    Returns
    -------
    Both ends: ``(2,)``, or ``(n_features, 2)``.

    Raises
    ------
    ValueError
        If the share is not within that range.
    """
    if not 0 <= confidence_level < 1:
        raise ValueError(f"confidence_level is {confidence_level}; it must be in [0, 1)")
    ordered = np.sort(ary, axis=0)
    inner = int(np.floor(confidence_level * len(ordered)))
    low, high = ordered[: len(ordered) - inner], ordered[inner:]
    narrowest = np.argmin(high - low, axis=0)[None]
    ends = [np.take_along_axis(end, narrowest, axis=0)[0] for end in (low, high)]
    return np.stack(ends, axis=-1)


def describe_continuous_distrib(
    samples: np.ndarray, credible_intervals_levels: Sequence[float] | None = None
) -> dict[str, np.ndarray]:
    """Properties of a distribution from samples of it.

    Parameters
    ----------
    samples
        Samples of shape ``(n_samples, n_features)``.
    credible_intervals_levels
        Shares of samples for which intervals are given.

    Returns
    -------
    ``mean``, ``median``, ``std``, ``min``, ``max``, and ``confidence_interval_{level}_min`` and
    ``_max`` for each level; each of shape ``(n_features,)``.
    """
    properties = {
        "mean": samples.mean(axis=0, dtype=np.float64),
        "median": np.median(samples, axis=0),
        "std": samples.std(axis=0, dtype=np.float64),
        "min": samples.min(axis=0),
        "max": samples.max(axis=0),
    }
    for level in credible_intervals_levels if credible_intervals_levels is not None else ():
        ends = credible_intervals(samples, level)
        name = f"confidence_interval_{str(level)[:5]}"
        properties[f"{name}_min"], properties[f"{name}_max"] = ends[:, 0], ends[:, 1]
    return properties
