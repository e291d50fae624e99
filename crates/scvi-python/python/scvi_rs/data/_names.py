"""Cells and genes looked up by name."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from anndata import AnnData

from scvi_rs import _core
from scvi_rs._listed import listed
from scvi_rs._settings import settings


def repeated_names(names: pd.Index) -> pd.Index:
    """Names that stand more than once, each once.

    Parameters
    ----------
    names
        Names of cells or genes.
    """
    return names[names.duplicated()].unique()


def find_once(asked: pd.Index, names: pd.Index) -> np.ndarray:
    """The place of each name, -1 for one that is not there or stands more than once.

    Parameters
    ----------
    asked
        Names that are looked for.
    names
        Names, in which some may stand more than once.
    """
    (places,) = np.nonzero(~names.duplicated(keep=False))
    found = names[places].get_indexer(asked)
    return np.append(places, -1)[found]


def describe_repeated(asked: pd.Index, names: pd.Index, place: str) -> str | None:
    """What is wrong with looking for these names; ``None`` where each stands once at most.

    Parameters
    ----------
    asked
        Names that are looked for.
    names
        Where.
    place
        What a place is, in the plural: rows or columns.
    """
    wrong = asked[asked.isin(repeated_names(names))]
    if not len(wrong):
        return None
    (places,) = np.nonzero(names == wrong[0])
    return f"{len(places)} have the name {wrong[0]!r} ({place} {listed(places)}, from 0)"


def warn_of_repeated_names(adata: AnnData) -> None:
    """Says which names stand for several cells or genes.

    Parameters
    ----------
    adata
        The data that a model is trained on.
    """
    for what, names in (("gene", adata.var_names), ("cell", adata.obs_names)):
        if not names.is_unique:
            warnings.warn(
                _core.repeated_names(what, names.astype(str).tolist()),
                UserWarning,
                stacklevel=settings.warnings_stacklevel + 1,
            )
