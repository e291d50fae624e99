"""Which cells are trained on."""

from ._data_splitting import DataSplitter, validate_data_split

__all__ = ["DataSplitter", "validate_data_split"]
