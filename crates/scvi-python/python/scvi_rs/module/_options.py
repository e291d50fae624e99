"""A module's keyword arguments as the engine's options."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from scvi_rs import _core

_ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "softplus", "identity")


def _name_of(function: Any) -> str:
    """Name of a function, of a class, or of the class of an object; a string is one."""
    if isinstance(function, str):
        return function
    return getattr(function, "__name__", type(function).__name__)


def _one_of(option: str, given: Any, names: tuple[str, ...]) -> str:
    found = _name_of(given).replace("_", "").lower()
    for name in names:
        if found == name.replace("_", ""):
            return name
    raise ValueError(f"{option} is {_name_of(given)!r}; choose one of {', '.join(names)}")


def var_activation(given: Any) -> str:
    """The name of what makes a variance positive: ``"exp"`` or ``"softplus"``.

    Parameters
    ----------
    given
        One of the names, a function or object called so (``torch.exp``, ``numpy.exp``,
        ``torch.nn.Softplus()``), or ``None`` for ``"exp"``.

    Raises
    ------
    ValueError
        If it is another.

    Examples
    --------
    >>> var_activation(np.exp)
    'exp'
    """
    return "exp" if given is None else _one_of("var_activation", given, ("exp", "softplus"))


def _whole_number(option: str, given: Any) -> int:
    try:
        number = index(given)
    except TypeError:
        number = None
    if number is None or isinstance(given, bool | np.bool_):
        raise ValueError(f"{option} is {given!r}; it must be a whole number")
    if number < 0:
        raise ValueError(f"{option} is {number}; it must not be negative")
    return number


def _layer_kwargs(option: str, given: dict[str, Any]) -> dict[str, Any]:
    given = dict(given)
    if "activation_fn" in given:
        name = f"{option}['activation_fn']"
        given["activation_fn"] = _one_of(name, given["activation_fn"], _ACTIVATIONS)
    return given


def module_config(*, model_class: str = "SCVI", **kwargs: Any) -> dict[str, Any]:
    """Options of the engine's module, from keyword arguments of scvi-tools' ``VAE``.

    Parameters
    ----------
    model_class
        ``"LinearSCVI"`` if they are ``LDVAE``'s: ``n_layers_encoder``, ``bias``, and
        ``use_batch_norm`` as a truth value are then known, too. ``"SCANVI"`` if they are
        ``SCANVAE``'s.
    **kwargs
        Arguments; those that are not given are not in the result.

    Raises
    ------
    TypeError
        If the module has no such argument.

    Examples
    --------
    >>> module_config(n_latent=5, var_activation=np.exp)
    {'n_latent': 5, 'var_activation': 'exp'}
    """
    config = dict(kwargs)
    if model_class == "LinearSCVI":
        config = _linear_names(config)
    if model_class == "SCANVI":
        _refuse_label_groups(config)
    defaults = _core.default_config(model_class)
    known = [name for name in defaults if name != "linear_decoder"]
    unknown = [name for name in config if name not in known]
    if unknown:
        raise TypeError(
            f"the module has no argument {', '.join(map(repr, unknown))}; it has {', '.join(known)}"
        )
    for name in config:
        if type(defaults[name]) is int:
            config[name] = _whole_number(name, config[name])
    for name in ("library_log_means", "library_log_vars", "y_prior"):
        if config.get(name) is not None:
            config[name] = np.asarray(config[name], float).reshape(-1).tolist()
    for name in (
        "extra_encoder_kwargs",
        "extra_decoder_kwargs",
        "batch_embedding_kwargs",
        "classifier_parameters",
    ):
        if name in config:
            config[name] = _layer_kwargs(name, config[name] or {})
    if config.get("n_cats_per_cov", ()) is not None and "n_cats_per_cov" in config:
        config["n_cats_per_cov"] = [int(n) for n in config["n_cats_per_cov"]]
    elif "n_cats_per_cov" in config:
        config["n_cats_per_cov"] = []
    if "var_activation" in config:
        config["var_activation"] = var_activation(config["var_activation"])
    return config


def _refuse_label_groups(config: dict[str, Any]) -> None:
    """Groups of labels have no effect unless they are used; scvi-tools 1.4.3 removed them."""
    config.pop("labels_groups", None)
    if config.pop("use_labels_groups", False):
        raise NotImplementedError("use_labels_groups is not supported; scvi-tools removed it")


def _linear_names(config: dict[str, Any]) -> dict[str, Any]:
    """``LDVAE``'s own arguments under the names of ``VAE``'s."""
    if "n_layers_encoder" in config:
        config["n_layers"] = config.pop("n_layers_encoder")
    if "bias" in config:
        decoder = config.get("extra_decoder_kwargs") or {}
        config["extra_decoder_kwargs"] = {**decoder, "bias": config.pop("bias")}
    if isinstance(config.get("use_batch_norm"), bool):
        # The encoders always have it.
        config["use_batch_norm"] = "both" if config["use_batch_norm"] else "encoder"
    return config
