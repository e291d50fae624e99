"""Decorators of model methods."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from scvi_rs.data._constants import ADATA_MINIFY_TYPE

Method = TypeVar("Method", bound=Callable[..., Any])


def unsupported_if_adata_minified(method: Method) -> Method:
    """Makes a model's method an error where its data keep no counts.

    Raises
    ------
    ValueError
        If the model's ``minified_data_type`` is ``"latent_posterior_parameters"``.
    """

    @wraps(method)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(self, "minified_data_type", None) == ADATA_MINIFY_TYPE.LATENT_POSTERIOR:
            raise ValueError(
                f"The {method.__qualname__} function currently does not support minified data."
            )
        return method(self, *args, **kwargs)

    return checked  # type: ignore[return-value]
