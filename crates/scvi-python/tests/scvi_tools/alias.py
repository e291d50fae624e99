"""A plugin of pytest by which ``import scvi`` gives ``scvi_rs``.

Every module of scvi_rs is entered under scvi-tools' name too, so that both names are one object.
What scvi_rs lacks can be imported all the same, so that files of tests can be collected; it stands
in for the missing name until it is used, which raises :class:`NotProvided`.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import pkgutil
import sys
from types import ModuleType
from typing import Any

OURS, THEIRS = "scvi_rs", "scvi"


class NotProvided(Exception):
    """A name of scvi-tools that scvi_rs lacks was used."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not in {OURS}")


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


class MissingClass(type):
    """The type of classes that are missing: they can be derived from, and nothing else."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise NotProvided(cls._missing)

    def __getattr__(cls, name: str) -> Any:
        if _is_special(name):
            raise AttributeError(name)
        raise NotProvided(f"{cls._missing}.{name}")


class MissingModule(ModuleType):
    """A module, or a function, that is missing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotProvided(self.__name__)

    def __getattr__(self, name: str) -> Any:
        return _missing(self.__name__, name)


def _missing(module: str, name: str) -> Any:
    """What stands in for a name of a module: classes and constants are capitalised."""
    if _is_special(name):
        raise AttributeError(f"{module} has no {name}")
    full = f"{module}.{name}"
    if name.lstrip("_")[:1].isupper():
        return MissingClass(name, (), {"_missing": full, "__module__": module})
    return sys.modules.setdefault(full, MissingModule(full))


class MissingFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules of scvi-tools that scvi_rs has not."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if not name.startswith(f"{THEIRS}."):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return MissingModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to execute."""


def install() -> None:
    """Makes scvi a second name of scvi_rs."""
    package = importlib.import_module(OURS)
    names = [OURS, *(found.name for found in pkgutil.walk_packages(package.__path__, f"{OURS}."))]
    modules = {name: importlib.import_module(name) for name in names}
    for name, module in modules.items():
        alias = THEIRS + name.removeprefix(OURS)
        sys.modules[alias] = module
        if not hasattr(module, "__getattr__"):
            module.__getattr__ = lambda name, alias=alias: _missing(alias, name)
    sys.meta_path.insert(0, MissingFinder())


install()
