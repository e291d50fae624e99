"""The loss of a minibatch and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class LossOutput:
    """The loss of a minibatch and its terms.

    Parameters
    ----------
    loss
        The number that training lowers; of a dictionary the sum.
    reconstruction_loss, kl_local
        Terms of every cell, an array or a dictionary of arrays; an array becomes the only value of
        a dictionary under the parameter's name.
    kl_global
        A divergence of the whole.
    classification_loss, logits, true_labels
        Cross entropy of labelled cells, what the classifier says of them, and their labels.
    extra_metrics
        Further arrays by name.
    n_obs_minibatch
        Cells; counted in ``reconstruction_loss`` if ``None``.

    Raises
    ------
    ValueError
        If there is neither ``reconstruction_loss`` nor ``n_obs_minibatch``, or a
        ``classification_loss`` without ``logits`` or ``true_labels``.

    Examples
    --------
    >>> LossOutput(loss=3.0, reconstruction_loss=np.array([2.0, 4.0])).reconstruction_loss_sum
    6.0
    """

    loss: Any
    reconstruction_loss: Any = None
    kl_local: Any = None
    kl_global: Any = None
    classification_loss: Any = None
    logits: Any = None
    true_labels: Any = None
    extra_metrics: dict[str, Any] = field(default_factory=dict)
    n_obs_minibatch: int | None = None
    reconstruction_loss_sum: float = field(init=False)
    kl_local_sum: float = field(init=False)
    kl_global_sum: float = field(init=False)

    def __post_init__(self) -> None:
        if self.reconstruction_loss is None and self.n_obs_minibatch is None:
            raise ValueError("Must provide either n_obs_minibatch or reconstruction_loss")
        if self.classification_loss is not None and (
            self.logits is None or self.true_labels is None
        ):
            raise ValueError("Must provide `logits` and `true_labels` with `classification_loss`")
        self.loss = float(self.dict_sum(self.loss))
        for name in ("reconstruction_loss", "kl_local", "kl_global"):
            terms = getattr(self, name)
            terms = 0.0 if terms is None else terms
            terms = terms if isinstance(terms, dict) else {name: terms}
            setattr(self, name, terms)
            setattr(self, f"{name}_sum", float(np.sum(self.dict_sum(terms))))
        if self.n_obs_minibatch is None:
            self.n_obs_minibatch = len(next(iter(self.reconstruction_loss.values())))

    @staticmethod
    def dict_sum(terms: Any) -> Any:
        """Sum over the values of a dictionary; anything else as it is."""
        return sum(terms.values()) if isinstance(terms, dict) else terms

    @property
    def extra_metrics_keys(self) -> Any:
        """Names of further arrays."""
        return self.extra_metrics.keys()
