"""A text of uns."""

from __future__ import annotations

from typing import Any

from anndata import AnnData

from scvi_rs.data import _constants
from scvi_rs.data._utils import require_key

from ._base_field import BaseAnnDataField


class StringUnsField(BaseAnnDataField):
    """A text of uns.

    Parameters
    ----------
    registry_key
        The model's name for it.
    uns_key
        Its key in ``adata.uns``.
    required
        Whether ``uns_key`` has to be given; if not, ``None`` makes an empty field.

    Raises
    ------
    ValueError
        If it has to be given and is not.
    """

    def __init__(self, registry_key: str, uns_key: str | None, required: bool = True) -> None:
        if required and uns_key is None:
            raise ValueError(
                "`uns_key` cannot be `None` if `required=True`. Please provide an `uns_key`."
            )
        super().__init__(
            registry_key, _constants._ADATA_ATTRS.UNS, uns_key, is_empty=uns_key is None
        )

    def validate_field(self, adata: AnnData) -> None:
        """Checks that the text is there.

        Raises
        ------
        KeyError
            If it is not.
        """
        require_key(adata, self.attr_name, self.attr_key)

    def register_field(self, adata: AnnData) -> dict[str, Any]:
        """Checks that the text is there; there is no state."""
        self.validate_field(adata)
        return {}

    def transfer_field(
        self, state_registry: dict[str, Any], adata_target: AnnData, **kwargs: Any
    ) -> dict[str, Any]:
        """The same as :meth:`register_field`."""
        return self.register_field(adata_target)
