"""How objects are shown: names for completion, tables for notebooks."""

from __future__ import annotations

import html
from collections.abc import Mapping
from types import ModuleType


def public_names(obj: object, *more: str) -> list[str]:
    """Public attributes of an object, for ``__dir__``.

    Names that end with an underscore are how scvi-tools stores what a property gives.

    Parameters
    ----------
    obj
        The object.
    *more
        Names that ordinary look-up does not find.
    """
    names = {*object.__dir__(obj), *more}
    return sorted(name for name in names if not (name.startswith("_") or name.endswith("_")))


def show_public_names(*modules: ModuleType) -> None:
    """Makes ``dir`` of modules show what they offer, and nothing they import."""
    for module in modules:
        module.__dir__ = lambda names=module.__all__: sorted(names)


def html_table(title: str, rows: Mapping[str, str]) -> str:
    """A titled table of two columns.

    >>> html_table("Sizes", {"cells": "<400"})
    '<b>Sizes</b><table><tr><th style="text-align:left">cells</th><td
    style="text-align:left">&lt;400</td></tr></table>'

    Parameters
    ----------
    title
        The title.
    rows
        Names and values.
    """
    left = 'style="text-align:left"'
    lines = (
        f"<tr><th {left}>{html.escape(name)}</th><td {left}>{html.escape(value)}</td></tr>"
        for name, value in rows.items()
    )
    return f"<b>{html.escape(title)}</b><table>{''.join(lines)}</table>"
