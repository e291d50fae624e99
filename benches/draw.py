"""Draws the suite's plots: `draw.py FIGURES.json FOLDER`, run by report.py where matplotlib is.

A figure has a name, a title, and panels side by side. Panels are of three kinds:

- dots: `series` with a label and for each of their `x` (a text) y, low and high: horizontal, with
  the range as a line; logarithmic unless `linear`;
- lines: the same over numbers, and `guides`, which are dashed; `log` for both axes;
- stack: `bars` with a label and parts, pairs of a name and a length.
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator  # noqa: E402

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "scvi",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
}
COLOURS = {
    "scvi": "#d1495b",
    "scvi-tools": "#30638e",
    "matrix products": "#30638e",
    "memory": "#76a5c4",
    "elementwise": "#c3d8e6",
    "measured": "#d1495b",
}
OTHERS = ("#d1495b", "#30638e", "#edae49")


def main():
    source, folder = map(Path, sys.argv[1:])
    plt.rcParams.update(STYLE)
    for figure in json.loads(source.read_text()):
        draw(figure, folder / f"{figure['name']}.svg")


def draw(figure, path):
    panels = figure["panels"]
    tall = max(map(height, panels))
    shown, axes = plt.subplots(
        1, len(panels), figsize=(9, tall), squeeze=False, layout="constrained"
    )
    for i, (axis, panel) in enumerate(zip(axes[0], panels, strict=True)):
        {"dots": dots, "lines": lines, "stack": stack}[panel["kind"]](axis, panel)
        if panel["kind"] == "dots" and i > 0:
            axis.tick_params(labelleft=False)
    handles, labels = merged(axes[0])
    if len(labels) > 1:
        shown.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    shown.savefig(path, metadata={"Date": None, "Creator": None, "Title": figure["title"]})
    plt.close(shown)


def height(panel):
    """Inches: as many as rows need."""
    if panel["kind"] == "lines":
        return 3.2
    rows = panel.get("bars") or {x for series in panel["series"] for x in series["x"]}
    return 1.1 + 0.32 * len(rows)


def merged(axes):
    """Handles and labels of all panels, each label once."""
    found = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)


def colour(label, i):
    return COLOURS.get(label, OTHERS[i % len(OTHERS)])


def bounds(series):
    """Distances from the medians down and up."""
    down = [y - low for y, low in zip(series["y"], series["low"], strict=True)]
    up = [high - y for y, high in zip(series["y"], series["high"], strict=True)]
    return [down, up]


def dots(axis, panel):
    """A row for each text, a colour for each series."""
    rows = list(dict.fromkeys(x for series in panel["series"] for x in series["x"]))
    for i, series in enumerate(panel["series"]):
        places = [rows.index(x) for x in series["x"]]
        style = {"fmt": "o", "markersize": 6, "linewidth": 1.5, "color": colour(series["label"], i)}
        axis.errorbar(series["y"], places, xerr=bounds(series), label=series["label"], **style)
    axis.set_yticks(range(len(rows)), rows)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlabel(panel["x"])
    axis.margins(x=0.1)
    if not panel.get("linear"):
        axis.set_xscale("log")
        axis.set_xlim(widened(*axis.get_xlim()))
        plain(axis.xaxis)


def lines(axis, panel):
    """Quantities over quantities."""
    for i, series in enumerate(panel["series"]):
        style = {"fmt": "o-", "markersize": 5, "color": colour(series["label"], i), "zorder": 3}
        axis.errorbar(series["x"], series["y"], yerr=bounds(series), label=series["label"], **style)
    for guide in panel["guides"]:
        style = {"color": "#888888", "linewidth": 1, "label": guide["label"]}
        axis.plot(guide["x"], guide["y"], "--", **style)
    axis.set(xlabel=panel["x"], ylabel=panel["y"], title=panel["title"])
    if panel["log"]:
        axis.set(xscale="log", yscale="log")
        axis.set_ylim(widened(*axis.get_ylim()))
        plain(axis.yaxis)
        plain(axis.xaxis)
        axis.xaxis.set_major_locator(FixedLocator(panel["series"][0]["x"]))


def widened(low, high, least=8):
    """Limits of a logarithmic axis that do not show noise as if it were a trend."""
    more = max(1, (least / (high / low)) ** 0.5)
    return low / more, high * more


def stack(axis, panel):
    """Bars of parts."""
    for row, bar in enumerate(panel["bars"]):
        left = 0
        for name, length in bar["parts"]:
            known = name in axis.get_legend_handles_labels()[1]
            axis.barh(row, length, left=left, color=colour(name, 0), label=None if known else name)
            left += length
        axis.annotate(f"{left:.3g}", (left, row), (3, 0), textcoords="offset points", va="center")
    axis.set_yticks(range(len(panel["bars"])), [bar["label"] for bar in panel["bars"]])
    axis.set_ylim(len(panel["bars"]) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)
    axis.set_xlabel(panel["x"])
    axis.margins(x=0.08)


def plain(axis):
    """Ticks of a logarithmic axis as one writes numbers: 1, 2, 5 where there are few decades."""
    low, high = axis.get_view_interval()
    decades = high / low if low > 0 else 1
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 300 else (1,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(number))
    axis.set_minor_formatter(NullFormatter())


def number(value, _):
    for limit, unit in ((1e6, "M"), (1e4, "k")):
        if value >= limit:
            return f"{value / (1e6 if unit == 'M' else 1e3):g}{unit}"
    return f"{value:g}"


if __name__ == "__main__":
    main()
