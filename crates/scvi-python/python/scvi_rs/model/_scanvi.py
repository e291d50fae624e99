"""Single-cell annotation by variational inference."""

from __future__ import annotations

import warnings
from copy import deepcopy
from typing import Any, Literal

from anndata import AnnData

from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._listed import listed
from scvi_rs._settings import settings
from scvi_rs.data._constants import (
    _FIELD_REGISTRIES_KEY,
    _SETUP_ARGS_KEY,
    ADATA_MINIFY_TYPE,
)
from scvi_rs.data._utils import _get_adata_minify_type
from scvi_rs.data.fields import LabelsWithUnlabeledObsField
from scvi_rs.module import SCANVAE

from ._scvi import SCVI
from .base import BaseVAEModel, SemisupervisedTrainingMixin
from .base._summary import OF_DATA


class SCANVI(SemisupervisedTrainingMixin, BaseVAEModel):
    """scANVI: scVI with a classifier, for data of which some cells have labels (Xu et al. 2021).

    Parameters
    ----------
    adata
        Data that :meth:`setup_anndata` has registered.
    registry
        Not supported.
    n_hidden
        Width of hidden layers.
    n_latent
        Dimensions of the latent space.
    n_layers
        Hidden layers of encoder, decoder and classifier.
    dropout_rate
        Dropout of encoder and classifier.
    dispersion
        ``"gene"``, ``"gene-batch"`` or ``"gene-cell"``: how the dispersion varies. It cannot go by
        labels, which most cells do not have.
    gene_likelihood
        ``"zinb"``, ``"nb"`` or ``"poisson"``: the distribution of counts.
    use_observed_lib_size
        Whether a cell's library size is its total; otherwise it is inferred.
    linear_classifier
        Whether the classifier has no hidden layer.
    datamodule
        Not supported.
    **model_kwargs
        Further arguments of :class:`scvi_rs.module.SCANVAE`.

    Examples
    --------
    >>> adata = scvi_rs.data.synthetic_iid()
    >>> scvi_rs.model.SCANVI.setup_anndata(adata, "labels", "label_0", batch_key="batch")
    >>> model = scvi_rs.model.SCANVI(adata)
    >>> model.train(max_epochs=10)
    >>> adata.obs["prediction"] = model.predict()
    """

    _module_cls = SCANVAE
    # scvi-tools has no use for them, and saves them.
    unsupervised_history_ = None
    semisupervised_history_ = None
    _LATENT_QZM_KEY = "scanvi_latent_qzm"
    _LATENT_QZV_KEY = "scanvi_latent_qzv"

    def __init__(
        self,
        adata: AnnData | None = None,
        registry: dict | None = None,
        n_hidden: int = 128,
        n_latent: int = 10,
        n_layers: int = 1,
        dropout_rate: float = 0.1,
        dispersion: Literal["gene", "gene-batch", "gene-cell"] = "gene",
        gene_likelihood: Literal["zinb", "nb", "poisson"] = "zinb",
        use_observed_lib_size: bool = True,
        linear_classifier: bool = False,
        datamodule: Any = None,
        **model_kwargs: Any,
    ) -> None:
        if adata is None or datamodule is not None:
            raise NotImplementedError(
                "SCANVI needs adata, set up by SCANVI.setup_anndata; registry and datamodule are "
                "not supported"
            )
        super().__init__(adata, registry)
        self._set_module_kwargs(
            {
                "n_hidden": n_hidden,
                "n_latent": n_latent,
                "n_layers": n_layers,
                "dropout_rate": dropout_rate,
                "dispersion": dispersion,
                "gene_likelihood": gene_likelihood,
                "use_observed_lib_size": use_observed_lib_size,
                "linear_classifier": linear_classifier,
                **model_kwargs,
            }
        )
        self._init_module(self._adata_manager)
        self._warn_of_empty_labels()

    def _describe(self, config: dict[str, Any]) -> None:
        super()._describe(config)
        first, options = self._model_summary_string.split("\n", 1)
        labels = f"unlabeled_category: {self.unlabeled_category_}"
        self._model_summary_string = f"{first}\n{labels}, {options}"

    def _warn_of_empty_labels(self) -> None:
        """Warns of labels that no cell has: the classifier can predict them, and never learns to."""
        seen = set(self.labels_)
        empty = [label for label in self._label_mapping[: self.n_labels] if label not in seen]
        if empty and len(self._labeled_indices):
            warnings.warn(
                f"No cell has {'label' if len(empty) == 1 else 'one of the labels'} {listed(empty)}, "
                f"which adata.obs[{self.original_label_key!r}] declares. The classifier has outputs "
                "for such labels that no cell trains; adata.obs[...].cat.remove_unused_categories() "
                "before setup_anndata leaves them out.",
                UserWarning,
                stacklevel=settings.warnings_stacklevel + 1,
            )

    @classmethod
    def from_scvi_model(
        cls,
        scvi_model: SCVI,
        unlabeled_category: str,
        labels_key: str | None = None,
        adata: AnnData | None = None,
        registry: dict | None = None,
        **scanvi_kwargs: Any,
    ) -> SCANVI:
        """A model that begins with the weights of a trained SCVI.

        Parameters
        ----------
        scvi_model
            The trained model.
        unlabeled_category
            Value of the cells without a label.
        labels_key
            Column of labels; the one that the SCVI was set up with if ``None``.
        adata
            Data with the columns that the SCVI was set up with; its own if ``None``.
        registry
            Not supported.
        **scanvi_kwargs
            Arguments of this class. Those that the SCVI has are its own; giving one warns.

        Returns
        -------
        The model, not trained.

        Raises
        ------
        ValueError
            If there is no column of labels, or the data or the model's are minified.

        Examples
        --------
        >>> model = scvi_rs.model.SCANVI.from_scvi_model(model, "label_0", labels_key="labels")
        >>> model.train(max_epochs=10)
        """
        if registry is not None:
            raise NotImplementedError("registry is not supported")
        scvi_model._check_if_trained(message="Passed in scvi model hasn't been trained yet.")
        if not isinstance(scvi_model, SCVI) or scvi_model._model_class() != "SCVI":
            raise TypeError(
                f"scvi_model is of class {type(scvi_model).__name__}; expected a trained SCVI"
            )
        engine = scvi_model._engine()
        known = {
            name: v for name, v in engine.config.items() if name not in {*OF_DATA, "linear_decoder"}
        }
        for name in known.keys() & scanvi_kwargs.keys():
            del scanvi_kwargs[name]
            warnings.warn(
                f"Ignoring param '{name}' as it was already passed in to pretrained SCVI model "
                f"with value {known[name]}.",
                UserWarning,
                stacklevel=settings.warnings_stacklevel,
            )
        adata = cls._data_of(scvi_model, adata)
        setup_args = deepcopy(scvi_model.registry[_SETUP_ARGS_KEY])
        labels_key = labels_key or setup_args["labels_key"]
        if labels_key is None:
            raise ValueError(
                "A `labels_key` is necessary as the scVI model was initialized without one."
            )
        setup_args["labels_key"] = labels_key
        # Batches and covariates keep their codes; labels are new.
        source = deepcopy(scvi_model.registry)
        del source[_FIELD_REGISTRIES_KEY][REGISTRY_KEYS.LABELS_KEY]
        cls.setup_anndata(
            adata,
            unlabeled_category=unlabeled_category,
            use_minified=False,
            source_registry=source,
            **setup_args,
        )
        model = cls(adata, **{**known, **scanvi_kwargs})
        model._engine().take_weights(engine)
        model.was_pretrained = True
        return model

    @staticmethod
    def _data_of(scvi_model: SCVI, adata: AnnData | None) -> AnnData:
        """The data of a model that begins with an SCVI's weights."""
        if scvi_model.minified_data_type == ADATA_MINIFY_TYPE.LATENT_POSTERIOR:
            raise ValueError(
                "We cannot use the given scVI model to initialize scANVI because it has minified "
                "adata. Keep counts when minifying model using "
                "minified_data_type='latent_posterior_parameters_with_counts'."
            )
        if adata is None:
            adata = scvi_model.adata
            if adata is None:
                raise ValueError("the SCVI has no data: pass `adata`")
            return adata
        if _get_adata_minify_type(adata) is not None:
            raise ValueError("Please provide a non-minified `adata` to initialize scANVI.")
        scvi_model._validate_anndata(adata)
        return adata

    @classmethod
    def setup_anndata(
        cls,
        adata: AnnData,
        labels_key: str,
        unlabeled_category: str,
        layer: str | None = None,
        batch_key: str | None = None,
        size_factor_key: str | None = None,
        categorical_covariate_keys: list[str] | None = None,
        continuous_covariate_keys: list[str] | None = None,
        use_minified: bool = True,
        allow_many_categories: bool = False,
        **kwargs: Any,
    ) -> None:
        """Registers data for models of this class.

        Parameters
        ----------
        adata
            The data; codes of its categories are added to it.
        labels_key
            Column of ``adata.obs`` with the labels.
        unlabeled_category
            Value of the cells in it that have no label; one that no cell has if all have one.
        layer, batch_key, size_factor_key, categorical_covariate_keys, \
continuous_covariate_keys, allow_many_categories
            As of :meth:`scvi_rs.model.SCVI.setup_anndata`.
        use_minified
            Whether stored posteriors of minified data are registered, too.

        Raises
        ------
        KeyError
            Naming the columns there are.
        ValueError
            If a column has missing values, or ``adata`` is a view.
        CategoryError
            If a column has as many categories that they can be no groups of cells, or
            ``unlabeled_category`` is of another kind than the labels.
        """
        if labels_key is None or unlabeled_category is None:
            missing = "labels_key" if labels_key is None else "unlabeled_category"
            raise ValueError(
                f"{missing} is None. SCANVI needs the column of labels, and the value in it that "
                "stands for unlabelled cells."
            )
        setup_method_args = cls._get_setup_method_args(**locals())
        fields = cls._fields(
            LabelsWithUnlabeledObsField(
                REGISTRY_KEYS.LABELS_KEY, labels_key, unlabeled_category, allow_many_categories
            ),
            layer,
            batch_key,
            size_factor_key,
            categorical_covariate_keys,
            continuous_covariate_keys,
            allow_many_categories=allow_many_categories,
        )
        cls._register(adata, fields, setup_method_args, kwargs, use_minified=use_minified)
