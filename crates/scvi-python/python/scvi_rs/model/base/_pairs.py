"""Which samples of two groups are compared."""

from __future__ import annotations

import warnings

import numpy as np

from scvi_rs._settings import settings


def pairs_sampler(
    arr1: np.ndarray,
    arr2: np.ndarray,
    use_permutation: bool = True,
    m_permutation: int | None = None,
    sanity_check_perm: bool = False,
    weights1: np.ndarray | None = None,
    weights2: np.ndarray | None = None,
    seed: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of the samples of two groups.

    Parameters
    ----------
    arr1, arr2
        Samples, a row each.
    use_permutation
        Whether pairs are random, with replacement. If not, the i-th sample is paired with the
        i-th, as far as both groups have one.
    m_permutation
        Number of random pairs; that of the larger group's samples if ``None``.
    sanity_check_perm
        Whether both sides of a pair are drawn from both groups together.
    weights1, weights2
        Probabilities of the samples.
    seed
        Decides the pairs; the next of :obj:`scvi_rs.settings` if ``None``.

    Returns
    -------
    The first and the second sample of each pair.
    """
    if not use_permutation:
        n_pairs = min(len(arr1), len(arr2))
        return arr1[:n_pairs], arr2[:n_pairs]
    rng = np.random.default_rng(settings.next_seed() if seed is None else seed)
    n_pairs = max(len(arr1), len(arr2)) if m_permutation is None else m_permutation
    if sanity_check_perm:
        arr1 = arr2 = np.concatenate((arr1, arr2))
        weights1 = weights2 = None
    first = rng.choice(len(arr1), n_pairs, p=weights1)
    second = rng.choice(len(arr2), n_pairs, p=weights2)
    return arr1[first], arr2[second]


def pairs_of_groups(
    drawn: list[dict[str, np.ndarray]],
    use_observed_batches: bool,
    use_permutation: bool,
    m_permutation: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of two groups' samples, within batches where both have the same ones.

    Parameters
    ----------
    drawn
        ``scale``, the samples, and ``batch``, the batch of each, of both groups.
    use_observed_batches
        Whether each cell was decoded as of its own batch, so that samples have none.
    use_permutation, m_permutation
        As :func:`pairs_sampler` takes them; an equal share of the pairs for each batch.
    """
    scales = [group["scale"] for group in drawn]
    if use_observed_batches:
        return pairs_sampler(*scales, use_permutation, m_permutation)
    batches = [np.unique(group["batch"]) for group in drawn]
    if not np.array_equal(*batches):
        if np.intersect1d(*batches).size > 0:
            warnings.warn(
                "The batches of both groups differ and overlap: samples are paired whatever "
                "their batch, and the correction for batches is not to be trusted.",
                UserWarning,
                stacklevel=settings.warnings_stacklevel + 1,
            )
        return pairs_sampler(*scales, use_permutation, m_permutation)
    share = None if m_permutation is None else max(1, m_permutation // len(batches[0]))
    within = [
        pairs_sampler(
            *(group["scale"][group["batch"] == batch] for group in drawn), use_permutation, share
        )
        for batch in batches[0]
    ]
    first, second = (np.concatenate(side) for side in zip(*within, strict=True))
    return first, second
