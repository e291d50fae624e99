"""Models in files: native folders, and saves of scvi-tools."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
from anndata import AnnData, read_h5ad
from scipy.sparse import issparse

from scvi_rs import _core
from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._listed import listed
from scvi_rs._settings import settings
from scvi_rs.data import AnnDataManager
from scvi_rs.data._native import RAW, from_native
from scvi_rs.data._utils import _check_nonnegative_integers
from scvi_rs.exceptions import FileError

from ._constants import SAVE_KEYS
from ._history import history_frames


class SavedModels:
    """Saving, loading, and converting from and to scvi-tools."""

    def save(
        self,
        dir_path: str | os.PathLike[str],
        prefix: str | None = None,
        overwrite: bool = False,
        save_anndata: bool = False,
        **anndata_write_kwargs: Any,
    ) -> None:
        """Writes the model into a folder: ``model.safetensors``, ``model.json``, ``history.csv``
        and ``SHA256SUMS``, which the command ``scvi`` reads as well. Nothing in them can run code.

        Parameters
        ----------
        dir_path
            The folder; other files in it stay.
        prefix
            What the files' names begin with.
        overwrite
            Whether the folder may be there already.
        save_anndata
            Whether the data are written beside the model, as ``adata.h5ad``.
        **anndata_write_kwargs
            Arguments of :meth:`anndata.AnnData.write_h5ad`.

        Raises
        ------
        FileError
            If the folder is there and ``overwrite`` is not set, or cannot be written.
        """
        path, prefix = os.fspath(dir_path), prefix or ""
        _refuse_existing(path, overwrite)
        self._engine().save(
            path,
            prefix=prefix,
            overwrite=overwrite,
            is_trained=self.is_trained_,
            minified_data_type=self.minified_data_type,
        )
        if save_anndata:
            name = os.path.join(path, f"{prefix}{SAVE_KEYS.ADATA_FNAME}")
            self.adata.write_h5ad(name, **anndata_write_kwargs)

    def save_scvi_tools(
        self,
        dir_path: str | os.PathLike[str],
        prefix: str | None = None,
        overwrite: bool = False,
        save_anndata: bool = False,
        **anndata_write_kwargs: Any,
    ) -> None:
        """Writes what ``load`` of scvi-tools opens: ``model.pt``; arguments as of :meth:`save`."""
        path = os.fspath(dir_path)
        _refuse_existing(path, overwrite)
        self._engine().save_scvi_tools(
            path, prefix=prefix, overwrite=overwrite, is_trained=self.is_trained_
        )
        if save_anndata:
            name = os.path.join(path, f"{prefix or ''}{SAVE_KEYS.ADATA_FNAME}")
            self.adata.write_h5ad(name, **anndata_write_kwargs)

    @classmethod
    def load(
        cls,
        dir_path: str | os.PathLike[str],
        adata: AnnData | bool | None = None,
        accelerator: str = "auto",
        device: int | str = "auto",
        prefix: str | None = None,
        backup_url: str | None = None,
        datamodule: Any = None,
        allowed_classes_names_list: list[str] | None = None,
    ) -> Any:
        """Opens a model that this package, the command ``scvi`` or scvi-tools has saved.

        A save of scvi-tools is parsed, never executed.

        Parameters
        ----------
        dir_path
            The folder.
        adata
            Data with the columns that the model was set up with; ``None`` for those saved beside
            the model, ``False`` for a model without data.
        accelerator, device
            The processor: ``"auto"`` or ``"cpu"``.
        prefix
            What the names of the model's files begin with.
        backup_url, datamodule
            Not supported.
        allowed_classes_names_list
            Further classes that the saved model may be of.

        Raises
        ------
        ValueError
            If the model is of another class or the data do not fit it.
        FileError
            If there is no model, or it is damaged.
        """
        for name, value in {"backup_url": backup_url, "datamodule": datamodule}.items():
            if value is not None:
                raise NotImplementedError(f"{name} is not supported")
        check_processor(accelerator, device)
        path = os.fspath(dir_path)
        core = _core.Model.open(path, prefix)
        if core.model_class not in (cls.__name__, *(allowed_classes_names_list or ())):
            raise ValueError(
                f"It appears you are loading a model from a different class: {core.model_class}, "
                f"not {cls.__name__}."
            )
        # Fields of minified data are registered anew with such data.
        left_out = [name for name in core.left_out if name not in REGISTRY_KEYS]
        if left_out:
            warnings.warn(
                f"left out, the model has no place for it: {listed(left_out)}",
                UserWarning,
                stacklevel=settings.warnings_stacklevel,
            )
        if adata is None:
            adata = _saved_adata(path, prefix or "")
        return cls._of_core(core, None if adata is False else adata)

    @classmethod
    def _of_core(cls, core: _core.Model, adata: AnnData | None) -> Any:
        registry = registry_of(core)
        if adata is not None:
            minified = core.minified_data_type is not None
            _refuse_emptied(adata, minified)
            if core.registry["layer"] == RAW:
                _warn_of_raw(adata, len(core.var_names))
            cls.setup_anndata(adata, source_registry=registry, **registry["setup_args"])
        model = cls._without_module(adata, registry)
        model._set_core(core)
        model._describe(core.config)
        model.is_trained_ = core.is_trained
        indices = [np.asarray(part, dtype=np.int64) for part in core.split]
        if any(len(part) for part in indices):
            model.train_indices_, model.validation_indices_, model.test_indices_ = indices
        model.history_ = history_frames(core.history) or None
        if adata is not None:
            model._validate_anndata(adata)
        return model

    @classmethod
    def convert_legacy_save(
        cls,
        dir_path: str | os.PathLike[str],
        output_dir_path: str | os.PathLike[str],
        overwrite: bool = False,
        prefix: str | None = None,
        **save_kwargs: Any,
    ) -> None:
        """Saves of scvi-tools before 0.15 are not read: they are pickles of Python objects.

        Raises
        ------
        NotImplementedError
            Always, with the way out.
        """
        raise NotImplementedError(
            "saves of scvi-tools before 0.15 are not read; convert them once with scvi-tools' own "
            "convert_legacy_save, then load the result"
        )

    @staticmethod
    def load_registry(dir_path: str | os.PathLike[str], prefix: str | None = None) -> dict:
        """The registry of a saved model.

        Parameters
        ----------
        dir_path
            The folder.
        prefix
            What the names of the model's files begin with.
        """
        return registry_of(_core.Model.open(os.fspath(dir_path), prefix))

    @classmethod
    def view_setup_args(cls, dir_path: str | os.PathLike[str], prefix: str | None = None) -> None:
        """Prints what a saved model was set up with; arguments as of :meth:`load_registry`."""
        AnnDataManager.view_setup_method_args(cls.load_registry(dir_path, prefix))


def registry_of(core: _core.Model) -> dict[str, Any]:
    """The registry of scvi-tools' form of a saved model."""
    n_obs = core.training["n_cells"]
    classifies = "linear_classifier" in core.config
    return from_native(
        core.registry, core.var_names, n_obs, core.model_class, classifies=classifies
    )


