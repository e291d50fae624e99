"""What models over a variational autoencoder of counts share."""

from __future__ import annotations

from typing import Any

from anndata import AnnData

from scvi_rs import _core
from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._settings import settings
from scvi_rs.data import AnnDataManager
from scvi_rs.data._constants import ADATA_MINIFY_TYPE
from scvi_rs.data._engine import engine_inputs
from scvi_rs.data._native import to_native
from scvi_rs.data._utils import _get_adata_minify_type
from scvi_rs.data.fields import (
    BaseAnnDataField,
    CategoricalJointObsField,
    CategoricalObsField,
    LayerField,
    NumericalJointObsField,
    NumericalObsField,
)
from scvi_rs.module._options import module_config

from ._archesmixin import ArchesMixin
from ._counts import engine_counts
from ._embedding_mixin import EmbeddingMixin
from ._minified_model import BaseMinifiedModeModelClass
from ._rnamixin import RNASeqMixin
from ._summary import SHOWN
from ._vaemixin import VAEMixin


class BaseVAEModel(EmbeddingMixin, RNASeqMixin, VAEMixin, ArchesMixin, BaseMinifiedModeModelClass):
    """A model whose module is a variational autoencoder of counts.

    Parameters
    ----------
    adata
        Data that ``setup_anndata`` of the class has registered; ``None`` for a model whose module
        is made when it is trained.
    registry
        A registry of scvi-tools' form, for a model without data.
    """

    _module_kwargs: dict[str, Any]

    def _set_module_kwargs(self, kwargs: dict[str, Any]) -> None:
        """Keeps the arguments that the module is made of."""
        self._module_kwargs = kwargs
        self.init_params_ = {"non_kwargs": kwargs, "kwargs": {}}

    def _init_module(self, manager: AnnDataManager) -> None:
        """Makes the module for the data of a manager."""
        native = to_native(manager.registry)
        stats = manager.summary_stats
        config = module_config(model_class=self._model_class(), **self._module_kwargs)
        config |= {
            "n_input": stats.n_vars,
            "n_batch": stats.n_batch,
            "n_labels": self._n_labels_of(manager),
            "n_continuous_cov": len(native["continuous_covariates"]),
            "n_cats_per_cov": [
                len(column["categories"]) for column in native["categorical_covariates"]
            ],
            "use_size_factor_key": native["size_factor"] is not None,
        }
        infers = not (config.get("use_observed_lib_size", True) or config["use_size_factor_key"])
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

    @classmethod
    def _model_class(cls) -> str:
        """The engine's name for the class."""
        return cls._module_cls._model_class

    def _n_labels_of(self, manager: AnnDataManager) -> int:
        """Labels that the module has."""
        return manager.summary_stats.n_labels

    def _library_prior(
        self, manager: AnnDataManager | None = None
    ) -> tuple[list[float], list[float]]:
        """Mean and variance of the log library size in each batch."""
        manager = manager or self._adata_manager
        n_batch = manager.summary_stats.n_batch
        return _core.library_prior(_counts_and_batch(manager), n_batch)

    def _describe(self, config: dict[str, Any]) -> None:
        described = {**_core.default_config(self._model_class()), **config}
        options = ", ".join(f"{name}: {described[name]}" for name in SHOWN)
        self._model_summary_string = (
            f"{type(self).__name__} model with the following parameters: \n{options}."
        )

    @classmethod
    def _fields(
        cls,
        labels: BaseAnnDataField,
        layer: str | None,
        batch_key: str | None,
        size_factor_key: str | None,
        categorical_covariate_keys: list[str] | None,
        continuous_covariate_keys: list[str] | None,
        *,
        allow_many_categories: bool,
    ) -> list[BaseAnnDataField]:
        """What the model reads of an AnnData object."""
        categorical = {"allow_many_categories": allow_many_categories}
        return [
            LayerField(REGISTRY_KEYS.X_KEY, layer, is_count_data=True),
            CategoricalObsField(REGISTRY_KEYS.BATCH_KEY, batch_key, **categorical),
            labels,
            NumericalObsField(
                REGISTRY_KEYS.SIZE_FACTOR_KEY, size_factor_key, required=False, positive=True
            ),
            CategoricalJointObsField(
                REGISTRY_KEYS.CAT_COVS_KEY, categorical_covariate_keys, **categorical
            ),
            NumericalJointObsField(REGISTRY_KEYS.CONT_COVS_KEY, continuous_covariate_keys),
        ]

    @classmethod
    def _register(
        cls,
        adata: AnnData,
        fields: list[BaseAnnDataField],
        setup_method_args: dict,
        kwargs: dict[str, Any],
        *,
        use_minified: bool = True,
    ) -> None:
        minified = _get_adata_minify_type(adata) if use_minified else None
        if minified is not None:
            fields = fields + cls._minified_fields(minified)
        manager = AnnDataManager(fields, setup_method_args)
        manager.register_fields(adata, **kwargs)
        cls.register_manager(manager)


def _counts_and_batch(manager: AnnDataManager) -> _core.Data:
    """Data with counts and batches alone."""
    inputs = engine_inputs(manager)
    none = dict.fromkeys(("labels", "categories", "continuous", "size_factor", "posterior"))
    return _core.Data(engine_counts(inputs.X), {"batch": inputs.batch, **none})
