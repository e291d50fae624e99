"""Mapping a query onto a trained model (scArches; Lotfollahi et al. 2022)."""

from __future__ import annotations

import logging
import os
import warnings
from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from scvi_rs import _core
from scvi_rs._listed import listed
from scvi_rs._settings import settings
from scvi_rs.data._constants import _SETUP_ARGS_KEY
from scvi_rs.data._native import to_native
from scvi_rs.data._query import align_genes

from ._saved import check_processor, registry_of

logger = logging.getLogger(__name__)


class ArchesMixin:
    """Query data with the genes of a reference, and models that grow from one."""

    _is_query = False

    @classmethod
    def load_query_data(
        cls,
        adata: AnnData | None = None,
        reference_model: str | os.PathLike[str] | Any = None,
        registry: dict | None = None,
        inplace_subset_query_vars: bool = False,
        accelerator: str = "auto",
        device: int | str = "auto",
        unfrozen: bool = False,
        freeze_dropout: bool = False,
        freeze_expression: bool = True,
        freeze_decoder_first_layer: bool = True,
        freeze_batchnorm_encoder: bool = True,
        freeze_batchnorm_decoder: bool = False,
        freeze_classifier: bool = True,
        transfer_batch: bool = True,
        datamodule: Any = None,
        freeze_reference_categories: bool = True,
        allow_many_categories: bool = False,
    ) -> Any:
        """A model of a reference and a query, ready to be trained on the query.

        New batches and categories of the query get columns of their own; the rest of the reference
        stays as the switches say. Train it with ``plan_kwargs={"weight_decay": 0.0}``; weight
        decay never reaches what is frozen.

        Parameters
        ----------
        adata
            The query, with the columns that the reference was set up with.
        reference_model
            The trained model, or where it was saved.
        inplace_subset_query_vars
            Whether the query is given the reference's genes, as :meth:`prepare_query_anndata` does.
        accelerator, device
            The processor: ``"auto"`` or ``"cpu"``.
        unfrozen
            Train everything.
        freeze_dropout
            No dropout while the query trains.
        freeze_expression
            Keep the encoder's first layer.
        freeze_decoder_first_layer
            Keep the decoder's first layer.
        freeze_batchnorm_encoder, freeze_batchnorm_decoder
            Keep the batch normalisation of the encoder, of the decoder.
        freeze_classifier
            Keep the classifier of a SCANVI.
        transfer_batch
            Whether the query may have batches that are new to the reference.
        registry, datamodule
            Not supported.
        freeze_reference_categories
            Keep the columns of categories that the reference knows, which scvi-tools trains.
        allow_many_categories
            Take more new categories in a column than half of the query's cells (and more than ten).

        Returns
        -------
        The model, not trained.

        Examples
        --------
        >>> SCVI.prepare_query_anndata(query, "reference_model")
        >>> model = SCVI.load_query_data(query, "reference_model")
        >>> model.train(max_epochs=200, plan_kwargs={"weight_decay": 0.0})
        """
        for name, value in {"registry": registry, "datamodule": datamodule}.items():
            if value is not None:
                raise NotImplementedError(f"{name} is not supported")
        if adata is None or reference_model is None:
            raise ValueError("adata and reference_model must be provided")
        check_processor(accelerator, device)
        reference, known = _reference(reference_model)
        if not getattr(reference_model, "is_trained_", reference.is_trained):
            raise RuntimeError(
                "The reference model is not trained. Train it on its own cells first, with "
                "model.train()."
            )
        if reference.model_class != cls.__name__:
            raise ValueError(
                f"It appears you are loading a model from a different class: "
                f"{reference.model_class}, not {cls.__name__}."
            )
        if inplace_subset_query_vars:
            align_genes(adata, reference.var_names)
        cls.setup_anndata(
            adata,
            source_registry=known,
            extend_categories=True,
            allow_many_categories=allow_many_categories,
            **known[_SETUP_ARGS_KEY],
        )
        model = cls._without_module(adata)
        config = reference.config
        native = to_native(model.registry_)
        new = _new_categories(reference.registry, native)
        if not transfer_batch:
            _refuse_new_batches(native, new)
        freeze = {
            "unfrozen": unfrozen,
            "freeze_dropout": freeze_dropout,
            "freeze_expression": freeze_expression,
            "freeze_decoder_first_layer": freeze_decoder_first_layer,
            "freeze_batchnorm_encoder": freeze_batchnorm_encoder,
            "freeze_batchnorm_decoder": freeze_batchnorm_decoder,
            "freeze_classifier": freeze_classifier,
            "freeze_reference_categories": freeze_reference_categories,
        }
        core = reference.load_query_data(
            native,
            freeze=freeze,
            prior=model._library_prior() if config["library_log_means"] is not None else None,
            new_categories=new,
            seed=settings.next_seed() if settings.seed is None else settings.seed,
        )
        model._set_core(core)
        model._describe(core.config)
        model._is_query = True
        _warn_of_idle_training(core, new)
        return model

    @staticmethod
    def prepare_query_anndata(
        adata: AnnData,
        reference_model: str | os.PathLike[str] | Any,
        return_reference_var_names: bool = False,
        inplace: bool = True,
    ) -> AnnData | pd.Index | None:
        """Gives a query the genes of a reference, in its order; missing ones are zeros.

        Parameters
        ----------
        adata
            The query.
        reference_model
            The trained model, or where it was saved.
        return_reference_var_names
            Whether only the names of these genes are returned.
        inplace
            Whether ``adata`` itself is changed.

        Returns
        -------
        The query with these genes, or ``None`` if ``inplace``.

        Examples
        --------
        >>> SCVI.prepare_query_anndata(query, "reference_model")
        """
        reference, _ = _reference(reference_model)
        if return_reference_var_names:
            return pd.Index(reference.var_names)
        return align_genes(adata, reference.var_names, inplace=inplace)


