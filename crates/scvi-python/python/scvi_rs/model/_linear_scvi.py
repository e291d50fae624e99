"""scVI with a linear decoder."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
from anndata import AnnData

from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs.data.fields import CategoricalObsField, LayerField
from scvi_rs.module import LDVAE

from ._scvi import SCVI


class LinearSCVI(SCVI):
    """scVI with a linear decoder, whose weights say what each latent dimension means (LDVAE;
    Svensson et al. 2020).

    Parameters
    ----------
    adata
        Data that :meth:`setup_anndata` has registered.
    n_hidden
        Width of the encoder's hidden layers.
    n_latent
        Dimensions of the latent space.
    n_layers
        Hidden layers of the encoder.
    dropout_rate
        Dropout of the encoder.
    dispersion
        ``"gene"``, ``"gene-batch"``, ``"gene-label"`` or ``"gene-cell"``: how the dispersion varies.
    gene_likelihood
        ``"nb"``, ``"zinb"`` or ``"poisson"``: the distribution of counts.
    use_observed_lib_size
        Whether a cell's library size is its total; otherwise it is inferred.
    latent_distribution
        ``"normal"``, or ``"ln"`` for the logistic normal.
    **model_kwargs
        Further arguments of :class:`scvi_rs.module.LDVAE`.

    Examples
    --------
    >>> adata = scvi_rs.data.synthetic_iid()
    >>> scvi_rs.model.LinearSCVI.setup_anndata(adata, batch_key="batch")
    >>> model = scvi_rs.model.LinearSCVI(adata)
    >>> model.train(max_epochs=10)
    >>> loadings = model.get_loadings()
    """

    _module_cls = LDVAE

    def __init__(
        self,
        adata: AnnData,
        n_hidden: int = 128,
        n_latent: int = 10,
        n_layers: int = 1,
        dropout_rate: float = 0.1,
        dispersion: Literal["gene", "gene-batch", "gene-label", "gene-cell"] = "gene",
        gene_likelihood: Literal["zinb", "nb", "poisson"] = "nb",
        use_observed_lib_size: bool = False,
        latent_distribution: Literal["normal", "ln"] = "normal",
        **model_kwargs: Any,
    ) -> None:
        super().__init__(
            adata,
            n_hidden=n_hidden,
            n_latent=n_latent,
            n_layers=n_layers,
            dropout_rate=dropout_rate,
            dispersion=dispersion,
            gene_likelihood=gene_likelihood,
            use_observed_lib_size=use_observed_lib_size,
            latent_distribution=latent_distribution,
            **model_kwargs,
        )
        self.n_latent = n_latent

    def get_loadings(self) -> pd.DataFrame:
        """Weights of the linear decoder: a row a gene, a column a latent dimension.

        Returns
        -------
        A data frame of genes by ``Z_0``, ``Z_1``, ...
        """
        self._check_if_trained(warn=False)
        loadings = self._engine().loadings()
        columns = [f"Z_{i}" for i in range(loadings.shape[1])]
        return pd.DataFrame(loadings, index=self._engine().var_names, columns=columns)

    @classmethod
    def setup_anndata(
        cls,
        adata: AnnData,
        batch_key: str | None = None,
        labels_key: str | None = None,
        layer: str | None = None,
        allow_many_categories: bool = False,
        **kwargs: Any,
    ) -> None:
        """Registers data for models of this class.

        Parameters
        ----------
        adata
            The data; codes of its categories are added to it.
        batch_key, labels_key
            Categorical columns of ``adata.obs``.
        layer
            Layer with the counts; ``X`` if ``None``.
        allow_many_categories
            As of :meth:`scvi_rs.model.SCVI.setup_anndata`.
        """
        setup_method_args = cls._get_setup_method_args(**locals())
        categorical = {"allow_many_categories": allow_many_categories}
        fields = [
            LayerField(REGISTRY_KEYS.X_KEY, layer, is_count_data=True),
            CategoricalObsField(REGISTRY_KEYS.BATCH_KEY, batch_key, **categorical),
            CategoricalObsField(REGISTRY_KEYS.LABELS_KEY, labels_key, **categorical),
        ]
        cls._register(adata, fields, setup_method_args, kwargs)
