"""Metrics of an epoch, by scvi-tools' names."""

from __future__ import annotations

from typing import Any

_TERMS = ("elbo", "reconstruction_loss", "kl_local")
METRICS = tuple(
    key
    for part in ("train", "validation")
    for key in (f"{part}_loss", *(f"{term}_{part}" for term in _TERMS), f"kl_global_{part}")
)
"""All of them."""


def epoch_metrics(record: dict[str, Any], part: str | None = None) -> dict[str, float]:
    """Metrics of an epoch.

    Parameters
    ----------
    record
        The engine's record of it.
    part
        ``"train"`` or ``"validation"`` for metrics of these cells only; there are none of cells
        that the epoch did not validate.
    """
    if part is None:
        return {**epoch_metrics(record, "train"), **epoch_metrics(record, "validation")}
    terms = record[part]
    if terms is None:
        return {}
    metrics = {f"{part}_loss": terms["loss"]}
    metrics |= {f"{term}_{part}": terms[term] for term in _TERMS}
    # scVI has no global latent variable, and scvi-tools logs its divergence.
    return {**metrics, f"kl_global_{part}": 0.0}
