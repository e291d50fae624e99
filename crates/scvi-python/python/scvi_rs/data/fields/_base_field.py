"""What every field does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from anndata import AnnData

from scvi_rs.data import _constants
from scvi_rs.data._utils import get_anndata_attribute, place


class BaseAnnDataField(ABC):
    """A part of an AnnData object that a model reads.

    Parameters
    ----------
    registry_key
        The model's name for it.
    attr_name
        The attribute it lies in: ``"X"``, ``"layers"``, ``"obs"``, ``"obsm"``, ``"uns"``.
    attr_key
        Its key there; ``None`` for the whole attribute.
    is_empty
        Whether the user named nothing: the field then counts nothing and holds no data.
    """

    mod_key: str | None = None

    def __init__(
        self, registry_key: str, attr_name: str, attr_key: str | None, is_empty: bool = False
    ) -> None:
        self._registry_key = registry_key
        self._attr_name = attr_name
        self._attr_key = attr_key
        self._is_empty = is_empty

    @property
    def registry_key(self) -> str:
        """The model's name for the field."""
        return self._registry_key

    @property
    def attr_name(self) -> str:
        """The attribute of the AnnData object it lies in."""
        return self._attr_name

    @property
    def attr_key(self) -> str | None:
        """Its key within the attribute."""
        return self._attr_key

    @property
    def is_empty(self) -> bool:
        """Whether the user named nothing."""
        return self._is_empty

    @property
    def source(self) -> str:
        """What the user named, as one writes it in Python."""
        return "none" if self.is_empty else place(self.attr_name, self.attr_key)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.registry_key}: {self.source})"

    @abstractmethod
    def validate_field(self, adata: AnnData) -> None:
        """Checks that an AnnData object has what the field is made of."""

    @abstractmethod
    def register_field(self, adata: AnnData) -> dict[str, Any]:
        """Checks the data, writes what the model reads, and returns the field's state."""

    @abstractmethod
    def transfer_field(
        self, state_registry: dict[str, Any], adata_target: AnnData, **kwargs: Any
    ) -> dict[str, Any]:
        """As :meth:`register_field`, for data that have to fit a state registered before.

        Parameters
        ----------
        state_registry
            That state.
        adata_target
            The data.
        **kwargs
            Options of single fields, such as ``extend_categories``; others ignore them.
        """

    def get_summary_stats(self, state_registry: dict[str, Any]) -> dict[str, int]:
        """Sizes that follow from the state."""
        return {}

    def view_state_registry(self, state_registry: dict[str, Any]) -> str | None:
        """The state as a table, if there is something to show."""
        return None

    def get_field_data(self, adata: AnnData) -> Any:
        """The data themselves."""
        if self.is_empty:
            raise AssertionError(f"The {self.registry_key} field is empty.")
        return get_anndata_attribute(adata, self.attr_name, self.attr_key)

    def get_data_registry(self) -> dict[str, str | None]:
        """Where the data lie."""
        if self.is_empty:
            return {}
        return {
            _constants._DR_ATTR_NAME: self.attr_name,
            _constants._DR_ATTR_KEY: self.attr_key,
        }


AnnDataField = BaseAnnDataField
