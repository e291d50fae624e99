"""The variational autoencoder with a linear decoder."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ._vae import VAE


class LDVAE(VAE):
    """scVI's autoencoder with a linear decoder, by ``scvi.module.LDVAE`` 1.4.2.

    Parameters
    ----------
    n_layers_encoder
        Hidden layers of the encoder.
    use_batch_norm
        Whether the decoder has batch normalisation; the encoder has it.
    bias
        Whether the decoder's maps have a bias.
    n_input, n_batch, n_labels, n_hidden, n_latent, dropout_rate, dispersion, log_variational, \
gene_likelihood, latent_distribution, use_observed_lib_size, seed
        As of :class:`VAE`.
    **kwargs
        Further arguments of :class:`VAE`.

    Examples
    --------
    >>> LDVAE(n_input=7, n_latent=2, use_observed_lib_size=True).get_loadings().shape
    (7, 2)
    """

    _model_class = "LinearSCVI"

    def __init__(
        self,
        n_input: int,
        n_batch: int = 0,
        n_labels: int = 0,
        n_hidden: int = 128,
        n_latent: int = 10,
        n_layers_encoder: int = 1,
        dropout_rate: float = 0.1,
        dispersion: Literal["gene", "gene-batch", "gene-label", "gene-cell"] = "gene",
        log_variational: bool = True,
        gene_likelihood: Literal["zinb", "nb", "poisson"] = "nb",
        use_batch_norm: bool = True,
        bias: bool = False,
        latent_distribution: Literal["normal", "ln"] = "normal",
        use_observed_lib_size: bool = False,
        *,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        options = dict(locals())
        for name in ("self", "seed", "kwargs"):
            del options[name]
        self._make({**options, **kwargs}, seed)

    def get_loadings(self) -> np.ndarray:
        """Weights of the linear decoder, of shape (genes, n_latent)."""
        return self._core.loadings()
