"""Latent representation, likelihoods, and the aggregated posterior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from scvi_rs import _core
from scvi_rs._settings import settings
from scvi_rs.data._utils import require_key
from scvi_rs.distributions import AggregatedPosterior

from ._arguments import ignore_loaders


class VAEMixin:
    """What a trained variational autoencoder says of cells."""

    def get_latent_representation(
        self,
        adata: AnnData | None = None,
        indices: Sequence[int] | None = None,
        give_mean: bool = True,
        mc_samples: int = 5000,
        batch_size: int | None = None,
        return_dist: bool = False,
        dataloader: Any = None,
        **data_loader_kwargs: Any,
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Position of each cell in the latent space.

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        indices
            Cells, by number or as a mask; all if ``None``.
        give_mean
            Whether the mean of the posterior q(z|x) is given, or one draw from it.
        mc_samples
            Draws for that mean where the latent distribution is logistic-normal.
        batch_size
            Cells evaluated at a time.
        return_dist
            Whether mean and variance of the posterior are given.

        Returns
        -------
        An array of shape (cells, n_latent), or means and variances, each of that shape.

        Examples
        --------
        >>> adata.obsm["X_scVI"] = model.get_latent_representation()
        """
        ignore_loaders(dataloader, data_loader_kwargs)
        cells = self._cells(adata, indices, batch_size)
        engine = self._engine()
        if return_dist:
            return engine.latent(cells)
        if not give_mean:
            return engine.latent_sample(cells, settings.next_seed())
        if engine.config["latent_distribution"] == "ln":
            return engine.latent_simplex_mean(cells, mc_samples, settings.next_seed())
        return engine.latent(cells)[0]

    def get_elbo(
        self,
        adata: AnnData | None = None,
        indices: Sequence[int] | None = None,
        batch_size: int | None = None,
        dataloader: Any = None,
        return_mean: bool = True,
        data_loader_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> np.ndarray:
        """Evidence lower bound, in nats a cell; higher is better.

        At one draw z ~ q(z|x) it is ``ln p(x|z) - KL(q(z|x) || p(z))``, less the library's
        divergence where the library is inferred.

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        indices
            Cells, by number or as a mask; all if ``None``.
        batch_size
            Cells evaluated at a time.
        return_mean
            Whether the mean over cells is given, or each cell's.

        Returns
        -------
        An array without dimensions, or of shape (cells,).
        """
        self._refuse_minified(adata, "VAEMixin.get_elbo")
        ignore_loaders(dataloader, data_loader_kwargs, kwargs)
        # scvi-tools gives the ELBO of an untrained model, to watch it from the beginning.
        cells = self._cells(
            adata, indices, batch_size, allow_untrained=True, at_least_one=return_mean
        )
        reconstruction_loss, kl_local = self._engine().elbo(cells, settings.next_seed())
        values = -(reconstruction_loss.astype(np.float64) + kl_local)
        return np.array(values.mean()) if return_mean else values

    def get_reconstruction_error(
        self,
        adata: AnnData | None = None,
        indices: Sequence[int] | None = None,
        batch_size: int | None = None,
        dataloader: Any = None,
        return_mean: bool = True,
        data_loader_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> dict[str, np.ndarray]:
        """Reconstruction error -ln p(x|z) at one draw z ~ q(z|x), in nats a cell; lower is better.

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        indices
            Cells, by number or as a mask; all if ``None``.
        batch_size
            Cells evaluated at a time.
        return_mean
            Whether the mean over cells is given, or each cell's.

        Returns
        -------
        ``{"reconstruction_loss": ...}``, an array without dimensions, or of shape (cells,).
        """
        self._refuse_minified(adata, "VAEMixin.get_reconstruction_error")
        ignore_loaders(dataloader, data_loader_kwargs, kwargs)
        cells = self._cells(adata, indices, batch_size, at_least_one=return_mean)
        values = self._engine().elbo(cells, settings.next_seed())[0]
        mean = values.mean(dtype=np.float64)
        return {"reconstruction_loss": np.array(mean) if return_mean else values}

    def get_marginal_ll(
        self,
        adata: AnnData | None = None,
        indices: Sequence[int] | None = None,
        n_mc_samples: int = 1000,
        batch_size: int | None = None,
        return_mean: bool = True,
        dataloader: Any = None,
        data_loader_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> np.ndarray:
        """Marginal log-likelihood ln p(x) by importance sampling, in nats a cell.

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        indices
            Cells, by number or as a mask; all if ``None``.
        n_mc_samples
            Draws from each cell's posterior, exactly so many.
        batch_size
            Cells evaluated at a time.
        return_mean
            Whether the mean over cells is given, or each cell's.
        **kwargs
            ``n_mc_samples_per_pass`` is accepted: memory does not grow with draws here.

        Returns
        -------
        An array without dimensions, or of shape (cells,).
        """
        self._refuse_minified(adata, "VAEMixin.get_marginal_ll")
        kwargs.pop("n_mc_samples_per_pass", None)
        ignore_loaders(dataloader, data_loader_kwargs, kwargs)
        cells = self._cells(adata, indices, batch_size, at_least_one=return_mean)
        values = self._engine().marginal_ll(cells, n_mc_samples, settings.next_seed())
        return np.array(values.mean()) if return_mean else values

    def get_aggregated_posterior(
        self,
        adata: AnnData | None = None,
        indices: Sequence[int] | None = None,
        batch_size: int | None = None,
        dof: float | None = 3.0,
    ) -> AggregatedPosterior:
        """Posteriors of cells as one distribution of z, each cell alike.

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        indices
            Cells, by number or as a mask; all if ``None`` or empty.
        batch_size
            Cells evaluated at a time.
        dof
            Degrees of freedom of Student's components; ``None`` for normal ones.

        Returns
        -------
        A distribution with ``log_prob(z)`` and ``sample(shape)``.
        """
        if indices is not None and len(indices) == 0:
            indices = None
        qz_m, qz_v = self._engine().latent(self._cells(adata, indices, batch_size))
        return AggregatedPosterior(qz_m, qz_v, dof)

    def differential_abundance(
        self,
        adata: AnnData | None = None,
        adata_sub: AnnData | None = None,
        sample_key: str | None = None,
        batch_size: int = 128,
        num_cells_posterior: int | None = None,
        dof: float | None = None,
        dataloader: Any = None,
    ) -> None:
        """Where in the latent space the cells of each sample are dense.

        Writes the data frame ``adata.obsm["da_log_probs"]`` of cells by samples: the log-density of
        each sample's aggregated posterior at each cell's latent mean.

        Parameters
        ----------
        adata
            Data with the columns that the model was set up with; the model's own if ``None``.
        adata_sub
            Ignored, as in scvi-tools for this model.
        sample_key
            Column of ``adata.obs`` that names each cell's sample.
        batch_size
            Cells evaluated at a time.
        num_cells_posterior
            Cells at most that stand for a sample.
        dof
            Degrees of freedom of Student's components; ``None`` for normal ones.
        """
        ignore_loaders(dataloader)
        adata = self._validate_anndata(adata)
        if sample_key is None:
            raise KeyError("sample_key is None; name the column of adata.obs with the samples")
        require_key(adata, "obs", sample_key)
        samples = adata.obs[sample_key].astype("category").cat.remove_unused_categories()
        qz_m, qz_v = self._engine().latent(self._cells(adata, None, batch_size))
        log_probs = _core.differential_abundance(
            qz_m,
            qz_v,
            # A cell without a sample has the code -1, which is none.
            samples.cat.codes.to_numpy().astype(np.uint32),
            len(samples.cat.categories),
            num_cells_posterior=num_cells_posterior,
            dof=dof,
            seed=settings.next_seed(),
        )
        columns = samples.cat.categories.astype(str)
        adata.obsm["da_log_probs"] = pd.DataFrame(log_probs, adata.obs_names, columns)
