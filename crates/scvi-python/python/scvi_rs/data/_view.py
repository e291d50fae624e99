"""Tables of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A titled table with aligned columns.

    >>> print(table("Sizes", ["what", "n"], [["cells", 400], ["genes", 10]]))
    Sizes
    what   n
    -----  ---
    cells  400
    genes  10
    """
    body = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *body, strict=True)]
    lines = [columns, ["-" * width for width in widths], *body]
    aligned = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "\n".join([title, *(line.rstrip() for line in aligned)])
