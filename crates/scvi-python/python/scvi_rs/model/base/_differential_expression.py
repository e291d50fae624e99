"""Differential expression on the engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData

from scvi_rs._listed import listed
from scvi_rs._settings import settings
from scvi_rs.data._utils import require_key

from ._arguments import ignore_loaders, importance_options, refuse_unknown
from ._de_core import _prepare_obs, custom_comparisons, results_frame
from ._differential import DifferentialComputation
from ._selection import cell_numbers


@dataclass
class DifferentialOptions:
    """How groups are compared, as the engine takes it; see ``scvi de --help`` for each."""

    mode: str
    delta: float | None
    fdr_target: float
    batch_size: int
    all_stats: bool
    batch_correction: bool
    batchid1: list[int] | None
    batchid2: list[int] | None
    weights: str
    max_cells: int
    truncation: bool
    n_mc_samples: int
    filter_outlier_cells: bool
    seed: int
    pseudocounts: float | None = None
    threshold_counts: float = 0.01
    test_mode: str = "three"
    cred_interval_lvls: Sequence[float] = ()
    n_samples_overall: int = 5000
    m_permutation: int | None = None


@dataclass
class Compared:
    """Groups of cells, and which are compared: each with another, or with all other cells."""

    groups: list[tuple[Any, np.ndarray]]
    contrasts: list[tuple[int, int | None]]
    named: bool


class DifferentialExpression:
    """Which genes differ between groups of cells."""

    def differential_expression(
        self,
        adata: AnnData | None = None,
        groupby: str | None = None,
        group1: Iterable[str] | None = None,
        group2: str | None = None,
        idx1: Sequence[int] | Sequence[bool] | Sequence[str] | str | None = None,
        idx2: Sequence[int] | Sequence[bool] | Sequence[str] | str | None = None,
        mode: Literal["vanilla", "change"] = "vanilla",
        delta: float | None = 0.25,
        batch_size: int | None = None,
        all_stats: bool = True,
        batch_correction: bool = False,
        batchid1: Iterable[str] | None = None,
        batchid2: Iterable[str] | None = None,
        fdr_target: float = 0.05,
        silent: bool = False,
        weights: Literal["uniform", "importance"] | None = "uniform",
        filter_outlier_cells: bool = False,
        importance_weighting_kwargs: dict[str, Any] | None = None,
        dataloader: Any = None,
        **kwargs: Any,
    ) -> pd.DataFrame:
        """Differential expression of genes between groups of cells.

        The cost does not depend on how many cells there are: posterior samples are drawn of
        ``n_samples_overall`` cells of each group.

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        groupby
            Column of ``adata.obs`` with the groups.
        group1
            Groups of interest; all if ``None``.
        group2
            The group they are compared with; all other cells if ``None``.
        idx1, idx2
            Cells of two groups instead, by number, by name, as a mask or as a query of
            ``adata.obs``.
            ``idx2=None`` is all other cells.
        mode
            ``"vanilla"``: whose expression is larger. ``"change"``: whether the fold change is
            large.
        delta
            Least log2 fold change that counts, in change mode; ``None`` to estimate it.
        batch_size
            Cells evaluated at a time.
        all_stats
            Whether statistics of raw counts are given.
        batch_correction
            Whether every sample is decoded as of each batch.
        batchid1, batchid2
            These batches, for each group; all if ``None``.
        fdr_target
            Expected share of false discoveries among the genes that are called.
        silent
            Whether no progress is shown.
        weights
            ``"uniform"``, or ``"importance"`` for samples that explain many cells of their group.
        filter_outlier_cells
            Whether the outermost tenth of each group is left out.
        importance_weighting_kwargs
            ``max_cells``, ``truncation``, ``n_mc_samples``.
        **kwargs
            ``n_samples_overall``, ``use_permutation``, ``m_permutation``, ``pseudocounts``,
            ``threshold_counts``, ``test_mode``, ``cred_interval_lvls``; and functions of your own,
            ``change_fn`` and ``m1_domain_fn``, for which everything is computed in numpy.

        Returns
        -------
        A data frame with a row for each gene and comparison, strongest evidence first.

        Examples
        --------
        >>> table = model.differential_expression(groupby="labels", mode="change", silent=True)
        >>> called = table[table["is_de_fdr_0.05"]]
        """
        ignore_loaders(dataloader)
        self._check_if_trained(warn=False)
        if not batch_correction and not (batchid1 is None and batchid2 is None):
            raise ValueError(
                "Inconsistent batch policy: batchid1 and batchid2 name the batches in which "
                "batch_correction=True decodes the cells of each group"
            )
        adata = self._validate_anndata(adata)
        importance = importance_options(weights, importance_weighting_kwargs)
        compared = _compared(adata, groupby, group1, group2, idx1, idx2)
        if mode == "change" and (kwargs.get("change_fn") or kwargs.get("m1_domain_fn")):
            if importance is not None:
                raise ValueError("functions of your own take no importance weights")
            model_fn = partial(
                self.get_normalized_expression, return_numpy=True, batch_size=batch_size
            )
            representation = self.get_latent_representation if filter_outlier_cells else None
            computation = DifferentialComputation(
                model_fn,
                representation,
                self.get_anndata_manager(adata, required=True),
                self._engine().var_names,
            )
            with self._bar("differential expression", silent, "comparisons") as bar:
                comparisons = custom_comparisons(
                    computation,
                    compared,
                    all_stats=all_stats,
                    fdr_target=fdr_target,
                    progress=bar,
                    mode=mode,
                    delta=delta,
                    batchid1=batchid1,
                    batchid2=batchid2,
                    use_observed_batches=not batch_correction,
                    **kwargs,
                )
            return results_frame(comparisons, self._engine().var_names, named=compared.named)
        if not kwargs.pop("use_permutation", False):
            kwargs.pop("m_permutation", None)
        else:
            kwargs.setdefault("m_permutation", 10_000)
        kwargs = {name: value for name, value in kwargs.items() if value is not None}
        _refuse_other(kwargs)
        used = importance or importance_options("importance", None)
        options = DifferentialOptions(
            mode=mode,
            delta=delta,
            fdr_target=fdr_target,
            batch_size=batch_size or settings.batch_size,
            all_stats=all_stats,
            batch_correction=batch_correction,
            batchid1=self._batch_codes(batchid1) or None,
            batchid2=self._batch_codes(batchid2) or None,
            weights="uniform" if importance is None else "importance",
            max_cells=used.max_cells,
            truncation=used.truncation,
            n_mc_samples=used.n_mc_samples,
            filter_outlier_cells=filter_outlier_cells,
            seed=settings.next_seed(),
            **kwargs,
        )
        data = self._engine_data(adata)
        # A gene of a comparison is a test.
        with self._bar("differential expression", silent, "tests") as bar:
            groups = [(str(name), cells) for name, cells in compared.groups]
            comparisons = self._engine().differential_expression(
                data, groups, compared.contrasts, options, bar
            )
        # Groups are named as they are in the data: numbers stay numbers.
        for comparison, (first, second) in zip(comparisons, compared.contrasts, strict=True):
            comparison["group1"] = compared.groups[first][0]
            comparison["group2"] = None if second is None else compared.groups[second][0]
        return results_frame(comparisons, self._engine().var_names, named=compared.named)


def _refuse_other(kwargs: dict[str, Any]) -> None:
    known = {
        "pseudocounts",
        "threshold_counts",
        "test_mode",
        "cred_interval_lvls",
        "n_samples_overall",
        "m_permutation",
    }
    refuse_unknown(
        {name: value for name, value in kwargs.items() if name not in known},
        "differential_expression",
    )


def _compared(
    adata: AnnData,
    groupby: str | None,
    group1: Any,
    group2: Any,
    idx1: Any,
    idx2: Any,
) -> Compared:
    """Which cells are compared with which."""
    if idx1 is not None:
        if groupby is not None or group1 is not None or group2 is not None:
            raise ValueError("idx1 and idx2 name cells themselves; leave groupby and groups out")
        column, name1, name2 = _prepare_obs(idx1, idx2, adata)
        groups = [(str(name1), np.flatnonzero(column == name1).astype(np.uint32))]
        if name2 is None:
            return Compared(groups, [(0, None)], named=False)
        groups.append((str(name2), np.flatnonzero(column == name2).astype(np.uint32)))
        return Compared(groups, [(0, 1)], named=False)
    if groupby is None:
        raise ValueError("name the groups: groupby, or idx1")
    require_key(adata, "obs", groupby)
    column = adata.obs[groupby].astype("category").cat.remove_unused_categories()
    known = list(column.cat.categories)
    if group1 is None:
        first = known
        if len(known) == 1:
            raise ValueError(
                f"Only a single group in the data: '{known[0]}' of adata.obs['{groupby}']. Can't "
                "run DE on a single group."
            )
    else:
        alone = isinstance(group1, str) or not isinstance(group1, Iterable)
        first = [group1] if alone else list(group1)
    second = [] if group2 is None else [group2]
    places: dict[Any, int] = {}
    groups = []
    for group in (*first, *second):
        if group not in known:
            raise ValueError(f"'{group}' is no group of adata.obs['{groupby}']: {listed(known)}")
        if group not in places:
            places[group] = len(groups)
            code = known.index(group)
            cells = cell_numbers(column.cat.codes.to_numpy() == code, adata.obs_names)
            groups.append((group, cells))
    other = None if group2 is None else places[group2]
    return Compared(groups, [(places[group], other) for group in first if group != group2], True)
