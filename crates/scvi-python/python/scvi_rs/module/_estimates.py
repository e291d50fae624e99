"""What is drawn from a module, or estimated by draws, and its gradients."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from scvi_rs._settings import settings
from scvi_rs.distributions import Poisson

from ._constants import MODULE_KEYS

Tensors = Mapping[str, Any]


class EstimatesMixin:
    """Samples, marginal likelihood and gradients of a minibatch."""

    def sample(
        self,
        tensors: Tensors,
        n_samples: int = 1,
        max_poisson_rate: float = 1e8,
        generative_kwargs: dict[str, Any] | None = None,
        *,
        seed: int | None = None,
    ) -> np.ndarray:
        """Counts from the posterior predictive distribution.

        Parameters
        ----------
        tensors
            Arrays by the names of :data:`scvi_rs.REGISTRY_KEYS`.
        n_samples
            Draws of each cell.
        max_poisson_rate
            Largest rate of the Poisson likelihood.
        generative_kwargs
            Further arguments of :meth:`generative`.
        seed
            Of the draws; the next of ``settings`` if ``None``.

        Returns
        -------
        An array of shape (cells, genes), or (cells, genes, n_samples) for several.
        """
        seed = settings.next_seed() if seed is None else seed
        _, generative = self.forward(
            tensors,
            inference_kwargs={"n_samples": n_samples, "seed": seed},
            generative_kwargs=generative_kwargs,
            compute_loss=False,
        )
        px = generative[MODULE_KEYS.PX_KEY]
        if isinstance(px, Poisson):
            px = Poisson(np.minimum(px.rate, np.float32(max_poisson_rate)))
        counts = px.sample(seed=seed)
        return np.moveaxis(counts, 0, -1) if n_samples > 1 else counts

    def marginal_ll(
        self,
        tensors: Tensors,
        n_mc_samples: int,
        return_mean: bool = False,
        n_mc_samples_per_pass: int = 1,
        *,
        seed: int | None = None,
    ) -> np.ndarray | float:
        """ln p(x) by importance sampling, in nats.

        Parameters
        ----------
        tensors
            Arrays by the names of :data:`scvi_rs.REGISTRY_KEYS`.
        n_mc_samples
            Draws of each cell.
        return_mean
            Whether to return the mean over cells.
        n_mc_samples_per_pass
            Accepted; memory does not grow with draws here.
        seed
            Of the draws; the next of ``settings`` if ``None``.

        Returns
        -------
        An array of shape (cells), or their mean.
        """
        del n_mc_samples_per_pass
        data = self._data(tensors)
        cells = SimpleNamespace(data=data, indices=None, batch_size=data.n_cells, progress=None)
        seed = settings.next_seed() if seed is None else seed
        values = self._passes().marginal_ll(cells, n_mc_samples, seed)
        return float(values.mean()) if return_mean else values

    def gradients(
        self, tensors: Tensors, kl_weight: float = 1.0, *, seed: int | None = None
    ) -> dict[str, np.ndarray]:
        """Gradients of the loss in training mode, with dropout and moments of the minibatch.

        scvi-tools has torch for this; the method is this package's own. Running moments of batch
        normalisation are updated, as in any pass in training mode.

        Parameters
        ----------
        tensors
            Arrays by the names of :data:`scvi_rs.REGISTRY_KEYS`.
        kl_weight
            Weight of the divergence of z.
        seed
            Of dropout and draws; the next of ``settings`` if ``None``.

        Returns
        -------
        An array for each parameter, by its name in :meth:`state_dict`.
        """
        seed = settings.next_seed() if seed is None else seed
        return self._passes().module_gradients(self._data(tensors), kl_weight, seed)[1]
