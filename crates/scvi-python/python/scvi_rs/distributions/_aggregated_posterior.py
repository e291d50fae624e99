"""Posteriors of cells as one distribution."""

from __future__ import annotations

import numpy as np

from scvi_rs import _core
from scvi_rs._settings import settings


class AggregatedPosterior:
    """Posteriors of some cells as one distribution of z, each cell alike.

    ``p(z) = 1/n sum_c prod_j t((z_j - m_cj) / s_cj) / s_cj`` with s² the posterior's variance and t
    Student's density, or the normal one.

    Parameters
    ----------
    qz_m, qz_v
        Means and variances of the posteriors, of shape (cells, n_latent).
    dof
        Degrees of freedom of t; ``None`` for the normal density.

    Examples
    --------
    >>> posterior = AggregatedPosterior(np.zeros((2, 3)), np.ones((2, 3)), dof=None)
    >>> posterior.log_prob(np.zeros((1, 3)))
    array([-2.7568156])
    """

    def __init__(self, qz_m: np.ndarray, qz_v: np.ndarray, dof: float | None = 3.0) -> None:
        qz_m, qz_v = (np.ascontiguousarray(values, np.float32) for values in (qz_m, qz_v))
        self._mixture = _core.AggregatedPosterior(qz_m, qz_v, dof)
        self._arguments = (qz_m, qz_v, dof)
        self._n_latent = qz_m.shape[1]

    def __reduce__(self) -> tuple[type, tuple[np.ndarray, np.ndarray, float | None]]:
        return type(self), self._arguments

    def __repr__(self) -> str:
        dof = self._arguments[-1]
        return f"AggregatedPosterior({self.n_components} cells, {self._n_latent} dimensions, dof={dof})"

    @property
    def n_components(self) -> int:
        """Cells it is made of."""
        return self._mixture.n_components

    def log_prob(self, value: np.ndarray) -> np.ndarray:
        """Log-density at points.

        Parameters
        ----------
        value
            Points, of shape (..., n_latent).

        Returns
        -------
        An array of shape (...).
        """
        value = np.ascontiguousarray(value, np.float32)
        flat = value.reshape(-1, value.shape[-1])
        return self._mixture.log_prob(flat).reshape(value.shape[:-1])

    def sample(self, sample_shape: tuple[int, ...] = (), seed: int | None = None) -> np.ndarray:
        """Draws.

        Parameters
        ----------
        sample_shape
            Shape of the draws.
        seed
            Of the draws; the next of ``settings`` if ``None``.

        Returns
        -------
        An array of shape ``(*sample_shape, n_latent)``.
        """
        seed = settings.next_seed() if seed is None else seed
        draws = self._mixture.sample(int(np.prod(sample_shape, dtype=int)), seed)
        return draws.reshape(*sample_shape, self._n_latent)
