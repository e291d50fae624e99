"""Single-cell variational inference."""

from __future__ import annotations

import warnings
from typing import Any, Literal

from anndata import AnnData

from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._settings import settings
from scvi_rs.data.fields import CategoricalObsField
from scvi_rs.module import VAE
from scvi_rs.module._options import module_config

from .base import BaseVAEModel, UnsupervisedTrainingMixin


class SCVI(UnsupervisedTrainingMixin, BaseVAEModel):
    """scVI: a variational autoencoder of RNA counts (Lopez et al. 2018).

    Parameters
    ----------
    adata
        Data that :meth:`setup_anndata` has registered. ``None`` for a model whose module is made
        when it is trained on a ``datamodule``.
    registry
        A registry of scvi-tools' form, for a model without data.
    n_hidden
        Width of hidden layers.
    n_latent
        Dimensions of the latent space.
    n_layers
        Hidden layers of encoder and of decoder.
    dropout_rate
        Dropout of the encoder.
    dispersion
        ``"gene"``, ``"gene-batch"``, ``"gene-label"`` or ``"gene-cell"``: how the dispersion varies.
    gene_likelihood
        ``"zinb"``, ``"nb"``, ``"poisson"`` or ``"normal"``: the distribution of counts.
    use_observed_lib_size
        Whether a cell's library size is its total; otherwise it is inferred.
    latent_distribution
        ``"normal"``, or ``"ln"`` for the logistic normal.
    **kwargs
        Further arguments of :class:`scvi_rs.module.VAE`.

    Examples
    --------
    >>> adata = scvi_rs.data.synthetic_iid()
    >>> scvi_rs.model.SCVI.setup_anndata(adata, batch_key="batch")
    >>> model = scvi_rs.model.SCVI(adata)
    >>> model.train(max_epochs=10)
    >>> adata.obsm["X_scVI"] = model.get_latent_representation()
    """

    _module_cls = VAE

    def __init__(
        self,
        adata: AnnData | None = None,
        registry: dict | None = None,
        n_hidden: int = 128,
        n_latent: int = 10,
        n_layers: int = 1,
        dropout_rate: float = 0.1,
        dispersion: Literal["gene", "gene-batch", "gene-label", "gene-cell"] = "gene",
        gene_likelihood: Literal["zinb", "nb", "poisson", "normal"] = "zinb",
        use_observed_lib_size: bool = True,
        latent_distribution: Literal["normal", "ln"] = "normal",
        **kwargs: Any,
    ) -> None:
        super().__init__(adata, registry)
        module_kwargs = {
            "n_hidden": n_hidden,
            "n_latent": n_latent,
            "n_layers": n_layers,
            "dropout_rate": dropout_rate,
            "dispersion": dispersion,
            "gene_likelihood": gene_likelihood,
            "use_observed_lib_size": use_observed_lib_size,
            "latent_distribution": latent_distribution,
            **kwargs,
        }
        self._set_module_kwargs(module_kwargs)
        if adata is not None:
            self._init_module(self._adata_manager)
        else:
            # A misspelt option is told now.
            self._describe(module_config(**module_kwargs))
            warnings.warn(
                "Model was initialized without `adata`. The module will be initialized when "
                "calling `train`.",
                UserWarning,
                stacklevel=settings.warnings_stacklevel,
            )

    @classmethod
    def setup_anndata(
        cls,
        adata: AnnData,
        layer: str | None = None,
        batch_key: str | None = None,
        labels_key: str | None = None,
        size_factor_key: str | None = None,
        categorical_covariate_keys: list[str] | None = None,
        continuous_covariate_keys: list[str] | None = None,
        allow_many_categories: bool = False,
        **kwargs: Any,
    ) -> None:
        """Registers data for models of this class.

        Parameters
        ----------
        adata
            The data; codes of its categories are added to it.
        layer
            Layer with the counts; ``X`` if ``None``.
        batch_key, labels_key
            Categorical columns of ``adata.obs``.
        size_factor_key
            Column with size factors, which then take the place of the library size.
        categorical_covariate_keys, continuous_covariate_keys
            Further columns.
        allow_many_categories
            Take columns with more categories than half of the cells (and more than ten), which most
            likely name cells.

        Raises
        ------
        KeyError
            Naming the columns there are.
        ValueError
            If a column has missing values, or ``adata`` is a view.
        CategoryError
            If a column has as many categories that they can be no groups of cells.
        """
        setup_method_args = cls._get_setup_method_args(**locals())
        fields = cls._fields(
            CategoricalObsField(
                REGISTRY_KEYS.LABELS_KEY, labels_key, allow_many_categories=allow_many_categories
            ),
            layer,
            batch_key,
            size_factor_key,
            categorical_covariate_keys,
            continuous_covariate_keys,
            allow_many_categories=allow_many_categories,
        )
        cls._register(adata, fields, setup_method_args, kwargs)