def _get_loaded_data(
    reference_model: Any, **_: Any
) -> tuple[dict[str, Any], np.ndarray, dict[str, np.ndarray], None]:
    """Attributes, gene names and tensors of a model, or of a saved one."""
    reference, registry = _reference(reference_model)
    attributes = {"registry_": deepcopy(registry), "is_trained_": reference.is_trained}
    return attributes, np.array(reference.var_names, dtype=object), reference.state_dict(), None


def _reference(model: Any) -> tuple[_core.Model, dict]:
    """A trained model, by itself or by its folder: the engine's, and its registry."""
    if isinstance(model, str | os.PathLike):
        core = _core.Model.open(os.fspath(model))
        return core, registry_of(core)
    return model._engine(), deepcopy(model.registry_)


def _new_categories(reference: dict[str, Any], query: dict[str, Any]) -> dict[str, list[str]]:
    """Categories of the query that the reference does not have, by column."""
    new = {}
    pairs = [(reference.get(name), query.get(name)) for name in ("batch", "labels")]
    pairs += zip(reference["categorical_covariates"], query["categorical_covariates"], strict=True)
    for before, now in pairs:
        if before is not None and now is not None:
            added = now["categories"][len(before["categories"]) :]
            if added:
                new[now["key"]] = added
    return new


def _refuse_new_batches(query: dict[str, Any], new: dict[str, list[str]]) -> None:
    """Refuses batches that the reference does not have."""
    batch = query["batch"]
    added = [] if batch is None else new.get(batch["key"], [])
    if added:
        raise ValueError(
            "This model does not allow for query having batch categories missing from the "
            f"reference: {listed(added)} in adata.obs['{batch['key']}']. transfer_batch=True "
            "adds them."
        )


def _warn_of_idle_training(core: _core.Model, new: dict[str, list[str]]) -> None:
    """Says so where training cannot do what one may expect of it."""
    if not new:
        logger.info("No batch or category of the query is new to the reference.")
    if not core.moves_latent():
        warnings.warn(
            "Training cannot move the latent representation: the encoder sees no new category "
            "(encode_covariates is off, or none is new). The query is placed where the reference's "
            "encoder puts it; what is learned is how its cells are decoded.",
            UserWarning,
            stacklevel=settings.warnings_stacklevel + 1,
        )
