"""Differential expression with functions of one's own, in numpy."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._settings import settings
from scvi_rs.data import AnnDataManager
from scvi_rs.data._names import find_once

from ._changes import ChangeFn, Changes, DomainFn
from ._counts import gene_places
from ._differential_statistics import (
    credible_intervals,
    describe_continuous_distrib,
    estimate_delta,
    estimate_pseudocounts_offset,
)
from ._outliers import inliers
from ._pairs import pairs_of_groups, pairs_sampler
from ._raw_counts import RawCounts, raw_counts

__all__ = [
    "DifferentialComputation",
    "credible_intervals",
    "describe_continuous_distrib",
    "estimate_delta",
    "estimate_pseudocounts_offset",
    "pairs_sampler",
]

# Keeps the logarithms of probabilities finite.
_EPS = 1e-8
# Share of the pseudocount in the changes that are described: less than in those that are tested,
# so as to shrink them less.
_DESCRIBED = 1e-3


class DifferentialComputation:
    """Compares two groups of cells by posterior samples that a function gives.

    ``model.differential_expression`` does this on the engine, gene by gene; this class holds all
    samples, and takes any function of them.

    Parameters
    ----------
    model_fn
        ``model_fn(adata, indices=, transform_batch=, n_samples_overall=)`` gives samples of shape
        ``(n_samples, n_genes)``, such as
        ``partial(model.get_normalized_expression, return_numpy=True)``.
    representation_fn
        ``representation_fn(adata, indices=)`` gives the points by which outlier cells are told and
        left out, such as ``model.get_latent_representation``; ``None`` to keep all cells.
    adata_manager
        Manager of the data.
    var_names
        Genes of ``model_fn``, where the data hold them in another order.

    Examples
    --------
    >>> from functools import partial
    >>> samples = partial(model.get_normalized_expression, return_numpy=True)
    >>> computation = DifferentialComputation(samples, None, model.adata_manager)
    >>> is_first = (adata.obs["labels"] == "label_1").to_numpy()
    >>> found = computation.get_bayes_factors(is_first, ~is_first, mode="change")
    >>> found["proba_de"].shape
    (100,)

    Notes
    -----
    Source: scvi-tools 1.4.2, ``model/base/_differential.py``.
    """

    def __init__(
        self,
        model_fn: Callable[..., np.ndarray],
        representation_fn: Callable[..., np.ndarray] | None,
        adata_manager: AnnDataManager,
        var_names: Sequence[str] | None = None,
    ) -> None:
        self.adata_manager = adata_manager
        self.adata = adata_manager.adata
        self.model_fn = model_fn
        self.representation_fn = representation_fn
        names = self.adata.var_names.astype(str)
        places = None if var_names is None else gene_places(names, list(var_names))
        self._columns = None if places is None else find_once(pd.Index(var_names), names)

    def __repr__(self) -> str:
        return f"DifferentialComputation({self.adata.n_obs} cells, {self.adata.n_vars} genes)"

    def filter_outlier_cells(self, selection: Sequence[bool] | Sequence[int]) -> np.ndarray:
        """Leaves out the outermost tenth of some cells.

        Parameters
        ----------
        selection
            The cells, as a mask or by number.

        Returns
        -------
        Numbers of the others; of all, with a warning, where the cells' points have no covariance.
        """
        cells = self.process_selection(selection)
        points = self.representation_fn(self.adata, indices=cells)
        is_inlier = inliers(points, settings.next_seed())
        if is_inlier is None:
            warnings.warn(
                "Could not estimate a covariance of the representation of "
                f"{len(cells)} cells; all of them are used.",
                UserWarning,
                stacklevel=settings.warnings_stacklevel,
            )
            return cells
        return cells[is_inlier]

    def process_selection(self, selection: Sequence[bool] | Sequence[int]) -> np.ndarray:
        """Numbers of cells, from numbers or a mask.

        Raises
        ------
        ValueError
            If a mask is not of all cells.
        """
        selection = np.asarray(selection)
        if selection.dtype != bool:
            return selection
        if selection.shape != (self.adata.n_obs,):
            raise ValueError(
                f"Mask must be same length as adata: {selection.shape} for {self.adata.n_obs} cells"
            )
        return np.flatnonzero(selection)

    def raw_counts(self, cells: np.ndarray) -> RawCounts:
        """Statistics of the raw counts of some cells, by number, in the order of ``model_fn``."""
        X = self.adata_manager.get_from_registry(REGISTRY_KEYS.X_KEY)
        statistics = raw_counts(X, np.sort(cells))
        if self._columns is None:
            return statistics
        return RawCounts(*(values[self._columns] for values in statistics))

    def scale_sampler(
        self,
        selection: Sequence[bool] | Sequence[int],
        n_samples_overall: int | None = 5000,
        n_samples_per_cell: int | None = None,
        batchid: Sequence[Any] | None = None,
        use_observed_batches: bool = False,
        give_mean: bool = False,
    ) -> dict[str, np.ndarray]:
        """Posterior samples of some cells, decoded as of several batches.

        Parameters
        ----------
        selection
            The cells, as a mask or by number.
        n_samples_overall
            Samples of all batches together; an equal share of each.
        n_samples_per_cell
            Samples for each cell instead.
        batchid
            The batches; all if ``None``.
        use_observed_batches
            Whether each cell is decoded as of its own batch, once.
        give_mean
            Whether the mean over samples is given.

        Returns
        -------
        ``scale``, the samples ``(n_samples, n_genes)`` or their mean, and ``batch``, the batch of
        each sample (NaN for the cell's own).

        Raises
        ------
        ValueError
            If there are no cells, or batches are named together with ``use_observed_batches``.
        """
        cells = self.process_selection(selection)
        if len(cells) == 0:
            raise ValueError("there are no cells to draw samples of")
        if use_observed_batches:
            if batchid is not None:
                raise ValueError(
                    "Inconsistent batch policy: batchid needs use_observed_batches=False "
                    "(batch_correction=True)"
                )
            batchid = [None]
        elif batchid is None:
            states = self.adata_manager.get_state_registry(REGISTRY_KEYS.BATCH_KEY)
            batchid = states.categorical_mapping
        n_samples = self._n_samples(n_samples_overall, n_samples_per_cell, len(cells), len(batchid))
        scales, batches = [], []
        for batch in batchid:
            scales.append(
                np.asarray(
                    self.model_fn(
                        self.adata,
                        indices=cells,
                        transform_batch=batch,
                        n_samples_overall=n_samples,
                    )
                )
            )
            batches.append([np.nan if batch is None else batch] * len(scales[-1]))
        scale = np.concatenate(scales)
        return {
            "scale": scale.mean(axis=0, dtype=np.float64) if give_mean else scale,
            "batch": np.concatenate(batches),
        }

    @staticmethod
    def _n_samples(overall: int | None, per_cell: int | None, n_cells: int, n_batches: int) -> int:
        """Samples of each batch."""
        if overall is not None and per_cell is not None:
            warnings.warn(
                "`n_samples_overall` and `n_samples_per_cell` were provided. Ignoring "
                "`n_samples_per_cell`",
                UserWarning,
                stacklevel=settings.warnings_stacklevel + 1,
            )
        if overall is None:
            overall = 5000 if per_cell is None else per_cell * n_cells
        n_samples = int(overall // n_batches)
        if n_samples == 0:
            warnings.warn(
                f"{overall} samples of {n_batches} batches; 2 of each are drawn instead.",
                UserWarning,
                stacklevel=settings.warnings_stacklevel + 1,
            )
            return 2
        return n_samples

    def get_bayes_factors(
        self,
        idx1: Sequence[bool] | Sequence[int],
        idx2: Sequence[bool] | Sequence[int],
        mode: Literal["vanilla", "change"] = "change",
        batchid1: Sequence[Any] | None = None,
        batchid2: Sequence[Any] | None = None,
        use_observed_batches: bool = False,
        n_samples_overall: int = 5000,
        use_permutation: bool = False,
        m_permutation: int | None = 10000,
        change_fn: str | ChangeFn | None = None,
        m1_domain_fn: DomainFn | None = None,
        delta: float | None = 0.5,
        pseudocounts: float | None = None,
        threshold_counts: float = 0.01,
        test_mode: Literal["two", "three"] = "three",
        cred_interval_lvls: Sequence[float] | None = None,
    ) -> dict[str, Any]:
        """Compares two groups of cells, gene by gene.

        .. code-block:: text

            vanilla  p = P(s1 > s2)
            change   p = max(P(r >= delta), P(r < -delta)),  r = log2(s1 + c) - log2(s2 + c)
            ln Bayes factor = ln p - ln (1 - p)

        Samples are paired within batches where both groups are decoded as of the same ones.

        Parameters
        ----------
        idx1, idx2
            The groups, as masks or by number.
        mode
            ``"vanilla"`` or ``"change"``.
        batchid1, batchid2
            Batches that samples are decoded as of; all if ``None``.
        use_observed_batches
            Whether each cell is decoded as of its own batch instead.
        n_samples_overall
            Samples of each group.
        use_permutation
            Whether ``m_permutation`` random pairs of samples are compared, instead of the i-th
            sample of one group with the i-th of the other.
        m_permutation
            Number of pairs; of as many as there are samples if ``None``.
        change_fn
            ``change_fn(s1, s2, pseudocounts)`` gives the effect r; the log2 fold change if ``None``
            or ``"log-fold"``.
        m1_domain_fn
            ``m1_domain_fn(r)`` gives two masks: where the effect is large, upwards and downwards.
        delta
            Least effect that counts; ``None`` to estimate it.
        pseudocounts
            The pseudocount c; ``None`` to estimate it.
        threshold_counts
            Mean count below which a gene is of little expression, for that estimate.
        test_mode
            ``"three"``: up, down or neither. ``"two"``: changed or not, p being the sum.
        cred_interval_lvls
            Shares of samples for which intervals of the effect are given.

        Returns
        -------
        Columns of scvi-tools by name, each of shape ``(n_genes,)``; ``pseudocounts`` and ``delta``
        are numbers.

        Raises
        ------
        NotImplementedError
            If the mode is unknown.
        ValueError, TypeError
            If an argument has no such value, or a function not the right arguments or result.
        """
        if mode not in ("vanilla", "change"):
            raise NotImplementedError(f"Mode {mode} not recognized: choose vanilla or change")
        if test_mode not in ("two", "three"):
            raise ValueError(f"test_mode is {test_mode!r}; choose one of two, three")
        cells = [self.process_selection(idx) for idx in (idx1, idx2)]
        if self.representation_fn is not None:
            cells = [self.filter_outlier_cells(group) for group in cells]
        drawn = [
            self.scale_sampler(
                group,
                batchid=batchid,
                use_observed_batches=use_observed_batches,
                n_samples_overall=n_samples_overall,
            )
            for group, batchid in zip(cells, (batchid1, batchid2), strict=True)
        ]
        scales = {
            f"scale{k}": group["scale"].mean(axis=0, dtype=np.float64)
            for k, group in enumerate(drawn, start=1)
        }
        pairs = pairs_of_groups(drawn, use_observed_batches, use_permutation, m_permutation)
        if mode == "vanilla":
            proba_m1 = np.mean(pairs[0] > pairs[1], axis=0)
            return {
                "proba_m1": proba_m1,
                "proba_m2": 1 - proba_m1,
                "bayes_factor": _bayes_factor(proba_m1),
                **scales,
            }
        if pseudocounts is None:
            means = [self.raw_counts(group).mean for group in cells]
            pseudocounts = estimate_pseudocounts_offset(
                *pairs, means[0] < threshold_counts, means[1] < threshold_counts
            )
        changes = Changes(change_fn, m1_domain_fn, delta, float(pseudocounts))
        proba_up, proba_down = changes.test(*pairs)
        both = proba_up + proba_down
        proba_de = both if test_mode == "two" else np.maximum(proba_up, proba_down)
        described = describe_continuous_distrib(
            changes.of(*pairs, share=_DESCRIBED), cred_interval_lvls
        )
        return {
            "proba_de": proba_de,
            "proba_not_de": 1 - proba_de,
            "bayes_factor": _bayes_factor(proba_de),
            **scales,
            "pseudocounts": pseudocounts,
            "delta": changes.delta,
            **{f"lfc_{name}": values for name, values in described.items()},
        }


def _bayes_factor(p: np.ndarray) -> np.ndarray:
    return np.log(p + _EPS) - np.log(1 - p + _EPS)
