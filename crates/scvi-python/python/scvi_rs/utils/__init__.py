"""Small helpers."""

from ._attrdict import attrdict
from ._decorators import unsupported_if_adata_minified
from ._dependencies import dependencies, error_on_missing_dependencies, is_package_installed

__all__ = [
    "attrdict",
    "dependencies",
    "error_on_missing_dependencies",
    "is_package_installed",
    "unsupported_if_adata_minified",
]
