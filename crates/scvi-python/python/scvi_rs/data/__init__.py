"""AnnData objects: registering, checking and reading them."""

from anndata import read_h5ad

from . import fields
from ._manager import AnnDataManager, AnnDataManagerValidationCheck
from ._synthetic import synthetic_iid

__all__ = [
    "AnnDataManager",
    "AnnDataManagerValidationCheck",
    "fields",
    "read_h5ad",
    "synthetic_iid",
]
