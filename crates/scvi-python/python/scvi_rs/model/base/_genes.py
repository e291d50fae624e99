"""Which genes a result has."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import pandas as pd

from scvi_rs._listed import listed
from scvi_rs._settings import settings
from scvi_rs.data._names import describe_repeated, find_once
from scvi_rs.exceptions import GenesError


def gene_numbers(gene_list: Sequence[str], var_names: Sequence[str]) -> list[int]:
    """Numbers of genes by their names, in the order of the model's genes.

    A result without names, such as an array, has them in this order in scvi-tools too, whatever
    the order of the list.

    Parameters
    ----------
    gene_list
        Names; one that is repeated is taken once, with a warning.
    var_names
        The model's genes.

    Raises
    ------
    TypeError
        If ``gene_list`` is a single name.
    GenesError
        If there are no names, or some are not the model's, or stand for several of its genes.
    """
    if isinstance(gene_list, str):
        raise TypeError(f"gene_list is one name; a list is expected: gene_list=[{gene_list!r}]")
    asked = pd.Index(gene_list)
    if len(asked) == 0:
        raise GenesError("gene_list is empty; leave it out (None) for all genes")
    known = pd.Index(var_names)
    unknown = asked[~asked.isin(known)]
    if len(unknown):
        raise GenesError(
            f"{len(unknown)} of {len(asked)} genes in gene_list are not the model's: "
            f"{listed(unknown)}. model.get_var_names() gives its genes."
        )
    repeated = asked[asked.duplicated()].unique()
    if len(repeated):
        warnings.warn(
            f"gene_list names some genes more than once: {listed(repeated)}. Each has one "
            "column in the result; list(dict.fromkeys(gene_list)) names each once.",
            UserWarning,
            stacklevel=settings.warnings_stacklevel + 2,
        )
    problem = describe_repeated(asked, known, "columns")
    if problem is not None:
        raise GenesError(
            f"gene_list cannot tell genes of the model apart: {problem}. Leave the name out, or "
            "train on genes with names of their own: adata.var_names_make_unique()"
        )
    return sorted(find_once(asked.unique(), known).tolist())
