"""Single-cell variational inference."""

from __future__ import annotations

import warnings
from typing import Any, Literal

from anndata import AnnData

from scvi_rs import _core
from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._settings import settings
from scvi_rs.data import AnnDataManager
from scvi_rs.data._constants import ADATA_MINIFY_TYPE
from scvi_rs.data._engine import engine_inputs
from scvi_rs.data._minify import minified_fields
from scvi_rs.data._native import to_native
from scvi_rs.data._utils import _get_adata_minify_type
from scvi_rs.data.fields import (
    CategoricalJointObsField,
    CategoricalObsField,
    LayerField,
    NumericalJointObsField,
    NumericalObsField,
)
from scvi_rs.module import VAE
from scvi_rs.module._options import module_config

from .base import (
    ArchesMixin,
    BaseMinifiedModeModelClass,
    EmbeddingMixin,
    RNASeqMixin,
    UnsupervisedTrainingMixin,
    VAEMixin,
)
from .base._counts import engine_counts
from .base._summary import SHOWN


class SCVI(
    EmbeddingMixin,
    RNASeqMixin,
    VAEMixin,
    ArchesMixin,
    UnsupervisedTrainingMixin,
    BaseMinifiedModeModelClass,
):
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
    _is_linear = False

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
        self._module_kwargs = {
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
        self.init_params_ = {"non_kwargs": self._module_kwargs, "kwargs": {}}
        if adata is not None:
            self._init_module(self._adata_manager)
        else:
            # A misspelt option is told now.
            self._describe(module_config(**self._module_kwargs))
            warnings.warn(
                "Model was initialized without `adata`. The module will be initialized when "
                "calling `train`.",
                UserWarning,
                stacklevel=settings.warnings_stacklevel,
            )

    def _init_module(self, manager: AnnDataManager) -> None:
        """Makes the module for the data of a manager."""
        native = to_native(manager.registry)
        stats = manager.summary_stats
        config = module_config(linear=self._is_linear, **self._module_kwargs)
        config |= {
            "n_input": stats.n_vars,
            "n_batch": stats.n_batch,
            "n_labels": stats.n_labels,
            "n_continuous_cov": len(native["continuous_covariates"]),
            "n_cats_per_cov": [
                len(column["categories"]) for column in native["categorical_covariates"]
            ],
            "use_size_factor_key": native["size_factor"] is not None,
        }
        infers = not (config["use_observed_lib_size"] or config["use_size_factor_key"])
        if infers and _get_adata_minify_type(manager.adata) != ADATA_MINIFY_TYPE.LATENT_POSTERIOR:
            means, variances = self._library_prior(manager)
            config |= {"library_log_means": means, "library_log_vars": variances}
        core = _core.Model(
            config,
            registry=native,
            var_names=[str(name) for name in manager.adata.var_names],
            model_class=type(self).__name__,
            seed=settings.next_seed() if settings.seed is None else settings.seed,
        )
        self._set_core(core)
        self._describe(core.config)

    def _library_prior(
        self, manager: AnnDataManager | None = None
    ) -> tuple[list[float], list[float]]:
        """Mean and variance of the log library size in each batch."""
        manager = manager or self._adata_manager
        n_batch = manager.summary_stats.n_batch
        return _core.library_prior(_counts_and_batch(manager), n_batch)

    def _describe(self, config: dict[str, Any]) -> None:
        defaults = _core.default_config()
        options = ", ".join(f"{name}: {config.get(name, defaults[name])}" for name in SHOWN)
        self._model_summary_string = (
            f"{type(self).__name__} model with the following parameters: \n{options}."
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
        categorical = {"allow_many_categories": allow_many_categories}
        fields = [
            LayerField(REGISTRY_KEYS.X_KEY, layer, is_count_data=True),
            CategoricalObsField(REGISTRY_KEYS.BATCH_KEY, batch_key, **categorical),
            CategoricalObsField(REGISTRY_KEYS.LABELS_KEY, labels_key, **categorical),
            NumericalObsField(
                REGISTRY_KEYS.SIZE_FACTOR_KEY, size_factor_key, required=False, positive=True
            ),
            CategoricalJointObsField(
                REGISTRY_KEYS.CAT_COVS_KEY, categorical_covariate_keys, **categorical
            ),
            NumericalJointObsField(REGISTRY_KEYS.CONT_COVS_KEY, continuous_covariate_keys),
        ]
        cls._register(adata, fields, setup_method_args, kwargs)

    @classmethod
    def _register(
        cls, adata: AnnData, fields: list, setup_method_args: dict, kwargs: dict[str, Any]
    ) -> None:
        minified = _get_adata_minify_type(adata)
        if minified is not None:
            fields = fields + minified_fields(minified)
        manager = AnnDataManager(fields, setup_method_args)
        manager.register_fields(adata, **kwargs)
        cls.register_manager(manager)


def _counts_and_batch(manager: AnnDataManager) -> _core.Data:
    """Data with counts and batches alone."""
    inputs = engine_inputs(manager)
    none = dict.fromkeys(("labels", "categories", "continuous", "size_factor", "posterior"))
    return _core.Data(engine_counts(inputs.X), {"batch": inputs.batch, **none})
