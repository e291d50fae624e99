"""AnnData objects: registering, checking and reading them."""

from anndata import read_h5ad

from ._manager import AnnDataManager, AnnDataManagerValidationCheck
from ._synthetic import synthetic_iid

__all__ = [
    "AnnDataManager",
    "AnnDataManagerValidationCheck",
    "read_h5ad",
    "synthetic_iid",
]
