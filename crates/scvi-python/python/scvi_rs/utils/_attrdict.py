"""A read-only mapping with attribute access."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scvi_rs._listed import listed


class attrdict(Mapping):
    """A read-only mapping whose keys are attributes too; mappings within it are ``attrdict`` too.

    Parameters
    ----------
    *args, **kwargs
        As for :class:`dict`.

    Examples
    --------
    >>> stats = attrdict({"n_cells": 400})
    >>> stats.n_cells, stats["n_cells"]
    (400, 400)
    """

    __slots__ = ("_items",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        items = {
            key: attrdict(value) if isinstance(value, Mapping) else value
            for key, value in dict(*args, **kwargs).items()
        }
        object.__setattr__(self, "_items", items)

    def __getitem__(self, key: Any) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __getattr__(self, name: str) -> Any:
        # Special names are looked up before there are items, by copy and pickle.
        if not name.startswith("__") and name in self._items:
            return self._items[name]
        raise AttributeError(f"no attribute '{name}'; there are: {listed(self)}")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"cannot set '{name}': an attrdict is read-only")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete '{name}': an attrdict is read-only")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(key for key in self if isinstance(key, str))})

    def __reduce__(self) -> tuple[type[attrdict], tuple[dict]]:
        return attrdict, (self.to_dict(),)

    def __repr__(self) -> str:
        return f"attrdict({self._items!r})"

    def to_dict(self) -> dict:
        """The same as plain dictionaries."""
        return {
            key: value.to_dict() if isinstance(value, attrdict) else value
            for key, value in self._items.items()
        }
