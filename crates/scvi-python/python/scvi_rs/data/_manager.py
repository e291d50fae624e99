"""What a model knows of the AnnData object it was set up with."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pprint import pformat
from typing import Any
from uuid import uuid4

from anndata import AnnData

from scvi_rs._constants import SCVI_TOOLS_VERSION
from scvi_rs._listed import listed
from scvi_rs._shown import html_table, public_names
from scvi_rs.utils._attrdict import attrdict

from . import _constants
from ._registering import registering
from ._utils import _assign_adata_uuid, _check_if_view, get_anndata_attribute, place
from ._view import table
from .fields import BaseAnnDataField

Registry = dict[str, Any]

_SETUP_KEYS = (
    _constants._MODEL_NAME_KEY,
    _constants._SETUP_METHOD_NAME,
    _constants._SETUP_ARGS_KEY,
)


@dataclass
class AnnDataManagerValidationCheck:
    """Which checks of the whole object are made.

    Parameters
    ----------
    check_if_view
        Whether views are refused.
    """

    check_if_view: bool = True


class AnnDataManager:
    """Registers the parts of an AnnData object that a model reads.

    Parameters
    ----------
    fields
        Those parts.
    setup_method_args
        Entries of the registry that say how it came about: ``model_name``, ``setup_method_name``
        and ``setup_args``.
    validation_checks
        Which checks of the whole object are made.

    Examples
    --------
    >>> from scvi_rs.data.fields import CategoricalObsField, LayerField
    >>> manager = AnnDataManager([LayerField("X", None), CategoricalObsField("batch", "batch")])
    >>> manager.register_fields(adata)
    >>> manager.summary_stats.n_batch
    2
    """

    def __init__(
        self,
        fields: list[BaseAnnDataField] | None = None,
        setup_method_args: dict[str, Any] | None = None,
        validation_checks: AnnDataManagerValidationCheck | None = None,
    ) -> None:
        self.id = str(uuid4())
        self.adata: AnnData | None = None
        self.fields = list(fields or [])
        self.validation_checks = validation_checks or AnnDataManagerValidationCheck()
        self._source_registry: Registry | None = None
        self._transfer_kwargs: dict[str, Any] = {}
        self._registry: Registry = {
            _constants._SCVI_VERSION_KEY: SCVI_TOOLS_VERSION,
            _constants._MODEL_NAME_KEY: None,
            _constants._SETUP_ARGS_KEY: None,
            _constants._FIELD_REGISTRIES_KEY: {},
            **(setup_method_args or {}),
        }

    def __repr__(self) -> str:
        named = (field for field in self.fields if field.source != "none")
        sources = ", ".join(f"{field.registry_key}: {field.source}" for field in named)
        data = "no data"
        if self.adata is not None:
            data = f"{self.adata.n_obs} cells, {self.adata.n_vars} genes"
        return f"AnnDataManager({data}; {sources})"

    def _repr_html_(self) -> str:
        rows = {field.registry_key: field.source for field in self.fields}
        if self.adata is not None:
            rows = {"Cells": str(self.adata.n_obs), "Genes": str(self.adata.n_vars), **rows}
        return html_table("AnnDataManager", rows)

    def __dir__(self) -> list[str]:
        return public_names(self)

    def _assert_anndata_registered(self) -> None:
        if self.adata is None:
            raise AssertionError("AnnData object not registered. Please call register_fields.")

    def _get_setup_method_args(self) -> dict[str, Any]:
        """The registry's entries on how it came about."""
        return {key: self._registry[key] for key in _SETUP_KEYS if key in self._registry}

    def register_fields(
        self, adata: AnnData, source_registry: Registry | None = None, **transfer_kwargs: Any
    ) -> None:
        """Registers every field with an AnnData object, which is the manager's from then on.

        Parameters
        ----------
        adata
            The object. What the model reads is added to it.
        source_registry
            A registry that the data have to fit, made by another manager.
        **transfer_kwargs
            Options of that, such as ``extend_categories``.

        Raises
        ------
        AssertionError
            If the manager has an object already.
        ValueError, KeyError
            If the data do not have what the fields need.
        """
        if self.adata is not None:
            raise AssertionError("Existing AnnData object registered with this Manager instance.")
        if source_registry is None and transfer_kwargs:
            raise TypeError(
                f"register_fields() got unexpected keyword arguments {transfer_kwargs} passed "
                "without a source_registry."
            )
        self._register_fields(adata, source_registry, **transfer_kwargs)

    @registering
    def _register_fields(
        self, adata: AnnData, source_registry: Registry | None, **transfer_kwargs: Any
    ) -> None:
        if self.validation_checks.check_if_view:
            _check_if_view(adata)
        for field in self.fields:
            self._add_field(field, adata, source_registry, **transfer_kwargs)
        self._source_registry = deepcopy(source_registry)
        self._transfer_kwargs = deepcopy(transfer_kwargs)
        self.adata = adata
        _assign_adata_uuid(adata)
        self._registry[_constants._SCVI_UUID_KEY] = adata.uns[_constants._SCVI_UUID_KEY]
        adata.uns[_constants._MANAGER_UUID_KEY] = self.id

    def _add_field(
        self,
        field: BaseAnnDataField,
        adata: AnnData,
        source_registry: Registry | None = None,
        **transfer_kwargs: Any,
    ) -> None:
        sources = (source_registry or {}).get(_constants._FIELD_REGISTRIES_KEY, {})
        if field.is_empty:
            state: dict[str, Any] = {}
        elif field.registry_key in sources:
            source_state = sources[field.registry_key][_constants._STATE_REGISTRY_KEY]
            state = field.transfer_field(source_state, adata, **transfer_kwargs)
        else:
            state = field.register_field(adata)
        self._registry[_constants._FIELD_REGISTRIES_KEY][field.registry_key] = {
            _constants._DATA_REGISTRY_KEY: field.get_data_registry(),
            _constants._STATE_REGISTRY_KEY: state,
            _constants._SUMMARY_STATS_KEY: field.get_summary_stats(state),
        }

    @registering
    def register_new_fields(self, fields: list[BaseAnnDataField]) -> None:
        """Registers more fields with the manager's object.

        Parameters
        ----------
        fields
            Those fields.
        """
        self._assert_anndata_registered()
        self.validate()
        for field in fields:
            self._add_field(field, self.adata)
        # A later validate() has to find the new fields in the source too.
        if self._source_registry is not None:
            self._source_registry = deepcopy(self._registry)
        self.fields = [*self.fields, *fields]

    def transfer_fields(self, adata_target: AnnData, **kwargs: Any) -> AnnDataManager:
        """Registers the same fields with other data, which have to fit this registry.

        Parameters
        ----------
        adata_target
            The data.
        **kwargs
            Options: ``extend_categories=True`` adds categories that are new.

        Returns
        -------
        The manager of ``adata_target``.
        """
        self._assert_anndata_registered()
        manager = type(self)(
            fields=self.fields,
            setup_method_args=deepcopy(self._get_setup_method_args()),
            validation_checks=self.validation_checks,
        )
        manager.register_fields(adata_target, self._registry, **kwargs)
        return manager

    @registering
    def validate(self) -> None:
        """Registers the object again if another manager did since, which overwrites its columns."""
        self._assert_anndata_registered()
        if self.adata.uns.get(_constants._MANAGER_UUID_KEY) != self.id:
            self._register_fields(self.adata, self._source_registry, **self._transfer_kwargs)

    def update_setup_method_args(self, setup_method_args: dict[str, Any]) -> None:
        """Changes or adds arguments of the setup method in the registry.

        Parameters
        ----------
        setup_method_args
            Names and values.
        """
        self._registry[_constants._SETUP_ARGS_KEY].update(setup_method_args)

    @property
    def adata_uuid(self) -> str:
        """Identity of the registered object."""
        self._assert_anndata_registered()
        return self._registry[_constants._SCVI_UUID_KEY]

    @property
    def registry(self) -> Registry:
        """The registry: what is saved with a model."""
        return self._registry

    @property
    def data_registry(self) -> attrdict:
        """Where the data of each field lie."""
        self._assert_anndata_registered()
        return self._get_data_registry_from_registry(self._registry)

    @staticmethod
    def _get_data_registry_from_registry(registry: Registry) -> attrdict:
        parts = _field_parts(registry, _constants._DATA_REGISTRY_KEY)
        return attrdict({key: part for key, part in parts if part})

    @property
    def summary_stats(self) -> attrdict:
        """Sizes: ``n_cells``, ``n_vars``, ``n_batch``, ``n_labels``, ..."""
        self._assert_anndata_registered()
        return self._get_summary_stats_from_registry(self._registry)

    @staticmethod
    def _get_summary_stats_from_registry(registry: Registry) -> attrdict:
        stats: dict[str, int] = {}
        for key, part in _field_parts(registry, _constants._SUMMARY_STATS_KEY):
            twice = stats.keys() & part.keys()
            if twice:
                raise RuntimeError(f"field '{key}' counts what another field counts: {twice}")
            stats.update(part)
        return attrdict(stats)

    def get_from_registry(self, registry_key: str) -> Any:
        """The data of a field: a matrix, a data frame, or an array of shape ``(n_cells, 1)``.

        Parameters
        ----------
        registry_key
            The model's name for it.
        """
        places = self.data_registry
        if registry_key not in places:
            raise KeyError(
                f"no data are registered as '{registry_key}'; there are: {listed(places)}"
            )
        at = places[registry_key]
        return get_anndata_attribute(self.adata, at.attr_name, at.attr_key)

    def get_state_registry(self, registry_key: str) -> attrdict:
        """What was found out when a field was registered, such as its categories.

        Parameters
        ----------
        registry_key
            The model's name for it.
        """
        self._assert_anndata_registered()
        field = self._registry[_constants._FIELD_REGISTRIES_KEY][registry_key]
        return attrdict(field[_constants._STATE_REGISTRY_KEY])

    @staticmethod
    def _view_summary_stats(summary_stats: attrdict) -> str:
        return table("Summary Statistics", ["Summary Stat Key", "Value"], summary_stats.items())

    @staticmethod
    def _view_data_registry(data_registry: attrdict) -> str:
        rows = [(key, place(at.attr_name, at.attr_key)) for key, at in data_registry.items()]
        return table("Data Registry", ["Registry Key", "scvi-tools Location"], rows)

    @staticmethod
    def view_setup_method_args(registry: Registry) -> None:
        """Prints the arguments that a registry was made with.

        Parameters
        ----------
        registry
            The registry.
        """
        name = registry[_constants._MODEL_NAME_KEY]
        args = registry[_constants._SETUP_ARGS_KEY]
        if name is not None and args is not None:
            print(f"Setup via `{name}.setup_anndata` with arguments:\n{pformat(args)}\n")

    def view_registry(self, hide_state_registries: bool = False) -> None:
        """Prints the registry.

        Parameters
        ----------
        hide_state_registries
            Whether to leave out what each field found, such as its categories.
        """
        version = self._registry[_constants._SCVI_VERSION_KEY]
        print(f"Anndata setup with scvi-tools version {version}.\n")
        self.view_setup_method_args(self._registry)
        tables: list[str | None] = [
            self._view_summary_stats(self.summary_stats),
            self._view_data_registry(self.data_registry),
        ]
        if not hide_state_registries:
            for field in self.fields:
                state = self.get_state_registry(field.registry_key)
                tables.append(field.view_state_registry(state))
        print("\n\n".join(text for text in tables if text is not None))


def _field_parts(registry: Registry, part: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, field in registry[_constants._FIELD_REGISTRIES_KEY].items():
        yield key, field[part]
