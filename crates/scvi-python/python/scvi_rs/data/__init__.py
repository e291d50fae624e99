"""AnnData objects: registering, checking and reading them."""

from anndata import read_h5ad

from . import fields
from ._manager import AnnDataManager, AnnDataManagerValidationCheck
from ._read_inputs import read_inputs
from ._synthetic import synthetic_iid

__all__ = [
    "AnnDataManager",
    "AnnDataManagerValidationCheck",
    "fields",
    "read_h5ad",
    "read_inputs",
    "synthetic_iid",
]
