"""Groups of cells, and the data frame of their comparisons."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any, Protocol

import numpy as np
import pandas as pd
from anndata import AnnData

from scvi_rs._settings import settings
from scvi_rs.data._constants import ADATA_MINIFY_TYPE
from scvi_rs.data._utils import _get_adata_minify_type

from ._differential import DifferentialComputation
from ._selection import cell_numbers

Comparison = dict[str, Any]
"""A comparison of two groups: their names ``group1`` and ``group2`` (``None`` for all other cells),
``genes``, the gene of each row by number, and ``columns``, values of each row by name."""


class Groups(Protocol):
    """Groups of cells, and which are compared: each with another, or with all other cells."""

    groups: list[tuple[str, np.ndarray]]
    contrasts: list[tuple[int, int | None]]


def _prepare_obs(
    idx1: Sequence[bool] | Sequence[int] | Sequence[str] | str,
    idx2: Sequence[bool] | Sequence[int] | Sequence[str] | str | None,
    adata: AnnData,
) -> tuple[np.ndarray, str, str | None]:
    """The group of each cell, from groups given as masks, by number, by name or as queries.

    Parameters
    ----------
    idx1, idx2
        The groups; ``idx2=None`` where all other cells are the second.
    adata
        The cells.

    Returns
    -------
    groups
        ``"one"``, ``"two"`` or ``"None"`` for each cell. A cell of both groups is of the second.
    group1, group2
        ``"one"``, and ``"two"`` or ``None``.

    Raises
    ------
    ValueError
        If a group has no cells, or all of them.
    IndexError
        If there is no such cell.
    """
    groups = np.full(adata.n_obs, "None")
    names = {"idx1": "one"} if idx2 is None else {"idx1": "one", "idx2": "two"}
    for (argument, name), cells in zip(names.items(), (idx1, idx2), strict=False):
        if isinstance(cells, str):
            cells = _queried(adata.obs, cells)
        numbers = cell_numbers(np.asarray(cells).ravel(), adata.obs_names, argument)
        if numbers.size == 0:
            raise ValueError(
                f"One of idx1 or idx2 has size zero: {argument} selects no cell. Give cell "
                f"numbers, a mask of all {adata.n_obs} cells, or a query that holds for some cell."
            )
        groups[numbers] = name
    n_first = (groups == "one").sum()
    if n_first == 0:
        raise ValueError(
            "One of idx1 or idx2 has size zero: every cell of idx1 is of idx2 too, which gets it. "
            "Leave out of idx2 the cells that are meant to be compared with it."
        )
    if idx2 is None and n_first == adata.n_obs:
        raise ValueError(
            f"idx1 selects all {adata.n_obs} cells: none is left to compare them with. Select "
            "fewer, or give idx2."
        )
    return groups, "one", names.get("idx2")


def _queried(obs: pd.DataFrame, query: str) -> np.ndarray:
    """Numbers of the cells that a query selects; cells may share a name.

    pandas' Python engine answers, so that results do not depend on whether numexpr is installed.
    """
    row = next(name for k in count() if (name := f"row_{k}") not in obs.columns)
    numbered = obs.copy(deep=False)
    numbered[row] = np.arange(len(obs))
    return numbered.query(query, engine="python")[row].to_numpy()


def _fdr_de_prediction(posterior_probas: pd.Series, fdr: float = 0.05) -> pd.Series:
    """Which genes are called at a target rate of false discoveries.

    The d most probable ones, d the number of k with ``(1/k) sum_{i <= k} (1 - p_i) <= fdr``.

    Parameters
    ----------
    posterior_probas
        Probability of each gene, in any order.
    fdr
        The target.

    Raises
    ------
    ValueError
        If there is more than one dimension.
    """
    if posterior_probas.ndim != 1:
        raise ValueError("posterior_probas should be 1-dimensional")
    probabilities = posterior_probas.to_numpy()
    order = np.argsort(-probabilities, kind="stable")
    expected = np.cumsum(1 - probabilities[order]) / np.arange(1, len(order) + 1)
    is_called = np.zeros(len(order), dtype=bool)
    is_called[order[: np.count_nonzero(expected <= fdr)]] = True
    return pd.Series(is_called, index=posterior_probas.index)


def custom_comparisons(
    computation: DifferentialComputation,
    compared: Groups,
    *,
    mode: str,
    all_stats: bool = True,
    fdr_target: float = 0.05,
    progress: Callable[[int, int], Any] | None = None,
    **kwargs: Any,
) -> list[Comparison]:
    """Compares groups as the engine does, by :class:`DifferentialComputation`.

    Parameters
    ----------
    computation
        What gives the samples.
    compared
        The groups.
    mode
        ``"vanilla"`` or ``"change"``.
    all_stats
        Whether statistics of raw counts are given.
    fdr_target
        Expected share of false discoveries among the genes that are called.
    progress
        Called with ``(done, total)`` after each comparison.
    **kwargs
        Arguments of :meth:`DifferentialComputation.get_bayes_factors`.
    """
    is_minified = _get_adata_minify_type(computation.adata) == ADATA_MINIFY_TYPE.LATENT_POSTERIOR
    if all_stats and is_minified:
        warnings.warn(
            "Count statistics make no sense for minified model. Consider disabling all_stats.",
            UserWarning,
            stacklevel=settings.warnings_stacklevel,
        )
    comparisons = []
    for first, second in compared.contrasts:
        name1, cells1 = compared.groups[first]
        if second is None:
            name2, cells2 = None, np.setdiff1d(np.arange(computation.adata.n_obs), cells1)
        else:
            name2, cells2 = compared.groups[second]
        columns = computation.get_bayes_factors(cells1, cells2, mode=mode, **kwargs)
        if all_stats:
            columns |= _raw_columns(computation, cells1, cells2)
        genes, columns = _by_evidence(columns, mode, fdr_target)
        comparisons.append({"group1": name1, "group2": name2, "genes": genes, "columns": columns})
        if progress is not None:
            progress(len(comparisons), len(compared.contrasts))
    return comparisons


def _raw_columns(
    computation: DifferentialComputation, cells1: np.ndarray, cells2: np.ndarray
) -> dict[str, np.ndarray]:
    groups = [computation.raw_counts(cells)._asdict() for cells in (cells1, cells2)]
    names = {
        "mean": "raw_mean",
        "non_zeros_proportion": "non_zeros_proportion",
        "normalized_mean": "raw_normalized_mean",
    }
    return {
        f"{column}{k}": group[name]
        for name, column in names.items()
        for k, group in enumerate(groups, start=1)
    }


def _by_evidence(
    columns: dict[str, Any], mode: str, fdr_target: float
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Genes by falling evidence, those of equal evidence in their order, and their columns, with
    the genes that change mode calls."""
    evidence = columns["proba_de" if mode == "change" else "bayes_factor"]
    genes = np.argsort(-evidence, kind="stable")
    # Pseudocounts and delta are one number for all genes.
    columns = {
        name: np.broadcast_to(values, evidence.shape)[genes] for name, values in columns.items()
    }
    if mode == "change":
        called = _fdr_de_prediction(pd.Series(columns["proba_de"]), fdr_target)
        columns[f"is_de_fdr_{fdr_target}"] = called.to_numpy()
    return genes, columns


def results_frame(
    comparisons: Iterable[Comparison], var_names: Sequence[str], named: bool = True
) -> pd.DataFrame:
    """The data frame of ``differential_expression``: scvi-tools' columns, in its order.

    Parameters
    ----------
    comparisons
        What the engine or :func:`custom_comparisons` gave.
    var_names
        Names of the genes by number.
    named
        Whether there are columns ``comparison``, ``group1`` and ``group2``.

    Returns
    -------
    A row for each gene of each comparison, under the gene's name.

    Raises
    ------
    ValueError
        If there are no comparisons.
    """
    var_names = pd.Index(var_names)
    frames = []
    for comparison in comparisons:
        frame = pd.DataFrame(dict(comparison["columns"]), index=var_names.take(comparison["genes"]))
        if named:
            group1, group2 = comparison["group1"], comparison["group2"]
            group2 = "Rest" if group2 is None else group2
            frame["comparison"] = f"{group1} vs {group2}"
            frame["group1"] = group1
            frame["group2"] = group2
        frames.append(frame)
    if not frames:
        raise ValueError("there is nothing to compare: the groups are one and the same")
    return pd.concat(frames)
