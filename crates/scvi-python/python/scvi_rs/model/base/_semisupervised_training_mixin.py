"""Training and prediction with labels that some cells have."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from scvi_rs import _core
from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._settings import settings
from scvi_rs.data import AnnDataManager
from scvi_rs.data.fields import LabelsWithUnlabeledObsField
from scvi_rs.train._arguments import as_kwargs, whole_number

from ._training_run import TrainingMixin


class SemisupervisedTrainingMixin(TrainingMixin):
    """Training with the labels of some cells, and prediction of all cells' labels."""

    was_pretrained = False
    """Whether the model began with the weights of a trained SCVI."""

    def _set_registry(self, registry: dict) -> None:
        super()._set_registry(registry)
        self._set_indices_and_labels()

    def _set_indices_and_labels(self) -> None:
        """Finds out which cells have a label."""
        state = self.get_state_registry(REGISTRY_KEYS.LABELS_KEY)
        self.original_label_key = state.original_key
        self.unlabeled_category_ = state[LabelsWithUnlabeledObsField.UNLABELED_CATEGORY]
        self._label_mapping = state.categorical_mapping
        self._code_to_label = dict(enumerate(self._label_mapping))
        self.n_labels = len(self._label_mapping) - 1
        codes = np.zeros(0, np.int64)
        if self._adata_manager is not None:
            codes = self._adata_manager.get_from_registry(REGISTRY_KEYS.LABELS_KEY).ravel()
        self.labels_ = np.asarray(self._label_mapping)[codes]
        self._unlabeled_indices = np.flatnonzero(codes == self.n_labels)
        self._labeled_indices = np.flatnonzero(codes != self.n_labels)

    def _n_labels_of(self, manager: AnnDataManager) -> int:
        state = manager.get_state_registry(REGISTRY_KEYS.LABELS_KEY)
        n_labels = len(state.categorical_mapping) - 1
        if n_labels == 0:
            raise ValueError(
                f"adata.obs[{state.original_key!r}] has no label but "
                f"{state[LabelsWithUnlabeledObsField.UNLABELED_CATEGORY]!r}, which stands for "
                "unlabelled cells: there is nothing to learn from. Use scvi_rs.model.SCVI, or label "
                "cells of two kinds or more."
            )
        return n_labels

    def train(
        self,
        max_epochs: int | None = None,
        n_samples_per_label: int | None = None,
        check_val_every_n_epoch: int | None = None,
        train_size: float | None = 0.9,
        validation_size: float | None = None,
        shuffle_set_split: bool = True,
        batch_size: int | None = 128,
        accelerator: str = "auto",
        devices: int | list[int] | str = "auto",
        adversarial_classifier: bool | None = None,
        datasplitter_kwargs: dict[str, Any] | None = None,
        plan_config: Any = None,
        plan_kwargs: dict[str, Any] | None = None,
        datamodule: Any = None,
        trainer_config: Any = None,
        *,
        checkpoint_path: str | os.PathLike[str] | None = None,
        checkpoint_every_minutes: float | None = None,
        checkpoint_every_n_epoch: int | None = None,
        resume: bool = False,
        **trainer_kwargs: Any,
    ) -> None:
        """Trains the model; a second call goes on from there.

        Labelled and unlabelled cells are split each. Every step reads a minibatch of all training
        cells, whose labels it does not look at, and one of labelled training cells.

        Parameters
        ----------
        max_epochs
            Passes over the training cells; 400 for up to 20,000 cells, fewer for more. After
            :meth:`from_scvi_model` a third of that, between 2 and 10.
        n_samples_per_label
            Labelled cells of each label that an epoch trains the classifier on, drawn anew each
            epoch; all of them if ``None``.
        check_val_every_n_epoch
            Epochs between two validations.
        plan_config, plan_kwargs
            As of :meth:`scvi_rs.model.SCVI.train`, and ``classification_ratio``, the weight of the
            classification loss (50).
        adversarial_classifier
            Not supported: models of proteins have one.
        datamodule
            Not supported.
        train_size, validation_size, shuffle_set_split, batch_size, accelerator, devices, \
datasplitter_kwargs, trainer_config, checkpoint_path, checkpoint_every_minutes, \
checkpoint_every_n_epoch, resume, **trainer_kwargs
            As of :meth:`scvi_rs.model.SCVI.train`.

        Raises
        ------
        TypeError, ValueError, DivergedError, LoggerError, FileError
            As of :meth:`scvi_rs.model.SCVI.train`.
        """
        for name, value in {
            "adversarial_classifier": adversarial_classifier or None,
            "datamodule": datamodule,
        }.items():
            if value is not None:
                raise NotImplementedError(f"{name} is not supported")
        trainer = {**as_kwargs(trainer_config, "trainer_config"), **trainer_kwargs}
        if check_val_every_n_epoch is not None:
            trainer["check_val_every_n_epoch"] = check_val_every_n_epoch
        if max_epochs is None and trainer.get("max_epochs") is None and self.was_pretrained:
            max_epochs = _core.max_epochs_pretrained(self._n_training_obs())
        if n_samples_per_label is not None:
            n_samples_per_label = whole_number("n_samples_per_label", n_samples_per_label)
            if n_samples_per_label < 1:
                raise ValueError(
                    f"n_samples_per_label is {n_samples_per_label}; it must be 1 or more"
                )
        self._warn_of_no_labels()
        self._run_training(
            max_epochs=max_epochs,
            processor=(accelerator, devices),
            split={
                "train_size": train_size,
                "validation_size": validation_size,
                "shuffle_set_split": shuffle_set_split,
                "batch_size": batch_size,
            },
            datasplitter_kwargs=datasplitter_kwargs,
            plan=(plan_config, plan_kwargs),
            datamodule=None,
            trainer=trainer,
            early_stopping=trainer.pop("early_stopping", False),
            checkpoint=(
                checkpoint_path,
                checkpoint_every_minutes,
                checkpoint_every_n_epoch,
                resume,
            ),
            labels={"n_samples_per_label": n_samples_per_label},
        )

    def _n_training_obs(self) -> int:
        if self._adata is None:
            raise AttributeError("the model has no data to train on")
        return self._adata.n_obs

    def _warn_of_no_labels(self) -> None:
        """Says so where nothing trains the classifier that is not trained already."""
        if self._adata is None or len(self._labeled_indices) or self._is_query:
            return
        warnings.warn(
            f"No cell has a label: all have {self.unlabeled_category_!r} in "
            f"adata.obs[{self.original_label_key!r}]. The model trains as SCVI does, and its "
            "predictions mean nothing.",
            UserWarning,
            stacklevel=settings.warnings_stacklevel + 1,
        )

    def predict(
        self,
        adata: AnnData | None = None,
        indices: Any = None,
        soft: bool = False,
        batch_size: int | None = None,
        use_posterior_mean: bool = True,
        ig_interpretability: bool = False,
        ig_args: dict[str, Any] | None = None,
        dataloader: Any = None,
        *,
        silent: bool = True,
    ) -> np.ndarray | pd.DataFrame:
        """The label of each cell, or the probability of every label.

        Parameters
        ----------
        adata
            The data; the model's own if ``None``. They need no column of labels.
        indices
            Cells, by number, name or mask; all if ``None``.
        soft
            Whether to return probabilities.
        batch_size
            Cells that are evaluated at a time; results do not depend on it.
        use_posterior_mean
            Whether a cell's latent variable is its posterior's mean, or a draw.
        ig_interpretability, ig_args, dataloader
            Not supported: these need torch.
        silent
            Whether to show no progress bar.

        Returns
        -------
        An array of labels, or a data frame of cells by labels, without that of unlabelled cells.

        Examples
        --------
        >>> model = scvi_rs.model.SCANVI.from_scvi_model(model, "label_0", labels_key="labels")
        >>> model.train(1, enable_progress_bar=False)
        >>> adata.obs["prediction"] = model.predict()
        >>> probabilities = model.predict(soft=True)
        """
        for name, value in {
            "ig_interpretability": ig_interpretability or None,
            "ig_args": ig_args,
            "dataloader": dataloader,
        }.items():
            if value is not None:
                raise NotImplementedError(f"{name} is not supported: it needs torch")
        cells = self._cells(adata, indices, batch_size)
        seed = None if use_posterior_mean else settings.next_seed()
        with self._bar("Predicting labels", silent) as cells.progress:
            probabilities = self._engine().predict(cells, seed)
        labels = np.asarray(self._label_mapping)[: self.n_labels]
        if not soft:
            return np.array(labels[probabilities.argmax(axis=1)].tolist(), dtype=_plain(labels))
        names = (self._adata if adata is None else adata).obs_names
        index = names if cells.indices is None else names[cells.indices]
        return pd.DataFrame(probabilities, index=index, columns=labels)


def _plain(labels: np.ndarray) -> Any:
    """The type of an array of predictions; of texts numpy's own, as in scvi-tools."""
    return str if labels.dtype == object else labels.dtype
