"""Arguments of scvi-tools that mean nothing here, or not everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Ways of feeding torch, which results do not depend on.
_LOADING = frozenset({"num_workers", "persistent_workers", "pin_memory", "drop_last", "shuffle"})


def ignore_loaders(dataloader: Any = None, *kwargs: dict[str, Any] | None) -> None:
    """Accepts options of data loaders that change no result, and refuses others by name.

    Raises
    ------
    NotImplementedError
        If there is a data loader.
    TypeError
        Naming unknown arguments.
    """
    if dataloader is not None:
        raise NotImplementedError(
            "dataloader is not supported: the engine reads adata itself, in memory or backed"
        )
    refuse_unknown(
        {k: v for given in kwargs for k, v in (given or {}).items() if k not in _LOADING}
    )


def refuse_unknown(unknown: dict[str, Any], function: str | None = None) -> None:
    """Raises where arguments are left over.

    Raises
    ------
    TypeError
        Naming them.
    """
    if unknown:
        names = ", ".join(repr(name) for name in sorted(unknown))
        where = f"{function}() got " if function else ""
        raise TypeError(f"{where}unexpected keyword argument(s) {names}")


@dataclass
class ImportanceOptions:
    """Options of importance weights, as the engine takes them.

    Parameters
    ----------
    max_cells
        Cells of a group that a draw is held to, at most.
    truncation
        Whether weights below their mean are raised to it.
    n_mc_samples
        Draws for the marginal likelihood of each such cell.
    """

    max_cells: int = 1024
    truncation: bool = False
    n_mc_samples: int = 500


def importance_options(
    weights: str | None, kwargs: dict[str, Any] | None
) -> ImportanceOptions | None:
    """Options of importance weights; ``None`` for uniform ones.

    Raises
    ------
    ValueError, TypeError
        If ``weights`` or an option is unknown.
    """
    if weights not in (None, "uniform", "importance"):
        raise ValueError(f"weights is {weights!r}; choose one of uniform, importance")
    kwargs = dict(kwargs or {})
    # Memory does not grow with draws here.
    kwargs.pop("n_mc_samples_per_pass", None)
    known = ImportanceOptions.__dataclass_fields__
    refuse_unknown({name: value for name, value in kwargs.items() if name not in known})
    return ImportanceOptions(**kwargs) if weights == "importance" else None
