"""Packages that only some functions need."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def is_package_installed(module: str) -> bool:
    """Whether a module can be found; it is not imported."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package that holds it is missing
        return False


def error_on_missing_dependencies(*modules: str) -> None:
    """Checks that modules can be found.

    Raises
    ------
    ModuleNotFoundError
        Naming those that cannot.
    """
    missing = [module for module in modules if not is_package_installed(module)]
    if missing:
        raise ModuleNotFoundError(f"Please install {missing} to use this functionality.")


def dependencies(*modules: str) -> Callable[[Function], Function]:
    """Makes a function check for the modules it needs when it is called."""

    def decorate(function: Function) -> Function:
        @wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            error_on_missing_dependencies(*modules)
            return function(*args, **kwargs)

        return checked  # type: ignore[return-value]

    return decorate
