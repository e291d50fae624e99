"""The variational autoencoder of scANVI."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._settings import settings

from ._constants import MODULE_KEYS
from ._estimates import Tensors
from ._loss_output import LossOutput
from ._tensors import codes
from ._vae import VAE


class SCANVAE(VAE):
    """scANVI's autoencoder: a :class:`VAE` with a classifier of z and a second latent level.

    Arguments, methods and keys are those of ``scvi.module.SCANVAE`` 1.4.2; tensors are numpy's
    arrays.

    Parameters
    ----------
    n_labels
        Labels, without that of unlabelled cells.
    y_prior
        Prior probability of each label; uniform if ``None``.
    labels_groups, use_labels_groups
        Not supported, as in later releases of scvi-tools.
    linear_classifier
        Whether the classifier has no hidden layer.
    classifier_parameters
        Options of the classifier: ``n_layers``, ``n_hidden``, ``dropout_rate``, ``logits``, ``bias``,
        ``use_activation``, ``activation_fn``.
    n_input, n_batch, n_hidden, n_latent, n_layers, n_continuous_cov, n_cats_per_cov, dropout_rate, \
dispersion, log_variational, gene_likelihood, use_observed_lib_size, use_batch_norm, \
use_layer_norm, seed
        As of :class:`VAE`; ``dispersion`` cannot be ``"gene-label"``.
    **vae_kwargs
        Further arguments of :class:`VAE`.

    Examples
    --------
    >>> vae = SCANVAE(n_input=3, n_labels=2, n_latent=2, n_hidden=4)
    >>> vae.classify(np.array([[1.0, 0.0, 2.0], [0.0, 5.0, 1.0]])).shape
    (2, 2)
    """

    _model_class = "SCANVI"

    def __init__(
        self,
        n_input: int,
        n_batch: int = 0,
        n_labels: int = 0,
        n_hidden: int = 128,
        n_latent: int = 10,
        n_layers: int = 1,
        n_continuous_cov: int = 0,
        n_cats_per_cov: list[int] | None = None,
        dropout_rate: float = 0.1,
        dispersion: Literal["gene", "gene-batch", "gene-cell"] = "gene",
        log_variational: bool = True,
        gene_likelihood: Literal["zinb", "nb", "poisson"] = "zinb",
        use_observed_lib_size: bool = True,
        y_prior: np.ndarray | None = None,
        labels_groups: Any = None,
        use_labels_groups: bool = False,
        linear_classifier: bool = False,
        classifier_parameters: dict[str, Any] | None = None,
        use_batch_norm: Literal["encoder", "decoder", "none", "both"] = "both",
        use_layer_norm: Literal["encoder", "decoder", "none", "both"] = "none",
        *,
        seed: int | None = None,
        **vae_kwargs: Any,
    ) -> None:
        options = dict(locals())
        for name in ("self", "seed", "vae_kwargs", "__class__"):
            options.pop(name, None)
        self._make({**options, **vae_kwargs}, seed)

    @property
    def y_prior(self) -> np.ndarray:
        """Prior probability of each label, of shape (1, n_labels)."""
        return self.state_dict()["y_prior"]

    def classify(
        self,
        x: np.ndarray | None = None,
        batch_index: np.ndarray | None = None,
        cont_covs: np.ndarray | None = None,
        cat_covs: np.ndarray | None = None,
        use_posterior_mean: bool = True,
        *,
        qzm: np.ndarray | None = None,
        qzv: np.ndarray | None = None,
        observed_lib_size: np.ndarray | None = None,
        seed: int | None = None,
    ) -> np.ndarray:
        """What the classifier says of cells.

        Parameters
        ----------
        x
            Counts, of shape (cells, genes).
        batch_index
            Batch of each cell.
        cont_covs, cat_covs
            Covariates, of shape (cells, covariates).
        use_posterior_mean
            Whether z is the posterior's mean, or a draw.
        qzm, qzv, observed_lib_size
            A stored posterior and library size, in place of ``x``.
        seed
            Of the draw; the next of ``settings`` if ``None``.

        Returns
        -------
        Logits of shape (cells, n_labels); probabilities if ``classifier_parameters`` has a
        ``logits`` that is ``False``.
        """
        if use_posterior_mean:
            seed = None
        elif seed is None:
            seed = settings.next_seed()
        data, stored = self._inference_data(
            x, batch_index, cont_covs, cat_covs, (qzm, qzv, observed_lib_size)
        )
        logits = self._passes().module_label_logits(data, seed=seed, stored=stored)
        return logits if self.classifier_parameters["logits"] else _softmax(logits)

    def classification_loss(
        self, labelled_dataset: Tensors
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Cross entropy of the classifier against known labels.

        Parameters
        ----------
        labelled_dataset
            Arrays by the names of :data:`scvi_rs.REGISTRY_KEYS`, of cells that have labels.

        Returns
        -------
        The mean over cells in nats, the labels, and what :meth:`classify` returns.
        """
        labels = labelled_dataset[REGISTRY_KEYS.LABELS_KEY]
        at = codes(labels, "labels").reshape(-1)
        if (at >= self.n_labels).any():
            raise ValueError(f"a label is {at.max()}; there are {self.n_labels}, from 0 on")
        scores = self.classify(**self._inference_input(labelled_dataset))
        # Of probabilities, too, as if they were logits.
        log_probabilities = np.log(_softmax(scores.astype(np.float64)))
        return float(-log_probabilities[np.arange(len(at)), at].mean()), labels, scores

    def loss(
        self,
        tensors: Tensors,
        inference_outputs: dict[str, Any],
        generative_outputs: dict[str, Any],
        kl_weight: float = 1.0,
        labelled_tensors: Tensors | None = None,
        classification_ratio: float | None = None,
        *,
        seed: int | None = None,
    ) -> LossOutput:
        """The negative evidence lower bound with every label tried, a mean over cells, in nats.

        Parameters
        ----------
        tensors
            Arrays by the names of :data:`scvi_rs.REGISTRY_KEYS`.
        inference_outputs, generative_outputs
            What :meth:`inference` and :meth:`generative` returned for one draw.
        kl_weight
            Weight of all divergences.
        labelled_tensors
            Cells that have labels, whose cross entropy counts ``classification_ratio`` times.
        classification_ratio
            Its weight; 0 if ``None``.
        seed
            Of the draws of the second level; the next of ``settings`` if ``None``.

        Returns
        -------
        The loss and its terms, a number a cell.
        """
        base = super().loss(tensors, inference_outputs, generative_outputs)
        seed = settings.next_seed() if seed is None else seed
        z = np.ascontiguousarray(inference_outputs[MODULE_KEYS.Z_KEY], np.float32)
        terms = self._passes().module_label_terms(self._data(tensors), z, seed)
        reconstruction = base.reconstruction_loss["reconstruction_loss"] + terms[0]
        kl_local = terms[1] + base.kl_local[MODULE_KEYS.KL_L_KEY]
        loss = np.mean(reconstruction + kl_weight * kl_local, dtype=np.float64)
        classification = {}
        if labelled_tensors is not None:
            entropy, labels, logits = self.classification_loss(labelled_tensors)
            loss += entropy * (classification_ratio or 0.0)
            classification = {
                "classification_loss": entropy,
                "true_labels": labels,
                "logits": logits,
            }
        return LossOutput(
            loss=loss,
            reconstruction_loss=reconstruction,
            kl_local=kl_local,
            extra_metrics=base.extra_metrics,
            **classification,
        )

    def gradients(
        self,
        tensors: Tensors,
        kl_weight: float = 1.0,
        labelled_tensors: Tensors | None = None,
        classification_ratio: float = 50.0,
        *,
        seed: int | None = None,
    ) -> dict[str, np.ndarray]:
        """As :meth:`VAE.gradients`, with labelled cells beside all of them.

        Parameters
        ----------
        tensors
            Arrays by the names of :data:`scvi_rs.REGISTRY_KEYS`.
        kl_weight
            Weight of all divergences.
        labelled_tensors
            Cells that have labels.
        classification_ratio
            Weight of their cross entropy.
        seed
            Of dropout and draws; the next of ``settings`` if ``None``.

        Returns
        -------
        An array for each parameter, by its name in :meth:`state_dict`.
        """
        seed = settings.next_seed() if seed is None else seed
        labelled = None if labelled_tensors is None else self._data(labelled_tensors)
        return self._passes().module_gradients(
            self._data(tensors), kl_weight, seed, labelled, classification_ratio
        )[1]


def _softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)
