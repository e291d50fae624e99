"""Which manager belongs to which AnnData object, by class and by model."""

from __future__ import annotations

import logging
import weakref
from typing import Any, ClassVar
from uuid import uuid4

from anndata import AnnData

from scvi_rs.data import AnnDataManager
from scvi_rs.data._constants import (
    _MODEL_NAME_KEY,
    _SCVI_UUID_KEY,
    _SETUP_ARGS_KEY,
    _SETUP_METHOD_NAME,
)
from scvi_rs.data._registering import registering
from scvi_rs.data._utils import _assign_adata_uuid, _check_if_view

logger = logging.getLogger(__name__)


class ManagesAnnData:
    """Finds the manager of an AnnData object, and registers objects that are new to a model."""

    # adata's uuid -> manager of its latest setup_anndata; a store of its own for each class.
    _setup_adata_manager_store: ClassVar[dict[str, AnnDataManager]] = {}
    # model's id -> adata's uuid -> manager.
    _per_instance_manager_store: ClassVar[dict[str, dict[str, AnnDataManager]]] = {}

    id: str
    registry_: dict[str, Any]
    _adata: AnnData | None
    _adata_manager: AnnDataManager | None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._setup_adata_manager_store = {}
        cls._per_instance_manager_store = {}

    def _new_id(self) -> None:
        self.id = str(uuid4())
        # The store is the class's: it would keep the data of models that are gone.
        weakref.finalize(self, self._per_instance_manager_store.pop, self.id, None)

    def __getstate__(self) -> dict[str, Any]:
        """What ``copy`` and ``pickle`` take: the attributes, and managers of data it has seen."""
        managers = self._per_instance_manager_store.get(self.id, {})
        for adata in (manager.adata for manager in managers.values()):
            if adata.isbacked:
                raise TypeError(
                    f"The model's data lie in {adata.filename}, and an open file cannot be pickled "
                    "or copied. Set the model up with adata.to_memory(), or save the model and "
                    f"load it where it is wanted: {type(self).__name__}.load(folder, adata)."
                )
        return {"attributes": dict(vars(self)), "managers": dict(managers)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state["attributes"])
        self._new_id()
        self._per_instance_manager_store[self.id] = state["managers"]

    @staticmethod
    def _get_setup_method_args(**setup_locals: Any) -> dict[str, Any]:
        """What a registry says of the call of ``setup_anndata`` with these local variables."""
        cls = setup_locals.pop("cls")
        setup_locals.pop("adata")
        # They say how columns are checked and registered, not which the model reads.
        setup_locals.pop("allow_many_categories", None)
        setup_locals.pop("use_minified", None)
        extra = {k: v for k, v in setup_locals.pop("kwargs", {}).items() if k != "source_registry"}
        return {
            _MODEL_NAME_KEY: cls.__name__,
            _SETUP_METHOD_NAME: "setup_anndata",
            _SETUP_ARGS_KEY: {**setup_locals, **extra},
        }

    @classmethod
    def register_manager(cls, adata_manager: AnnDataManager) -> None:
        """Keeps the manager of an AnnData object for models of this class."""
        cls._setup_adata_manager_store[adata_manager.adata_uuid] = adata_manager

    def _register_manager_for_instance(self, adata_manager: AnnDataManager) -> None:
        store = self._per_instance_manager_store.setdefault(self.id, {})
        store[adata_manager.adata_uuid] = adata_manager

    def deregister_manager(self, adata: AnnData | None = None) -> None:
        """Forgets AnnData objects that the model has seen, or its class has set up.

        Parameters
        ----------
        adata
            The object to forget; all but the model's own if ``None``.

        Raises
        ------
        ValueError
            If the class has not set it up, or has forgotten it.
        """
        stores = [
            type(self)._setup_adata_manager_store,
            self._per_instance_manager_store.get(self.id, {}),
        ]
        if adata is not None:
            manager = self._get_most_recent_anndata_manager(adata, required=True)
            forgotten = {manager.adata_uuid}
        else:
            own = None if self._adata_manager is None else self._adata_manager.adata_uuid
            forgotten = {adata_id for store in stores for adata_id in store} - {own}
        for store in stores:
            for adata_id in forgotten:
                store.pop(adata_id, None)

    @classmethod
    def _get_most_recent_anndata_manager(
        cls, adata: AnnData, required: bool = False
    ) -> AnnDataManager | None:
        """The manager that ``setup_anndata`` of this class made for an object."""
        problem = None
        manager = cls._setup_adata_manager_store.get(adata.uns.get(_SCVI_UUID_KEY))
        if _SCVI_UUID_KEY not in adata.uns:
            problem = f"Please set up your AnnData with {cls.__name__}.setup_anndata first."
        elif manager is None:
            problem = (
                f"Please set up your AnnData with {cls.__name__}.setup_anndata first. It appears "
                "the AnnData object has been setup with a different model."
            )
        elif manager.adata is not adata:
            raise ValueError(
                "The provided AnnData object does not match the AnnData object previously "
                "provided for setup. Did you make a copy?"
            )
        if problem is not None and required:
            raise ValueError(problem)
        return manager

    @registering
    def get_anndata_manager(self, adata: AnnData, required: bool = False) -> AnnDataManager | None:
        """The model's manager of an AnnData object.

        Parameters
        ----------
        adata
            The object. A copy of one that the model knows is set up on the way.
        required
            Whether it is an error that there is none.
        """
        if adata is None:
            return None
        uuid = adata.uns.get(_SCVI_UUID_KEY)
        manager = self._per_instance_manager_store.get(self.id, {}).get(uuid)
        if manager is None:
            if not required:
                return None
            if uuid is None:
                raise ValueError(
                    f"Please set up your AnnData with {type(self).__name__}.setup_anndata first."
                )
            raise AssertionError("Please call ``self._validate_anndata`` on this AnnData object.")
        if manager.adata is not adata:
            logger.info("AnnData object appears to be a copy. Attempting to transfer setup.")
            _assign_adata_uuid(adata, overwrite=True)
            manager = self._adata_manager.transfer_fields(adata)
            self._register_manager_for_instance(manager)
        return manager

    def get_from_registry(self, adata: AnnData, registry_key: str) -> Any:
        """Data of an AnnData object that the model has seen.

        Parameters
        ----------
        adata
            The object.
        registry_key
            The model's name for the data.
        """
        manager = self.get_anndata_manager(adata)
        if manager is None:
            raise AssertionError(
                "AnnData not registered with model. Call `self._validate_anndata` prior to calling "
                "this function."
            )
        return manager.get_from_registry(registry_key)

    @registering
    def _validate_anndata(self, adata: AnnData | None = None, copy_if_view: bool = True) -> AnnData:
        """Makes sure that an object is registered with the model; the model's own if ``None``."""
        if adata is None:
            adata = self._adata
        if adata is None:
            raise ValueError("the model has no data: it was loaded or made without; pass `adata`")
        _check_if_view(adata, copy_if_view=copy_if_view)
        manager = self.get_anndata_manager(adata)
        if manager is not None:
            manager.validate()
        elif self._adata_manager is not None:
            logger.info("Input AnnData not setup with this model; transferring the setup.")
            self._register_manager_for_instance(self._adata_manager.transfer_fields(adata))
        else:
            logger.info("The model was loaded without AnnData; setting this one up.")
            self._set_up_from_registry(adata)
        return adata

    def _set_up_from_registry(self, adata: AnnData) -> None:
        """Makes an object the model's own, by the setup that the model was saved with."""
        cls = type(self)
        cls.setup_anndata(adata, source_registry=self.registry_, **self.registry_[_SETUP_ARGS_KEY])
        self._adata = adata
        self._adata_manager = cls._get_most_recent_anndata_manager(adata, required=True)
        self._register_manager_for_instance(self._adata_manager)
        self._set_registry(self._adata_manager.registry)

    def transfer_fields(self, adata: AnnData, **kwargs: Any) -> AnnDataManager:
        """Registers the model's fields with another AnnData object.

        Parameters
        ----------
        adata
            The object.
        **kwargs
            ``extend_categories=True`` adds categories that are new.
        """
        if self._adata is None:
            raise ValueError("Model need to be initialized with AnnData to transfer fields.")
        return self._adata_manager.transfer_fields(adata, **kwargs)
