"""The sections of the suite, in the order of the page.

Each is a module with

- `TITLE`, and `ABOUT`: what is measured and how;
- `PROGRAMS`: whose versions are stated;
- `PARTS`: functions by name, which measure through a `results.Log`;
- `missing(options, part)`: why a part cannot run here, or None;
- `tables(records)`, `figures(records)`: lines of markdown and descriptions of plots (draw.py says
  of what form), from the measurements by part, of which any may be absent.
"""

from . import differential, floor, growth, inference, out_of_core, training

SECTIONS = {
    "training": training,
    "inference": inference,
    "differential": differential,
    "growth": growth,
    "out_of_core": out_of_core,
    "floor": floor,
}
