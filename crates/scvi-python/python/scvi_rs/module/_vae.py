"""The variational autoencoder of scVI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from scvi_rs import _core
from scvi_rs._constants import REGISTRY_KEYS
from scvi_rs._settings import settings
from scvi_rs._shown import public_names
from scvi_rs.distributions import (
    NegativeBinomial,
    Normal,
    Poisson,
    ZeroInflatedNegativeBinomial,
    kl_divergence,
)

from ._constants import MODULE_KEYS
from ._embeddings import EmbeddingModuleMixin
from ._estimates import EstimatesMixin, Tensors
from ._loss_output import LossOutput
from ._options import module_config
from ._tensors import engine_data


class VAE(EstimatesMixin, EmbeddingModuleMixin):
    """scVI's variational autoencoder, one minibatch at a time.

    Arguments, methods and keys are those of ``scvi.module.VAE`` 1.4.2; tensors are numpy's arrays.
    The options of the engine are attributes, too: ``vae.n_latent``.

    Parameters
    ----------
    n_input
        Genes.
    n_batch, n_labels
        Batches and labels.
    n_hidden, n_latent, n_layers
        Width of hidden layers, dimensions of z, hidden layers of encoder and decoder.
    n_continuous_cov, n_cats_per_cov
        Continuous covariates, and the number of categories of each categorical one.
    dropout_rate
        Of the encoder, in training.
    dispersion
        How θ varies: ``"gene"``, ``"gene-batch"``, ``"gene-label"`` or ``"gene-cell"``.
    log_variational
        Whether the encoder sees ln(1 + x).
    gene_likelihood
        ``"zinb"``, ``"nb"``, ``"poisson"`` or ``"normal"``.
    latent_distribution
        ``"normal"`` or ``"ln"``.
    encode_covariates, deeply_inject_covariates
        Whether the encoder sees covariates; whether every hidden layer does.
    batch_representation
        ``"one-hot"`` or ``"embedding"``.
    use_batch_norm, use_layer_norm
        ``"encoder"``, ``"decoder"``, ``"none"`` or ``"both"``.
    use_size_factor_key, use_observed_lib_size
        What scales expression: a given factor, or the cell's total; the library is inferred if
        neither.
    extra_payload_autotune
        Whether the loss carries z, batch and labels.
    library_log_means, library_log_vars
        Prior of an inferred library, a number a batch.
    var_activation
        ``"exp"``, ``"softplus"``, or a function or object called so; ``None`` is ``"exp"``.
    extra_encoder_kwargs, extra_decoder_kwargs, batch_embedding_kwargs
        Options of the layers and of the embedding.
    seed
        Of the initial weights; the next of ``settings`` if ``None``.

    Raises
    ------
    ConfigError
        If options make no model.

    Examples
    --------
    >>> vae = VAE(n_input=3, n_latent=2, n_hidden=4)
    >>> x = np.array([[1.0, 0.0, 2.0], [0.0, 5.0, 1.0]])
    >>> tensors = {"X": x, "batch": np.zeros((2, 1)), "labels": np.zeros((2, 1))}
    >>> inference, generative, loss = vae(tensors)
    >>> inference["z"].shape, generative["px"].mean.shape, loss.n_obs_minibatch
    ((2, 2), (2, 3), 2)
    """

    _model_class = "SCVI"

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
        dispersion: Literal["gene", "gene-batch", "gene-label", "gene-cell"] = "gene",
        log_variational: bool = True,
        gene_likelihood: Literal["zinb", "nb", "poisson", "normal"] = "zinb",
        latent_distribution: Literal["normal", "ln"] = "normal",
        encode_covariates: bool = False,
        deeply_inject_covariates: bool = True,
        batch_representation: Literal["one-hot", "embedding"] = "one-hot",
        use_batch_norm: Literal["encoder", "decoder", "none", "both"] = "both",
        use_layer_norm: Literal["encoder", "decoder", "none", "both"] = "none",
        use_size_factor_key: bool = False,
        use_observed_lib_size: bool = True,
        extra_payload_autotune: bool = False,
        library_log_means: np.ndarray | None = None,
        library_log_vars: np.ndarray | None = None,
        var_activation: Any = None,
        extra_encoder_kwargs: dict[str, Any] | None = None,
        extra_decoder_kwargs: dict[str, Any] | None = None,
        batch_embedding_kwargs: dict[str, Any] | None = None,
        *,
        seed: int | None = None,
    ) -> None:
        options = dict(locals())
        for name in ("self", "seed"):
            del options[name]
        self._make(options, seed)

    def _make(self, options: dict[str, Any], seed: int | None) -> None:
        config = module_config(model_class=self._model_class, **options)
        seed = settings.next_seed() if seed is None else seed
        self._set(_core.Model(config, model_class=self._model_class, seed=seed))

    def _set(self, core: _core.Model) -> None:
        self._core = core
        self._config = core.config
        self.training = False

    @classmethod
    def _from_core(cls, core: _core.Model) -> VAE:
        """The module of a model that there is."""
        module = cls.__new__(cls)
        module._set(core)
        return module

    def __getattr__(self, name: str) -> Any:
        # Called where ordinary look-up found nothing, or a property says that there is nothing.
        if hasattr(type(self), name):
            raise AttributeError(f"the module has no {name}: with its options it needs none")
        if not name.startswith("_") and name in self._config:
            return self._config[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __dir__(self) -> list[str]:
        return public_names(self, *self._config)

    def __repr__(self) -> str:
        defaults = _core.default_config(self._model_class)
        told = {k: v for k, v in self._config.items() if k == "n_input" or v != defaults[k]}
        options = ", ".join(f"{name}={value!r}" for name, value in told.items())
        return f"{type(self).__name__}({options})"

    # --- what it is made of -------------------------------------------------------------------

    @property
    def use_observed_lib_size(self) -> bool:
        """Whether no library is inferred."""
        return self._config["use_size_factor_key"] or self._config["use_observed_lib_size"]

    @property
    def library_log_means(self) -> np.ndarray:
        """Prior means of the log library, of shape (1, n_batch)."""
        return self._library_prior("library_log_means")

    @property
    def library_log_vars(self) -> np.ndarray:
        """Prior variances of the log library, of shape (1, n_batch)."""
        return self._library_prior("library_log_vars")

    def _library_prior(self, name: str) -> np.ndarray:
        if self.use_observed_lib_size:
            raise AttributeError(name)
        return np.asarray(self._config[name], np.float32)[None]

    @property
    def px_r(self) -> np.ndarray:
        """ln θ, of shape (genes) or (genes, groups)."""
        state = self.state_dict()
        if "px_r" not in state:
            raise AttributeError("px_r")
        return state["px_r"]

    def state_dict(self) -> dict[str, np.ndarray]:
        """Every tensor by its name in scvi-tools, copied."""
        return self._core.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Takes every tensor from a dictionary of arrays.

        Raises
        ------
        StateError
            If a tensor is missing, unknown or of another shape.
        """
        arrays = {k: np.ascontiguousarray(v, np.float32) for k, v in state_dict.items()}
        self._core.load_state_dict(arrays)

    def train(self, mode: bool = True) -> VAE:
        """Notes the mode. Passes are in evaluation mode always; :meth:`gradients` is in training's."""
        self.training = mode
        return self

    def eval(self) -> VAE:
        """Notes the mode, as :meth:`train`."""
        return self.train(False)

    # --- passes -------------------------------------------------------------------------------

    def inference(
        self,
        x: np.ndarray | None = None,
        batch_index: np.ndarray | None = None,
        cont_covs: np.ndarray | None = None,
        cat_covs: np.ndarray | None = None,
        n_samples: int = 1,
        *,
        qzm: np.ndarray | None = None,
        qzv: np.ndarray | None = None,
        observed_lib_size: np.ndarray | None = None,
        seed: int | None = None,
    ) -> dict[str, Any]:
        """The posterior of cells, and draws from it.

        Parameters
        ----------
        x
            Counts, of shape (cells, genes).
        batch_index
            Batch of each cell.
        cont_covs, cat_covs
            Covariates, of shape (cells, covariates).
        n_samples
            Draws.
        qzm, qzv, observed_lib_size
            A stored posterior and library size, in place of ``x``.
        seed
            Of the draws; the next of ``settings`` if ``None``.

        Returns
        -------
        ``z`` of shape (cells, n_latent) and ``library`` of shape (cells, 1), with ``n_samples``
        above 1 in front; ``qz`` and, where the library is inferred, ``ql``.

        Examples
        --------
        >>> VAE(n_input=3, n_latent=2).inference(np.ones((4, 3)), np.zeros(4))["qz"].loc.shape
        (4, 2)
        """
        if n_samples < 1:
            raise ValueError(f"n_samples must be at least 1, not {n_samples}")
        data, stored = self._inference_data(
            x, batch_index, cont_covs, cat_covs, (qzm, qzv, observed_lib_size)
        )
        seed = settings.next_seed() if seed is None else seed
        out = self._passes().module_inference(data, n_samples=n_samples, seed=seed, stored=stored)
        z, library = out["z"], out["library"][..., None]
        ql = None
        if "ql_m" in out:
            ql = Normal(out["ql_m"][:, None], np.sqrt(out["ql_v"])[:, None])
        return {
            MODULE_KEYS.Z_KEY: z if n_samples > 1 else z[0],
            MODULE_KEYS.QZ_KEY: Normal(out["qz_m"], np.sqrt(out["qz_v"])),
            MODULE_KEYS.QL_KEY: ql,
            MODULE_KEYS.LIBRARY_KEY: library if n_samples > 1 else library[0],
        }

    def _inference_data(
        self, x: Any, batch_index: Any, cont_covs: Any, cat_covs: Any, posterior: tuple[Any, ...]
    ) -> tuple[_core.Data, bool]:
        """Cells for the encoder, and whether they are stored posteriors instead of counts."""
        stored = x is None
        known = None
        if stored:
            if any(part is None for part in posterior):
                raise TypeError("inference needs x, or qzm with qzv and observed_lib_size")
            qzm, qzv, sizes = (np.ascontiguousarray(part, np.float32) for part in posterior)
            known = {
                "minified_data_type": "latent_posterior_parameters",
                "qz_m": qzm,
                "qz_v": qzv,
                "observed_lib_size": sizes.ravel(),
            }
        n = len(posterior[0] if stored else x)
        # Covariates that only the decoder reads may be left out here.
        cont_covs = self._covariates(cont_covs, n, self.n_continuous_cov)
        cat_covs = self._covariates(cat_covs, n, len(self.n_cats_per_cov))
        labels = np.zeros(n)
        data = engine_data(
            n, self.n_input, x, batch_index, labels, cont_covs, cat_covs, np.ones(n), known
        )
        return data, stored

    def _covariates(self, given: Any, n_cells: int, width: int) -> Any:
        if given is None and width and not self.encode_covariates:
            return np.zeros((n_cells, width))
        return given

    def generative(
        self,
        z: np.ndarray,
        library: np.ndarray,
        batch_index: np.ndarray | None = None,
        cont_covs: np.ndarray | None = None,
        cat_covs: np.ndarray | None = None,
        size_factor: np.ndarray | None = None,
        y: np.ndarray | None = None,
        transform_batch: int | None = None,
    ) -> dict[str, Any]:
        """The distribution of counts given z.

        Parameters
        ----------
        z
            Of shape (cells, n_latent) or (draws, cells, n_latent).
        library
            Log library size, of shape (cells, 1) or (draws, cells, 1).
        batch_index, cont_covs, cat_covs, y
            Batch, covariates and label of each cell.
        size_factor
            Logarithm of each cell's size factor, where the module uses one.
        transform_batch
            Batch to decode every cell as.

        Returns
        -------
        ``px``, ``pl`` (``None`` unless the library is inferred) and ``pz``.

        Examples
        --------
        >>> vae = VAE(n_input=3, n_latent=2, gene_likelihood="nb")
        >>> vae.generative(np.zeros((4, 2)), np.zeros((4, 1)))["px"].scale.sum(-1).round(3)
        array([1., 1., 1., 1.], dtype=float32)
        """
        z = np.ascontiguousarray(z, np.float32)
        draws = z if z.ndim == 3 else z[None]
        n = draws.shape[1]
        library = np.broadcast_to(np.asarray(library, np.float32).reshape(-1, n), (len(draws), n))
        batch_index = np.zeros(n) if batch_index is None else np.reshape(batch_index, -1)
        if size_factor is not None:
            size_factor = np.exp(np.asarray(size_factor, np.float64))
        data = engine_data(n, self.n_input, None, batch_index, y, cont_covs, cat_covs, size_factor)
        if transform_batch is not None:
            transform_batch = int(np.asarray(transform_batch).reshape(-1)[0])
        library = np.ascontiguousarray(library)
        out = self._passes().module_generative(data, draws, library, transform_batch)
        if z.ndim == 2:
            out = {k: v[0] if v.ndim == 3 else v for k, v in out.items()}
        pl = None
        if not self.use_observed_lib_size:
            batches = batch_index if transform_batch is None else np.full(n, transform_batch)
            at = np.asarray(batches, int)
            means, variances = self.library_log_means[0, at], self.library_log_vars[0, at]
            pl = Normal(means[:, None], np.sqrt(variances)[:, None])
        return {
            MODULE_KEYS.PX_KEY: self._px(out),
            MODULE_KEYS.PL_KEY: pl,
            MODULE_KEYS.PZ_KEY: Normal(np.zeros_like(z), np.float32(1.0)),
        }

    def _px(self, out: dict[str, np.ndarray]) -> Any:
        rate, scale, theta = out["px_rate"], out["px_scale"], out.get("px_r")
        if self.gene_likelihood == "zinb":
            zi_logits = out["px_dropout"]
            return ZeroInflatedNegativeBinomial(
                mu=rate, theta=theta, zi_logits=zi_logits, scale=scale
            )
        if self.gene_likelihood == "nb":
            return NegativeBinomial(mu=rate, theta=theta, scale=scale)
        if self.gene_likelihood == "poisson":
            return Poisson(rate, scale=scale)
        return Normal(rate, theta, normal_mu=scale)

    def _inference_input(self, tensors: Tensors) -> dict[str, Any]:
        if REGISTRY_KEYS.X_KEY not in tensors and REGISTRY_KEYS.LATENT_QZM_KEY in tensors:
            return {
                "qzm": tensors[REGISTRY_KEYS.LATENT_QZM_KEY],
                "qzv": tensors[REGISTRY_KEYS.LATENT_QZV_KEY],
                "observed_lib_size": tensors[REGISTRY_KEYS.OBSERVED_LIB_SIZE],
            }
        return {
            "x": tensors[REGISTRY_KEYS.X_KEY],
            "batch_index": tensors[REGISTRY_KEYS.BATCH_KEY],
            "cont_covs": tensors.get(REGISTRY_KEYS.CONT_COVS_KEY),
            "cat_covs": tensors.get(REGISTRY_KEYS.CAT_COVS_KEY),
        }

    def forward(
        self,
        tensors: Tensors,
        inference_kwargs: dict[str, Any] | None = None,
        generative_kwargs: dict[str, Any] | None = None,
        loss_kwargs: dict[str, Any] | None = None,
        compute_loss: bool = True,
    ) -> tuple[Any, ...]:
        """Inference, decoding and the loss of a minibatch.

        Parameters
        ----------
        tensors
            Arrays by the names of :data:`scvi_rs.REGISTRY_KEYS`.
        inference_kwargs, generative_kwargs, loss_kwargs
            Further arguments of :meth:`inference`, :meth:`generative` and :meth:`loss`.
        compute_loss
            Whether to return the loss, too.

        Returns
        -------
        What :meth:`inference`, :meth:`generative` and :meth:`loss` return.
        """
        inference = self.inference(**self._inference_input(tensors), **(inference_kwargs or {}))
        size_factor = tensors.get(REGISTRY_KEYS.SIZE_FACTOR_KEY)
        generative = self.generative(
            z=inference[MODULE_KEYS.Z_KEY],
            library=inference[MODULE_KEYS.LIBRARY_KEY],
            batch_index=tensors[REGISTRY_KEYS.BATCH_KEY],
            y=tensors.get(REGISTRY_KEYS.LABELS_KEY),
            cont_covs=tensors.get(REGISTRY_KEYS.CONT_COVS_KEY),
            cat_covs=tensors.get(REGISTRY_KEYS.CAT_COVS_KEY),
            size_factor=None if size_factor is None else np.log(size_factor),
            **(generative_kwargs or {}),
        )
        if not compute_loss:
            return inference, generative
        return (
            inference,
            generative,
            self.loss(tensors, inference, generative, **(loss_kwargs or {})),
        )

    __call__ = forward

    def loss(
        self,
        tensors: Tensors,
        inference_outputs: dict[str, Any],
        generative_outputs: dict[str, Any],
        kl_weight: float = 1.0,
    ) -> LossOutput:
        """The negative evidence lower bound, a mean over cells, in nats.

        Parameters
        ----------
        tensors
            Arrays by the names of :data:`scvi_rs.REGISTRY_KEYS`.
        inference_outputs, generative_outputs
            What :meth:`inference` and :meth:`generative` returned.
        kl_weight
            Weight of the divergence of z; that of the library has none.

        Returns
        -------
        The loss and its terms, a number a cell.
        """
        counts = np.asarray(tensors[REGISTRY_KEYS.X_KEY], np.float32)
        px = generative_outputs[MODULE_KEYS.PX_KEY]
        reconstruction = -px.log_prob(counts).sum(-1)
        qz, pz = inference_outputs[MODULE_KEYS.QZ_KEY], generative_outputs[MODULE_KEYS.PZ_KEY]
        kl_z = kl_divergence(qz, pz).sum(-1)
        kl_l = np.zeros_like(kl_z)
        if not self.use_observed_lib_size:
            ql, pl = inference_outputs[MODULE_KEYS.QL_KEY], generative_outputs[MODULE_KEYS.PL_KEY]
            kl_l = kl_divergence(ql, pl).sum(-1)
        extra = {}
        if self.extra_payload_autotune:
            extra = {
                "z": inference_outputs[MODULE_KEYS.Z_KEY],
                "batch": tensors[REGISTRY_KEYS.BATCH_KEY],
                "labels": tensors.get(REGISTRY_KEYS.LABELS_KEY),
            }
        return LossOutput(
            loss=np.mean(reconstruction + kl_weight * kl_z + kl_l, dtype=np.float64),
            reconstruction_loss=reconstruction,
            kl_local={MODULE_KEYS.KL_L_KEY: kl_l, MODULE_KEYS.KL_Z_KEY: kl_z},
            extra_metrics=extra,
        )

    # --- estimates ----------------------------------------------------------------------------

    def _passes(self) -> _core.Model:
        """The engine, for a pass."""
        self._check_embeddings()
        return self._core

    def _data(self, tensors: Tensors) -> _core.Data:
        x = tensors[REGISTRY_KEYS.X_KEY]
        return engine_data(
            len(x),
            self.n_input,
            x,
            tensors[REGISTRY_KEYS.BATCH_KEY],
            tensors.get(REGISTRY_KEYS.LABELS_KEY),
            tensors.get(REGISTRY_KEYS.CONT_COVS_KEY),
            tensors.get(REGISTRY_KEYS.CAT_COVS_KEY),
            tensors.get(REGISTRY_KEYS.SIZE_FACTOR_KEY),
        )