def _refuse_existing(path: str, overwrite: bool) -> None:
    if os.path.exists(path) and not overwrite:
        raise FileError(
            f"{path} already exists; overwrite=True replaces a model in it, and leaves other files"
        )


def _saved_adata(path: str, prefix: str) -> AnnData:
    name = os.path.join(path, f"{prefix}{SAVE_KEYS.ADATA_FNAME}")
    if not os.path.exists(name):
        raise ValueError(
            f"Save path contains no saved anndata ({name}) and no adata was passed. Pass adata, or "
            "adata=False for a model without data."
        )
    return read_h5ad(name)


def _warn_of_raw(adata: AnnData, n_genes: int) -> None:
    """Warns where data may have the counts of a model of ``adata.raw.X`` there, and not in X."""
    if adata.raw is None or (adata.n_vars == n_genes and _check_nonnegative_integers(adata.X)):
        return
    warnings.warn(
        "The model was trained on adata.raw.X, and reads adata.X, which holds other values or "
        "genes. If the counts are in adata.raw, pass adata.raw.to_adata() instead.",
        UserWarning,
        stacklevel=settings.warnings_stacklevel,
    )


def _refuse_emptied(adata: AnnData, model_is_minified: bool) -> None:
    """Refuses data whose counts were dropped with a model that was saved with counts."""
    kept = {"_scvi_latent_qzm", "_scvi_latent_qzv"} <= set(adata.obsm)
    emptied = issparse(adata.X) and adata.X.nnz == 0
    if emptied and not model_is_minified and not kept:
        raise ValueError(
            "It appears you are trying to load a non-minified model with minified adata"
        )


def check_processor(accelerator: Any, device: Any) -> None:
    """Refuses every device but the processor.

    Raises
    ------
    ValueError
        Naming what is allowed.
    """
    if accelerator not in (None, "auto", "cpu"):
        raise ValueError(
            f"accelerator is {accelerator!r}; this package computes on the processor: 'auto' or "
            "'cpu'"
        )
    if str(device) not in ("None", "auto", "cpu", "1", "[0]", "-1"):
        raise ValueError(f"device(s) is {device!r}; there is one processor: 'auto' or 1")
