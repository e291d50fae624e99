"""The effect that change mode tests, and where it is large."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ._differential_statistics import estimate_delta

ChangeFn = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
"""Effect of two samples and a pseudocount, gene by gene."""

DomainFn = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Where effects are large, upwards and downwards."""


class Changes:
    """An effect and where it is large.

    Parameters
    ----------
    change_fn
        The effect; the log2 fold change if ``None`` or ``"log-fold"``.
    m1_domain_fn
        Where it is large; beyond ``delta`` on either side if ``None``.
    delta
        Least effect that counts; ``None`` to estimate it, once, when the effect is known.
    pseudocounts
        What is added to both samples.

    Raises
    ------
    ValueError
        If a function does not take the right number of arguments.
    """

    def __init__(
        self,
        change_fn: str | ChangeFn | None,
        m1_domain_fn: DomainFn | None,
        delta: float | None,
        pseudocounts: float,
    ) -> None:
        if change_fn is None or change_fn == "log-fold":
            change_fn = _log_fold_change
        elif not callable(change_fn):
            raise ValueError(
                f"'change_fn' attribute not understood: {change_fn!r}; give a function, 'log-fold' "
                "or None"
            )
        _check_arguments("change_fn", change_fn, 3)
        if m1_domain_fn is not None:
            _check_arguments("m1_domain_fn", m1_domain_fn, 1)
        self._change_fn, self._domain_fn = change_fn, m1_domain_fn
        self.delta, self._pseudocounts = delta, pseudocounts

    def of(self, first: np.ndarray, second: np.ndarray, share: float = 1.0) -> np.ndarray:
        """The effect, with a share of the pseudocount: ``(n_pairs, n_genes)``."""
        return np.asarray(self._change_fn(first, second, share * self._pseudocounts))

    def test(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities that the effect is large, upwards and downwards: ``(n_genes,)`` each."""
        effect = self.of(first, second)
        if self.delta is None:
            self.delta = estimate_delta(effect.mean(axis=0, dtype=np.float64))
        if self._domain_fn is None:
            large: Any = (effect >= self.delta, effect < -self.delta)
        else:
            large = self._domain_fn(effect)
        if not isinstance(large, tuple | list) or len(large) != 2:
            raise TypeError(
                f"m1_domain_fn gave {type(large).__name__}; expected two masks: where the effect "
                "is large upwards, and where downwards"
            )
        return np.mean(large[0], axis=0), np.mean(large[1], axis=0)


def _log_fold_change(first: np.ndarray, second: np.ndarray, pseudocounts: float) -> np.ndarray:
    return np.log2(first + pseudocounts) - np.log2(second + pseudocounts)


def _check_arguments(name: str, function: Callable, n: int) -> None:
    parameters = inspect.signature(function).parameters.values()
    n_found = sum(parameter.kind <= parameter.POSITIONAL_OR_KEYWORD for parameter in parameters)
    if n_found != n:
        raise ValueError(
            f"{name} takes {n_found} positional arguments; change_fn should take exactly three "
            "parameters as inputs; m1_domain_fn one parameter."
        )
