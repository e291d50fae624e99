"""What every model has: its data, its module, files."""

from __future__ import annotations

import warnings
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.sparse import issparse

from scvi_rs import _core
from scvi_rs._listed import listed
from scvi_rs._settings import settings
from scvi_rs._shown import html_table, public_names
from scvi_rs.data import AnnDataManager
from scvi_rs.data._constants import (
    _FIELD_REGISTRIES_KEY,
    _STATE_REGISTRY_KEY,
    ADATA_MINIFY_TYPE,
)
from scvi_rs.data._engine import check_counts, engine_inputs
from scvi_rs.data._registering import registering
from scvi_rs.exceptions import CountsError
from scvi_rs.module import VAE
from scvi_rs.utils import attrdict

from ._counts import engine_counts, gene_places
from ._managers import ManagesAnnData
from ._progress import ProgressBar
from ._saved import SavedModels
from ._selection import Selection, cell_numbers
from ._summary import columns, data_line, options, sizes, training_line

_UNTRAINED = (
    "Trying to query inferred values from an untrained model. Please train the model first, with "
    "model.train(); model.is_trained = True takes one that grew from a reference as it is."
)


class BaseModelClass(ManagesAnnData, SavedModels):
    """A model of single-cell counts with its data.

    Parameters
    ----------
    adata
        Data that ``setup_anndata`` of the class has registered; ``None`` for a model whose module
        is made when it is trained.
    registry
        A registry of scvi-tools' form, for a model without data.
    """

    _module_cls: type[VAE] = VAE

    def __init__(self, adata: AnnData | None = None, registry: dict | None = None) -> None:
        self._new_id()
        self._adata = adata
        self._adata_manager: AnnDataManager | None = None
        self.module: Any = None
        self._core: _core.Model | None = None
        if adata is not None:
            self._adata_manager = self._get_most_recent_anndata_manager(adata, required=True)
            self._register_manager_for_instance(self._adata_manager)
            self._set_registry(self._adata_manager.registry)
        elif registry is not None:
            self._set_registry(registry)
        self._module_init_on_train = adata is None and registry is None
        self._model_summary_string = ""
        self._checked: tuple[Any, ...] = ()
        self.is_trained_ = False
        self.train_indices_: np.ndarray | None = None
        self.test_indices_: np.ndarray | None = None
        self.validation_indices_: np.ndarray | None = None
        self.history_: dict[str, pd.DataFrame] | None = None
        self.get_normalized_function_name_ = "get_normalized_expression"
        self.run_name_ = f"run_{datetime.now():%Y-%m-%d_%H-%M-%S}"
        self.run_id_ = ""

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # It knows counts by where they lie, which was in another process or object.
        self._checked = ()

    @classmethod
    def _without_module(cls, adata: AnnData | None, registry: dict | None = None) -> Any:
        """An object of the class whose module the caller gives it."""
        model = cls.__new__(cls)
        BaseModelClass.__init__(model, adata, registry)
        return model

    def _set_registry(self, registry: dict) -> None:
        self.registry_ = registry
        self.summary_stats = AnnDataManager._get_summary_stats_from_registry(registry)

    # --- data ---------------------------------------------------------------------------------

    @property
    def adata(self) -> AnnData | None:
        """The model's data."""
        return self._adata

    @adata.setter
    def adata(self, adata: AnnData) -> None:
        if adata is None:
            raise ValueError("adata cannot be None.")
        self._validate_anndata(adata)
        self._adata = adata
        self._adata_manager = self.get_anndata_manager(adata, required=True)
        self._set_registry(self._adata_manager.registry)

    @property
    def adata_manager(self) -> AnnDataManager | None:
        """Manager of the model's data."""
        return self._adata_manager

    @property
    def registry(self) -> dict:
        """What the model was set up with."""
        return self.registry_

    def get_var_names(self) -> np.ndarray:
        """Names of the genes."""
        if self._core is not None:
            return np.array(self._core.var_names, dtype=object)
        return self.registry_[_FIELD_REGISTRIES_KEY]["X"][_STATE_REGISTRY_KEY]["column_names"]

    def data_registry(self, registry_key: str) -> Any:
        """The model's data by its name for them."""
        if self._adata is None:
            raise ValueError("self.adata is None. Please register AnnData object to access data.")
        return self._adata_manager.get_from_registry(registry_key)

    def get_state_registry(self, registry_key: str) -> attrdict:
        """What was found out when a field was registered, such as its categories."""
        return attrdict(self.registry_[_FIELD_REGISTRIES_KEY][registry_key][_STATE_REGISTRY_KEY])

    def get_setup_arg(self, setup_arg: str) -> Any:
        """An argument of ``setup_anndata``."""
        return self.registry_["setup_args"][setup_arg]

    def update_setup_method_args(self, setup_method_args: dict[str, Any]) -> None:
        """Changes or adds arguments of the setup method in the registry."""
        self.registry_["setup_args"].update(setup_method_args)

    def view_anndata_setup(
        self, adata: AnnData | None = None, hide_state_registries: bool = False
    ) -> None:
        """Prints how data were set up.

        Parameters
        ----------
        adata
            The data; the model's own if ``None``.
        hide_state_registries
            Whether to leave out what each field found, such as its categories.
        """
        manager = self._adata_manager if adata is None else self.get_anndata_manager(adata)
        if manager is None:
            raise ValueError(
                f"Given AnnData not setup with {type(self).__name__}. Cannot view setup summary."
            )
        manager.view_registry(hide_state_registries=hide_state_registries)

    view_registry = view_anndata_setup

    def view_setup_method_args(self) -> None:
        """Prints the arguments of ``setup_anndata``."""
        AnnDataManager.view_setup_method_args(self.registry_)

    # --- the engine ---------------------------------------------------------------------------

    def _set_core(self, core: _core.Model) -> None:
        self._core = core
        self.module = self._module_cls._from_core(core)

    def _engine(self) -> _core.Model:
        if self._core is None:
            raise AttributeError(
                "the model has no module yet: it was made without data; train it with `datamodule`"
            )
        self.module._check_embeddings()
        _use_threads(settings.num_threads or 0)
        return self._core

    def _engine_data(self, adata: AnnData) -> _core.Data:
        """An AnnData object that the model has seen, for the engine; nothing big is copied."""
        return self._engine_data_of(self.get_anndata_manager(adata, required=True))

    @registering
    def _engine_data_of(self, manager: AnnDataManager, *, for_training: bool = False) -> _core.Data:
        engine = self._engine()
        adata, inputs = manager.adata, engine_inputs(manager)
        counts = engine_counts(inputs.X, gene_places(adata.var_names, engine.var_names))
        if inputs.minified_data_type != ADATA_MINIFY_TYPE.LATENT_POSTERIOR:
            self._check_counts(inputs.X, counts, adata, for_training)
        posterior = None
        if inputs.minified_data_type is not None:
            posterior = {
                "minified_data_type": inputs.minified_data_type,
                "qz_m": inputs.latent_qzm,
                "qz_v": inputs.latent_qzv,
                "observed_lib_size": inputs.observed_lib_size,
            }
        known = {
            "batch": inputs.batch,
            "labels": inputs.labels if _knows_labels(engine) else None,
            "categories": inputs.categorical,
            "continuous": inputs.continuous,
            "size_factor": inputs.size_factor,
            "posterior": posterior,
        }
        return _core.Data(counts, known)

    def _check_counts(
        self, X: Any, counts: _core.Counts, adata: AnnData, for_training: bool
    ) -> None:
        """Looks once at all counts, which nothing else does before a model learns from them."""
        in_memory = issparse(X) or isinstance(X, np.ndarray)
        stored = X.data if issparse(X) else X
        seen = (id(X), id(stored), X.shape)
        if seen == self._checked or not (in_memory or for_training):
            return
        found = check_counts(counts, adata.obs_names, self._engine().var_names)
        empty = found["empty_cells"]
        if len(empty):
            raise CountsError(
                f"{len(empty)} of {adata.n_obs} cells have no counts: "
                f"{listed(adata.obs_names[empty])}. Leave them out before setup_anndata, for "
                "example with scanpy.pp.filter_cells(adata, min_counts=1)."
            )
        self._checked = seen

    def _cells(
        self,
        adata: AnnData | None,
        indices: Any = None,
        batch_size: int | None = None,
        *,
        allow_untrained: bool = False,
        at_least_one: bool = False,
    ) -> Selection:
        """Cells for a task of a trained model; the task may only warn where it is not.

        Of no cells a task has no rows; one that gives a number for all of them needs one.
        """
        self._check_if_trained(warn=allow_untrained)
        adata = self._validate_anndata(adata)
        data = self._engine_data(adata)
        chosen = None if indices is None else cell_numbers(indices, adata.obs_names)
        if at_least_one and chosen is not None and not chosen.size:
            raise ValueError(
                f"indices selects no cell. Give cell numbers, names or a mask of all {adata.n_obs} "
                "cells, or None for all cells."
            )
        return Selection(data, chosen, batch_size or settings.batch_size)

    @property
    def device(self) -> _Device:
        """Where the model computes: the processor."""
        return _Device("cpu")

    def to_device(self, device: Any) -> None:
        """Accepts the processor, the one device there is."""
        if str(device) not in ("cpu", "auto"):
            raise ValueError(f"device is {device}; this package computes on the processor: 'cpu'")

    # --- training's records --------------------------------------------------------------------

    def _check_if_trained(self, warn: bool = True, message: str = _UNTRAINED) -> None:
        if self.is_trained_:
            return
        if not warn:
            raise RuntimeError(message)
        warnings.warn(message, UserWarning, stacklevel=settings.warnings_stacklevel + 1)

    @property
    def is_trained(self) -> bool:
        """Whether the model has been trained."""
        return self.is_trained_

    @is_trained.setter
    def is_trained(self, value: bool) -> None:
        self.is_trained_ = value

    @property
    def train_indices(self) -> np.ndarray | None:
        """Cells that the model learned from."""
        return self.train_indices_

    @train_indices.setter
    def train_indices(self, value: np.ndarray) -> None:
        self.train_indices_ = value

    @property
    def validation_indices(self) -> np.ndarray | None:
        """Cells that its progress was measured on."""
        return self.validation_indices_

    @validation_indices.setter
    def validation_indices(self, value: np.ndarray) -> None:
        self.validation_indices_ = value

    @property
    def test_indices(self) -> np.ndarray | None:
        """The rest."""
        return self.test_indices_

    @test_indices.setter
    def test_indices(self, value: np.ndarray) -> None:
        self.test_indices_ = value

    @property
    def history(self) -> dict[str, pd.DataFrame] | None:
        """What training recorded: a data frame of one column for each figure."""
        return self.history_

    @property
    def run_name(self) -> str:
        """Name of the run."""
        return self.run_name_

    @run_name.setter
    def run_name(self, value: str) -> None:
        self.run_name_ = value

    @property
    def run_id(self) -> str:
        """Identity of the run in a tracking service; empty here."""
        return self.run_id_

    @run_id.setter
    def run_id(self, value: str) -> None:
        self.run_id_ = value

    @property
    def get_normalized_function_name(self) -> str:
        """The method that gives normalised expression."""
        return self.get_normalized_function_name_

    # --- words -----------------------------------------------------------------------------------

    @property
    def summary_string(self) -> str:
        """A description of the model."""
        stats = getattr(self, "summary_stats", None)
        data = data_line(stats, self._adata is not None)
        return f"{self._model_summary_string}\nData: {data}\nTraining status: {self._trained()}"

    def _trained(self) -> str:
        return training_line(self.is_trained_, self._core and self._core.training)

    def __repr__(self) -> str:
        return self.summary_string

    def _repr_html_(self) -> str:
        rows = {}
        if self._core is not None:
            counted = sizes(self.summary_stats)
            rows = {name.capitalize(): str(n) for name, n in counted.items()}
            rows |= columns(self.registry_)
        if self._adata is None:
            rows["Data"] = "none"
        rows["Training"] = self._trained()
        if self._core is not None:
            rows |= options(self._core.config)
        return html_table(type(self).__name__, rows)

    def __dir__(self) -> list[str]:
        return public_names(self)

    def _get_user_attributes(self) -> list[tuple[str, Any]]:
        """Attributes of this object, by name."""
        return [(name, value) for name, value in vars(self).items() if not name.startswith("__")]

    def _bar(self, description: str, silent: bool, unit: str = "cells") -> ProgressBar:
        return ProgressBar(description, f" {unit}", shown=not silent)


def _knows_labels(engine: _core.Model) -> bool:
    """Whether cells have labels for the engine: without a column of them all have the same, which
    only a dispersion by label asks for."""
    return engine.registry["labels"] is not None or engine.config["dispersion"] == "gene-label"


def _use_threads(threads: int) -> None:
    """Makes a new pool of threads where another number is wanted."""
    global _threads
    if threads != _threads:
        _core.set_num_threads(threads)
        _threads = threads


_threads = 0


class _Device(str):
    """A device as torch shows one."""

    @property
    def type(self) -> str:
        """The kind of device."""
        return str(self)
