"""Models."""

from scvi_rs._core import max_epochs_heuristic as get_max_epochs_heuristic

from . import base
from ._linear_scvi import LinearSCVI
from ._scanvi import SCANVI
from ._scvi import SCVI

__all__ = ["SCANVI", "SCVI", "LinearSCVI", "base", "get_max_epochs_heuristic"]
